// The CLI as a real process: exit codes, one line per problem, and what goes to stdout.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { exitCodes } from '@kworkbench/experiment';
import { kwb, startKwb } from './testing/kwb.js';

const folder = mkdtempSync(join(tmpdir(), 'kwb-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const runs = join(folder, 'runs');
/** The main scenario, small enough for a test. */
const SMALL = ['netns-unshare-storm', '--set', 'workload.cycles=300', '--replications', '2'];
/** Long enough to be interrupted. */
const LONG = ['netns-unshare-storm', '--replications', '15', '--workers', '1'];

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

interface ReportJson {
  readonly scenario: string;
  readonly verdict: string;
  readonly cells: readonly { readonly digest: string; readonly variant: string }[];
}

describe('help', () => {
  test.each([
    [],
    ['--help'],
    ['run', '--help'],
    ['validate', '--help'],
    ['list', '--help'],
    ['doctor', '--help'],
    ['resume', '--help'],
    ['replay', '--help'],
    ['compare', '--help'],
    ['baseline', 'promote', '--help'],
    ['test', '--help'],
  ])('kwb %s %s ends with every exit code', async (...args) => {
    const { code, stdout, stderr } = await kwb(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const table = stdout.slice(stdout.indexOf('Exit codes:'));
    for (const { code: number, description } of exitCodes) {
      expect(table).toMatch(new RegExp(`^ +${number}  ${description.replace(/[()]/g, '\\$&')}$`, 'm'));
    }
  });

  test.each(['up', 'submit', 'watch', 'cancel', 'report'])('kwb %s --help', async (verb) => {
    const { code, stdout } = await kwb([verb, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: kwb ${verb} `));
  });
});

describe('bad input is one line that names the place, exit 104, and nothing is started', () => {
  const scenario = (spec: string) => `apiVersion: kworkbench/v1
kind: Scenario
metadata: { name: bad }
spec:
${spec
  .trim()
  .split('\n')
  .map((line) => `  ${line.trim()}`)
  .join('\n')}
`;
  const good = `mechanism: netns\nmachine: { profile: deb510-40cpu }\nvariants: [before]`;
  const cases: [what: string, args: () => string[], line: RegExp][] = [
    ['an unknown verb', () => ['frobnicate'], /^unknown command 'frobnicate' \(kwb --help\)$/],
    ['an unknown option', () => ['run', '--frob'], /^unknown option '--frob' \(kwb run --help\)$/],
    [
      'a slip in an option',
      () => ['run', 'x', '--replication', '3'],
      /^unknown option .*Did you mean --replications\?/,
    ],
    ['a missing argument', () => ['run'], /^missing required argument 'scenario'/],
    ['one argument too many', () => ['run', 'a', 'b'], /^too many arguments/],
    ['an unknown scenario', () => ['run', 'netns-unshare-strom'], /expected a scenario file or .*netns-unshare-storm/],
    [
      'a file that is not there',
      () => ['run', join(folder, 'no.yaml')],
      /no\.yaml: expected a readable scenario file.*no such file$/,
    ],
    ['a folder', () => ['run', `${folder}/`], /expected a readable scenario file.*a folder$/],
    ['broken YAML', () => ['run', file('broken.yaml', 'a: [1,\nb: }')], /broken\.yaml:\d+:\d+: expected valid YAML/],
    [
      'YAML that contains itself',
      () => ['run', file('cycle.yaml', '&a [*a]')],
      /cycle\.yaml: expected a document, got one with a part that contains itself$/,
    ],
    [
      'YAML that nests without end',
      () => ['run', file('deep.yaml', '? '.repeat(100_000))],
      /deep\.yaml:1:129: expected at most 64 levels of nesting, got more$/,
    ],
    ['an empty file', () => ['run', file('empty.yaml', '')], /empty\.yaml: expected a mapping/],
    ['no text at all', () => ['run', file('binary.yaml', '\0\x01\x02')], /binary\.yaml/],
    [
      'an unknown key',
      () => ['run', file('key.yaml', scenario(`${good}\nmashine: 1`))],
      /key\.yaml:8: spec\.mashine: expected a known key.*did you mean machine\?/,
    ],
    [
      '0 CPUs',
      () => ['run', ...SMALL, '--set', 'machine.cpus=0'],
      /^--set machine\.cpus=0: spec\.machine\.cpus: expected an integer from 1 to 4096, got 0$/,
    ],
    [
      'a word for a number',
      () => ['run', ...SMALL, '--set', 'machine.cpus=forty'],
      /spec\.machine\.cpus: expected an integer from 1 to 4096, got "forty"$/,
    ],
    [
      'negative cycles',
      () => ['run', ...SMALL, '--set', 'workload.cycles=-1'],
      /spec\.workload\.cycles: expected .*got -1$/,
    ],
    [
      'more cycles than the memory can ever hold',
      () => ['run', 'netns-unshare-storm', '--set', 'workload.cycles=100000000'],
      /spec\.workload\.cycles: expected/,
    ],
    [
      'an unknown variant',
      () => ['run', 'netns-six-cpus', '--variants', 'before,v9'],
      /expected a variant of netns, .*got "v9"$/,
    ],
    ['an empty list of variants', () => ['run', ...SMALL, '--variants', ''], /--variants/],
    ['an assignment without a value', () => ['run', ...SMALL, '--set', 'machine.cpus'], /--set.*expected path=value/],
    ['a sweep outside the scenario', () => ['run', ...SMALL, '--sweep', 'metadata.name=a,b'], /sweep/],
    [
      'a seed that is no number',
      () => ['run', ...SMALL, '--seed', 'x'],
      /--seed.*expected an integer from 0 to 4294967295/,
    ],
    ['0 replications', () => ['run', ...SMALL, '--replications', '0'], /--replications.*expected an integer from 1/],
    ['0 workers', () => ['run', ...SMALL, '--workers', '0'], /--workers.*expected an integer from 1/],
    ['an unknown backend', () => ['run', ...SMALL, '--backend', 'fast'], /--backend.*sim, live/],
    [
      'an unknown thing to list',
      () => ['list', 'frogs'],
      /'frogs' is invalid.*scenarios, mechanisms, runs, experiments/,
    ],
    ['two modes of test', () => ['test', '--all', '--affected'], /--all and --affected contradict/],
    ['an address without a port', () => ['watch', 'x', '--coordinator', 'here'], /expected host:port/],
    ['a report of a folder without one', () => ['report', `${folder}/`], /expected a run directory/],
  ];
  test.each(cases)('%s', { concurrent: true }, async (_, args, line) => {
    const out = ['run'].includes(args()[0]!) ? ['--out', runs] : [];
    const { code, stdout, stderr } = await kwb([...args(), ...out]);
    expect({ code, stdout }).toEqual({ code: 104, stdout: '' });
    expect(stderr).toMatch(/^kwb: [^\n]+\n$/);
    expect(stderr.slice('kwb: '.length, -1)).toMatch(line);
    expect(existsSync(runs) ? readdirSync(runs) : []).toEqual([]);
  });
});

describe('a run', () => {
  const out = join(folder, 'good');

  test('with --json - prints the report and nothing else on stdout, and writes a run directory', async () => {
    const { code, stdout, stderr } = await kwb(['run', ...SMALL, '--json', '-', '--out', out]);
    expect([0, 99]).toContain(code);
    const report = JSON.parse(stdout) as ReportJson;
    expect(report.scenario).toBe('netns-unshare-storm');
    expect(report.verdict).toBe(code === 0 ? 'pass' : 'fail');
    expect(report.cells).toHaveLength(4);
    expect(stderr).toContain('4 of 4 cells');
    const [run] = readdirSync(out).filter((name) => !name.startsWith('.'));
    expect(JSON.parse(readFileSync(join(out, run!, 'report.json'), 'utf8'))).toEqual(report);
  });

  test('gives the same digests with one worker and with two, and a second directory', async () => {
    const digests = async (workers: string) => {
      const { stdout } = await kwb([
        'run',
        ...SMALL,
        '--json',
        '-',
        '--quiet',
        '--no-reuse',
        '--workers',
        workers,
        '--out',
        out,
      ]);
      return (JSON.parse(stdout) as ReportJson).cells.map(({ digest }) => digest);
    };
    const before = readdirSync(out).length;
    expect(await digests('1')).toEqual(await digests('2'));
    expect(readdirSync(out)).toHaveLength(before + 2);
  });

  test('prints its summary on stdout and its progress on stderr', async () => {
    const { stdout, stderr } = await kwb(['run', ...SMALL, '--out', out]);
    expect(stdout).toMatch(/^netns-unshare-storm/);
    expect(stdout).toContain('before');
    expect(stdout).not.toContain('\x1b');
    expect(stderr).toContain('of 4 cells');
  });

  test('says nothing on stderr with --quiet', async () => {
    expect((await kwb(['run', ...SMALL, '--quiet', '--out', out])).stderr).toBe('');
  });

  test('reads a scenario from stdin', async () => {
    const stdin = readFileSync(new URL('../../../scenarios/netns-unshare-storm.yaml', import.meta.url), 'utf8');
    const { stdout } = await kwb(['run', '-', ...SMALL.slice(1), '--json', '-', '--out', out], { stdin });
    expect((JSON.parse(stdout) as ReportJson).cells).toHaveLength(4);
  });

  test('with --dry-run runs nothing and writes nothing', async () => {
    const dry = join(folder, 'dry');
    const { code, stdout } = await kwb(['run', ...SMALL, '--dry-run', '--out', dry]);
    expect(code).toBe(0);
    expect(stdout).toContain('4 cells (2 variants x 2 replications)');
    expect(existsSync(dry)).toBe(false);
  });

  test('that misses a threshold ends with 99', async () => {
    const text = readFileSync(new URL('../../../scenarios/netns-unshare-storm.yaml', import.meta.url), 'utf8');
    const strict =
      text.replace(/^( *)thresholds:[^]*?(?=^\1\S|$(?![^]))/m, '') + '\n  thresholds: { loop_seconds: ["max<1ms"] }\n';
    const { code, stdout } = await kwb(['run', file('strict.yaml', strict), ...SMALL.slice(1), '--out', out]);
    expect(code).toBe(99);
    expect(stdout).toContain('FAIL');
  });

  test('against the live backend ends with 114 and the reason', async () => {
    const { code, stdout, stderr } = await kwb(['run', ...SMALL, '--backend', 'live', '--out', out]);
    expect({ code, stdout }).toEqual({ code: 114, stdout: '' });
    expect(stderr).toMatch(/^kwb: run: the live backend is not part of this version.*\n$/);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('that gets %s stops cleanly with 105', async (signal) => {
    const cancelled = join(folder, signal);
    const process = startKwb(['run', ...LONG, '--json', '-', '--out', cancelled]);
    await process.shown('1 of ');
    process.kill(signal);
    const { code, stdout, stderr } = await process.ended;
    expect({ code, stdout }).toEqual({ code: 105, stdout: '' });
    expect(stderr).toMatch(/kwb: run: cancelled after \d+ of 30 cells/);
  });
});

describe('the verbs around a run', () => {
  test('validate says how many cells each scenario has', async () => {
    const { code, stdout } = await kwb(['validate', 'netns-unshare-storm', 'netns-six-cpus']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^netns-unshare-storm: ok, \d+ cells .*\nnetns-six-cpus: ok, /);
  });

  test('every scenario of the catalogue is valid', async () => {
    const listed = JSON.parse((await kwb(['list', 'scenarios', '--json'])).stdout) as { name: string }[];
    expect(listed.map(({ name }) => name)).toContain('netns-unshare-storm');
    const { code, stderr } = await kwb(['validate', ...listed.map(({ name }) => name)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('list runs shows the runs of a folder, and report prints one again', async () => {
    const out = join(folder, 'listed');
    const first = await kwb(['run', ...SMALL, '--out', out, '--quiet']);
    const listed = JSON.parse((await kwb(['list', 'runs', '--json', '--out', out])).stdout) as { run: string }[];
    expect(listed).toHaveLength(1);
    const again = await kwb(['report', listed[0]!.run]);
    expect(again.code).toBe(first.code);
    expect(first.stdout.startsWith(again.stdout.trimEnd())).toBe(true);
  });

  test('list mechanisms knows netns', async () => {
    expect((await kwb(['list', 'mechanisms'])).stdout).toMatch(/^netns /m);
  });

  test('doctor names what is there and what is missing', async () => {
    const findings = JSON.parse((await kwb(['doctor', '--json'], { env: { PATH: '/nowhere' } })).stdout) as {
      what: string;
      status: string;
    }[];
    expect(findings).toContainEqual(expect.objectContaining({ what: 'Node.js', status: 'ok' }));
    expect(findings).toContainEqual(expect.objectContaining({ what: 'redis-server', status: 'missing' }));
  });

  test.each(['submit netns-unshare-storm', 'watch x', 'cancel x', 'list experiments', 'report x'])(
    'kwb %s without a coordinator ends with 114 and says how to get one',
    async (words) => {
      const { code, stdout, stderr } = await kwb([...words.split(' '), '--coordinator', '127.0.0.1:1']);
      expect({ code, stdout }).toEqual({ code: 114, stdout: '' });
      expect(stderr).toMatch(/^kwb: \w+: no coordinator at 127\.0\.0\.1:1 \(start one with kwb up/);
    },
  );
});
