import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planRound } from '../plan.js';
import { firstCell, linesOf, queueScenario, queueYaml } from '../testing/scenarios.js';
import { oneOf } from './problems.js';
import { findScenarioFile, parseScenario, readScenario } from './parse.js';

const nested = (levels: number, inside: string) => '['.repeat(levels) + inside + ']'.repeat(levels);

describe('parseScenario', () => {
  it('fills in the defaults of schema, profile and mechanism', () => {
    const scenario = queueScenario();
    expect(scenario).toMatchObject({ name: 'queue-test', seed: 1, replications: 3, timeoutMs: 600_000 });
    expect(firstCell({})).toEqual({
      mechanism: 'queue',
      modelVersion: 1,
      kernel: { serviceFactor: 1, batch: 1 },
      machine: { profile: 'small', cpus: 4, memoryBytes: 8 * 2 ** 30, hz: 250, constants: { serviceNs: 6e6 } },
      workload: { items: 2000, rate: 600, fault: 'none' },
      seed: 1,
    });
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      'an unknown key',
      { machine: { profile: 'small', cpu: 4 } },
      'spec.machine.cpu: expected a known key, one of profile, cpus, memory, hz, fairClass, preemption, preemptRcu, constants (did you mean cpus?), got an unknown key',
    ],
    [
      'a wrong type',
      { machine: { profile: 'small', cpus: 'forty' } },
      'spec.machine.cpus: expected an integer from 1 to 4096, got "forty"',
    ],
    [
      '0 CPUs',
      { machine: { profile: 'small', cpus: 0 } },
      'spec.machine.cpus: expected an integer from 1 to 4096, got 0',
    ],
    [
      'half a CPU',
      { machine: { profile: 'small', cpus: 1.5 } },
      'spec.machine.cpus: expected an integer from 1 to 4096, got 1.5',
    ],
    [
      'memory without a known unit',
      { machine: { profile: 'small', memory: '70 gigs' } },
      'spec.machine.memory: expected a size such as 70GiB or 400MB, got "70 gigs"',
    ],
    [
      'no memory',
      { machine: { profile: 'small', memory: 0 } },
      'spec.machine.memory: expected a size from 64MiB to 1024TiB, got 0',
    ],
    ['an unknown profile', { machine: { profile: 'smal' } }, 'spec.machine.profile: expected small, got "smal"'],
    ['no profile', { machine: {} }, 'spec.machine.profile: expected text, got nothing'],
    [
      'an unknown constant',
      { machine: { profile: 'small', constants: { servicNs: 1 } } },
      'spec.machine.constants.servicNs: expected a constant of profile small, serviceNs, got an unknown name',
    ],
    [
      'a constant out of range',
      { machine: { profile: 'small', constants: { serviceNs: 0 } } },
      'spec.machine.constants.serviceNs: expected a number from 1 to 1000000000 (ns), got 0',
    ],
    [
      'a constant that is no number',
      { machine: { profile: 'small', constants: { serviceNs: 'x' } } },
      'spec.machine.constants.serviceNs: expected a number, got "x"',
    ],
    [
      'negative items',
      { workload: { items: -1 } },
      'spec.workload.items: expected an integer from 1 to 10000000, got -1',
    ],
    [
      'an unknown workload key',
      { workload: { itmes: 1 } },
      'spec.workload.itmes: expected a known key, one of items, rate, fault (did you mean items?), got an unknown key',
    ],
    [
      'a bad choice',
      { workload: { fault: 'hnag' } },
      'spec.workload.fault: expected one of none, throw, invariant, hang, nan, missing, undeclared, memory (did you mean hang?), got "hnag"',
    ],
    ['a bad rate', { workload: { rate: 'fast' } }, 'spec.workload.rate: expected a rate such as 1000/s, got "fast"'],
    [
      'an impossible combination',
      { workload: { items: 2_000_000 }, machine: { profile: 'small', memory: '512MiB' } },
      'spec.workload.items: expected at most 1000000 with less than 1GiB, got 2000000',
    ],
    [
      'an unknown variant',
      { variants: ['befor'] },
      'spec.variants[0]: expected a variant of queue, one of before, fast, same (did you mean before?), got "befor"',
    ],
    [
      'a bad variant entry',
      { variants: ['before', { id: 'fast', labl: 'x' }] },
      'spec.variants[1].labl: expected a known key, one of id, as, kernel, got an unknown key',
    ],
    ['no variant', { variants: [] }, 'spec.variants: expected a list of 1 to 100, got []'],
    [
      'one label twice',
      { variants: ['before', 'before'] },
      'spec.variants[1]: expected another label (`as`) for each variant, got "before"',
    ],
    [
      'an unknown kernel option',
      { kernel: { bathc: 2 } },
      'spec.kernel.bathc: expected a known key, one of serviceFactor, batch (did you mean batch?), got an unknown key',
    ],
    [
      'a bad kernel option of one variant',
      { variants: ['before', { id: 'fast', kernel: { batch: 0 } }] },
      'spec.variants[1].kernel.batch: expected an integer from 1 to 64, got 0',
    ],
    [
      'a kernel option that no variant would feel',
      { variants: ['fast', 'same'], kernel: { serviceFactor: 3 } },
      'spec.kernel.serviceFactor: expected an option that not every variant sets itself, got 3',
    ],
    ['an unknown mechanism', { mechanism: 'queues' }, 'spec.mechanism: expected '],
    [
      'an unknown metric in a threshold',
      { thresholds: { wait_p9_seconds: ['max<1s'] } },
      'spec.thresholds.wait_p9_seconds: expected a metric of queue, one of wait_p99_seconds, backlog_bytes, items_total (did you mean wait_p99_seconds?), got "wait_p9_seconds"',
    ],
    [
      'an unknown variant in a threshold',
      { thresholds: { 'backlog_bytes{variant:v9}': ['max<1GB'] } },
      'spec.thresholds[backlog_bytes{variant:v9}]: expected a variant of this scenario, one of before, fast, got "v9"',
    ],
    [
      'a bad condition',
      { thresholds: { backlog_bytes: ['max<1GB', 'highest<3'] } },
      'spec.thresholds.backlog_bytes[1]: expected a condition such as max<400MiB, p(95)<=250ms or med>1GB, got "highest<3"',
    ],
    [
      'an unknown figure',
      { published: ['item'] },
      'spec.published[0]: expected a published figure, one of items, items-wrong (did you mean items?), got "item"',
    ],
    [
      'a bad sweep path',
      { sweep: { 'mashine.cpus': [1] } },
      'spec.sweep[mashine.cpus]: expected a path below machine, workload, kernel, beside, got "mashine.cpus"',
    ],
    [
      'a bad sweep value',
      { sweep: { 'machine.cpus': [4, 0] } },
      'spec.sweep[machine.cpus]: expected an integer from 1 to 4096, got 0',
    ],
    [
      'a sweep to the sky',
      {
        sweep: {
          'workload.items': Array.from({ length: 200 }, (_, i) => i + 1),
          'machine.cpus': Array.from({ length: 100 }, (_, i) => i + 1),
        },
      },
      'spec: expected at most 10000 cells unless more are asked for (kwb: --max-cells, up to 1000000), got 120000',
    ],
    [
      'too many cells',
      { replications: 1000, sweep: { 'machine.cpus': [1, 2, 3, 4, 5, 6] } },
      'spec: expected at most 10000 cells unless more are asked for (kwb: --max-cells, up to 1000000), got 12000',
    ],
    [
      'too many replications',
      { replications: 1001 },
      'spec.replications: expected an integer from 1 to 1000, got 1001',
    ],
    ['no replication', { replications: 0 }, 'spec.replications: expected an integer from 1 to 1000, got 0'],
    ['a bad seed', { seed: -1 }, 'spec.seed: expected an integer from 0 to 4294967295, got -1'],
    ['a bad time-out', { timeout: 'soon' }, 'spec.timeout: expected a duration such as 4ms, 1.5s or 10min, got "soon"'],
    [
      'a search in the wrong direction',
      {
        find: { parameter: 'workload.rate', from: 5, to: 1, precision: 1, metric: 'backlog_bytes', condition: 'med>1' },
      },
      'spec.find.to: expected more than find.from (5), got 1',
    ],
    [
      'a search from an impossible value',
      {
        find: { parameter: 'machine.cpus', from: 0, to: 8, precision: 1, metric: 'backlog_bytes', condition: 'med>1' },
      },
      'spec.find.from: expected an integer from 1 to 4096, got 0',
    ],
    ['a key that is no part of a prototype', { ['__proto__x']: 1 }, 'spec.__proto__x: expected a known key'],
  ])('says what is wrong with %s in one line', (_, spec, expected) => {
    const lines = linesOf(() => queueScenario(spec));
    expect(lines[0]!.replace(/^q\.yaml:\d+: /, 'q.yaml: ')).toContain(`q.yaml: ${expected}`);
    expect(lines.join('\n').split('\n')).toHaveLength(lines.length);
  });

  it.each([
    // 1 apiVersion, 2 kind, 3 metadata, 5 spec
    ['an unknown key', '    cpu: 4', 9, 'spec.machine.cpu'],
    ['a wrong value', '    cpus: forty', 9, 'spec.machine.cpus'],
    ['an item of a list', '  variants:\n    - before\n    - befor', 12, 'spec.variants[1]'],
    ['what is said by an alias', '  workload: &w\n    itmes: 3', 11, 'spec.workload.itmes'],
    [
      'a key of a threshold',
      '  thresholds:\n    items_total: [max<1]\n    item_total: [max<1]',
      12,
      'spec.thresholds.item_total',
    ],
  ])('gives the line of %s', (_, text, line, path) => {
    const file = `apiVersion: kworkbench/v1
kind: Scenario
metadata:
  name: q
spec:
  mechanism: queue
  machine:
    profile: small
${text.startsWith('    ') ? text : `    cpus: 4\n${text}`}
${text.includes('variants:') ? '' : '  variants: [before]'}
`;
    const lines = linesOf(() => parseScenario(file, 'q.yaml'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`q.yaml:${line}: ${path}: expected `);
  });

  it('gives the line of the mapping where something is missing, and none for what an option says', () => {
    const text = 'apiVersion: kworkbench/v1\nkind: Scenario\nmetadata: { name: q }\nspec:\n  variants: [before]\n';
    expect(linesOf(() => parseScenario(text, 'q.yaml'))).toEqual([
      'q.yaml:4: spec.mechanism: expected text, got nothing',
      'q.yaml:4: spec.machine: expected a mapping, got nothing',
    ]);
    expect(linesOf(() => queueScenario({}, { set: { 'machine.cpus': '0' } }))[0]).toMatch(
      /^--set machine\.cpus=0: spec/,
    );
  });

  it.each([
    ['cpus', 'machine.cpus'],
    ['items', 'workload.items'],
    ['serviceFactor', 'kernel.serviceFactor'],
    ['serviceNs', 'machine.constants.serviceNs'],
  ])('says where %s belongs that stands one level too high', (key, path) => {
    expect(linesOf(() => queueScenario({}, { set: { [key]: '4' } }))).toEqual([
      `--set ${key}=4: spec.${key}: expected a known key (did you mean ${path}?), got an unknown key`,
    ]);
  });

  it('gives file, line and column of broken YAML', () => {
    expect(linesOf(() => parseScenario('a: 1\nb: [1, 2\nc: 3\n', 'x.yaml'))[0]).toMatch(
      /^x\.yaml:\d+:\d+: expected valid YAML, got /,
    );
    expect(linesOf(() => parseScenario('a: 1\na: 2\n', 'x.yaml'))[0]).toMatch(/^x\.yaml:2:1: .*unique/);
  });

  it.each([
    ['contains itself', 'a: &a [*a]', 'x.yaml: expected a document, got one with a part that contains itself'],
    ['is nothing but itself', '&a [*a]', 'x.yaml: expected a document, got one with a part that contains itself'],
    ['nests keys in keys', '? '.repeat(5_000), 'x.yaml:1:129: expected at most 64 levels of nesting, got more'],
    ['nests lists over lines', '[\n'.repeat(5_000), /^x\.yaml:65:1: expected at most 64 levels/],
    [
      'nests by aliases',
      `a: &a ${nested(30, '1')}\nb: &b ${nested(30, '*a')}\nc: ${nested(30, '*b')}`,
      'x.yaml: expected at most 64 levels of nesting, got more',
    ],
  ])('refuses in one line a text that %s', (_, text, line) => {
    const lines = linesOf(() => parseScenario(text, 'x.yaml'));
    expect(lines).toEqual([expect.stringMatching(line)]);
  });

  it('reads a key that was given on the command line as text when it nests too deep', () => {
    expect(linesOf(() => queueScenario({}, { set: { 'machine.cpus': '? '.repeat(2_000) } }))).toHaveLength(1);
  });

  it.each(['', '- 1', 'hello', '42'])('wants a mapping, not %j', (text) => {
    expect(linesOf(() => parseScenario(text, 'x.yaml'))[0]).toMatch(/^x\.yaml: expected a mapping with apiVersion/);
  });

  it('says every problem of a file at once', () => {
    const lines = linesOf(() => queueScenario({ seed: -1, replications: 'x', machine: { profile: 1, cpus: 0 } }));
    expect(lines).toHaveLength(4);
  });

  it('names a file that cannot be read', () => {
    expect(linesOf(() => readScenario('/nowhere/x.yaml'))).toEqual([
      '/nowhere/x.yaml: expected a readable scenario file, got no such file',
    ]);
    expect(linesOf(() => readScenario(tmpdir()))[0]).toMatch(/expected a readable scenario file, got EISDIR/);
  });

  it('finds a scenario by its name and suggests one for a slip', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kwb-'));
    for (const name of ['netns-storm', 'netns-calm']) writeFileSync(join(folder, `${name}.yaml`), queueYaml());
    expect(findScenarioFile('netns-storm', folder)).toBe(join(folder, 'netns-storm.yaml'));
    expect(linesOf(() => findScenarioFile('netns-strom', folder))[0]).toContain('did you mean netns-storm?');
    expect(linesOf(() => findScenarioFile('calm', folder))[0]).toContain('did you mean netns-calm?');
  });

  it('does not list a catalogue to who has nearly found what is meant', () => {
    const names = Array.from({ length: 40 }, (_, i) => `scenario${i}`);
    expect(oneOf([...names, 'netns-storm'], 'netns-strom')).toBe('one of 41 names (did you mean netns-storm?)');
    expect(oneOf([...names, 'netns-storm', 'padata-storm'], 'storm')).toBe(
      'one of 42 names (did you mean netns-storm or padata-storm?)',
    );
    expect(oneOf(names, 'something else')).toBe(`one of ${names.join(', ')}`);
    expect(oneOf(['before', 'fast'], 'fats')).toBe('one of before, fast (did you mean fast?)');
  });
});

describe('kernel options', () => {
  it('are decided by defaults, spec.kernel, preset, variant entry and sweep, the last one strongest', () => {
    const scenario = queueScenario({
      kernel: { serviceFactor: 7, batch: 3 },
      variants: ['before', 'fast', { id: 'fast', as: 'tuned', kernel: { serviceFactor: 0.1 } }],
      sweep: { 'kernel.batch': [3, 5] },
      replications: 1,
    });
    const kernels = planRound(scenario, new Map()).map(({ variant, point, cell }) => [
      variant,
      point['kernel.batch'],
      cell.kernel.serviceFactor,
      cell.kernel.batch,
    ]);
    expect(kernels).toEqual([
      ['before', 3, 7, 3],
      ['fast', 3, 0.5, 3],
      ['tuned', 3, 0.1, 3],
      ['before', 5, 7, 5],
      ['fast', 5, 0.5, 5],
      ['tuned', 5, 0.1, 5],
    ]);
  });
});
