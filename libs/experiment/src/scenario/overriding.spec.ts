// What is said on the command line about a scenario.
import { describe, expect, it } from 'vitest';
import { planRound } from '../plan.js';
import { firstCell, linesOf, queueScenario, queueYaml } from '../testing/scenarios.js';
import type { ScenarioOverrides } from './overriding.js';
import { parseScenario } from './parse.js';

describe('overrides', () => {
  it('reach machine, workload, kernel and constants, with or without spec in front', () => {
    const set = {
      'machine.cpus': '6',
      'spec.machine.memory': '2GiB',
      'machine.constants.serviceNs': '5e6',
      'workload.items': '10',
      'workload.rate': '50/s',
      'kernel.batch': '2',
    };
    const cell = firstCell({}, { set, seed: 7, replications: 1 });
    expect(cell).toMatchObject({
      seed: 7,
      kernel: { batch: 2 },
      machine: { cpus: 6, memoryBytes: 2 ** 31, constants: { serviceNs: 5e6 } },
      workload: { items: 10, rate: 50 },
    });
  });

  it.each<[ScenarioOverrides, string]>([
    [
      { set: { 'machine.cpus': 'forty' } },
      '--set machine.cpus=forty: spec.machine.cpus: expected an integer from 1 to 4096, got "forty"',
    ],
    [{ set: { 'mashine.cpus': '4' } }, '--set mashine.cpus=4: spec.mashine: expected a known key'],
    [
      { set: { 'machine.cpus.x': '4' } },
      '--set machine.cpus.x=4: spec.machine.cpus: expected an integer from 1 to 4096, got {"x":4}',
    ],
    [
      { set: { 'machine.cpus': '[1, 2]' } },
      '--set machine.cpus=[1, 2]: spec.machine.cpus: expected a number, text, true or false, got [1, 2]',
    ],
    [
      { sweep: { 'machine.cpus': ['1', 'x'] } },
      '--sweep machine.cpus=1,x: spec.sweep[machine.cpus]: expected an integer from 1 to 4096, got "x"',
    ],
    [
      { sweep: { 'machine.cpus': [] } },
      '--sweep machine.cpus=: spec.machine.cpus: expected at least one value, got nothing',
    ],
    [{ variants: ['nope'] }, '--variants nope: spec.variants[0]: expected a variant of queue'],
    [{ replications: 0 }, '--replications 0: spec.replications: expected an integer from 1 to 1000, got 0'],
    [{ seed: 1.5 }, '--seed 1.5: spec.seed: expected an integer from 0 to 4294967295, got 1.5'],
    [
      { set: { 'kernel.serviceFactor': '2' }, variants: ['fast'] },
      '--set kernel.serviceFactor=2: spec.kernel.serviceFactor: expected an option that not every variant sets itself, got 2',
    ],
  ])('%j name the option in their problem', (overrides, expected) => {
    expect(linesOf(() => queueScenario({}, overrides))[0]).toContain(expected);
  });

  it('keep what the file says about a variant that is chosen by its label', () => {
    const spec = { variants: ['before', { id: 'fast', as: 'quick', kernel: { batch: 9 } }] };
    expect(firstCell(spec, { variants: ['quick'] }).kernel).toEqual({ serviceFactor: 0.5, batch: 9 });
  });

  it.each<[ScenarioOverrides, string | undefined]>([
    [{ set: { 'machine.cpus': '6' } }, undefined],
    [{ sweep: { 'machine.cpus': ['2', '6'] } }, undefined],
    [{ seed: 3, replications: 2, variants: ['fast'] }, 'A queue on 4 CPUs'],
  ])('leave no title that may say what is no longer so: %j', (overrides, title) => {
    const text = queueYaml().replace('name: queue-test', 'name: queue-test\n  title: A queue on 4 CPUs');
    const scenario = parseScenario(text, 'q.yaml', overrides);
    expect(scenario.title).toBe(title);
    expect(parseScenario(scenario.yaml, 'effective.yaml').title).toBe(title);
  });

  it('are in the effective file, which gives the same scenario again', () => {
    const scenario = queueScenario(
      {},
      { set: { 'machine.cpus': '6' }, sweep: { 'workload.items': ['10', '20'] }, seed: 3 },
    );
    const again = parseScenario(scenario.yaml, 'effective.yaml');
    expect(planRound(again, new Map())).toEqual(planRound(scenario, new Map()));
  });
});

describe('a value that is set and that the file sweeps', () => {
  const sweep = { 'spec.machine.cpus': [2, 4], 'workload.items': [10, 20] };
  const pointsOf = (overrides: ScenarioOverrides) => queueScenario({ sweep }, overrides).points;

  it.each(['machine.cpus', 'spec.machine.cpus'])('pins the sweep: --set %s=6', (path) => {
    expect(pointsOf({ set: { [path]: '6' } })).toEqual([
      { 'machine.cpus': 6, 'workload.items': 10 },
      { 'machine.cpus': 6, 'workload.items': 20 },
    ]);
  });

  it('is named when it is wrong', () => {
    expect(linesOf(() => pointsOf({ set: { 'machine.cpus': '0' } }))[0]).toContain(
      '--set machine.cpus=0: spec.sweep[machine.cpus]: expected an integer from 1 to 4096, got 0',
    );
  });

  it.each<[string, ScenarioOverrides]>([
    ['--set', { set: { 'machine.cpus': '4' } }],
    ['--sweep', { sweep: { 'machine.cpus': ['4', '8'] } }],
  ])('%s drops what the file asks at values that are not run, and keeps the rest', (_, overrides) => {
    const asked = (cpus: number) => `backlog_bytes{machine.cpus:${cpus}}`;
    const thresholds = { [asked(2)]: ['max>0'], [asked(4)]: ['max>0'], backlog_bytes: ['max>0'] };
    const scenario = queueScenario({ sweep, thresholds }, overrides);
    expect(scenario.thresholds.map(({ at }) => at)).toEqual([{ 'machine.cpus': '4' }, {}]);
    const wrong = { [asked(3)]: ['max>0'] };
    expect(linesOf(() => queueScenario({ sweep, thresholds: wrong }, overrides))[0]).toContain(
      'expected a value of machine.cpus that is swept, got "3"',
    );
  });

  it('cannot be swept on the same command line', () => {
    const overrides = { set: { 'machine.cpus': '6' }, sweep: { 'spec.machine.cpus': ['2', '4'] } };
    expect(linesOf(() => pointsOf(overrides))).toEqual([
      '--set machine.cpus=6: spec.machine.cpus: expected either --set or --sweep, not also --sweep spec.machine.cpus, got both',
    ]);
  });

  it('cannot be searched for', () => {
    const find = {
      parameter: 'machine.cpus',
      from: 1,
      to: 8,
      precision: 1,
      metric: 'backlog_bytes',
      condition: 'med>1',
    };
    expect(linesOf(() => queueScenario({ find }, { set: { 'machine.cpus': '6' } }))).toEqual([
      '--set machine.cpus=6: spec.machine.cpus: expected a path that spec.find does not search, got machine.cpus',
    ]);
  });

  it('stays the point of its cells: the same cells as those of the whole sweep', () => {
    const all = planRound(queueScenario({ sweep }), new Map()).map(({ id }) => id);
    const pinned = planRound(queueScenario({ sweep }, { set: { 'machine.cpus': '4' } }), new Map()).map(({ id }) => id);
    expect(all).toEqual(expect.arrayContaining(pinned));
  });
});
