// Runs that last: taken over, resumed, replayed and compared, by the CLI as a real process.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { mechanisms } from '@kworkbench/experiment';
import { ROOT } from './paths.js';
import { kwb, startKwb } from './testing/kwb.js';

const folder = mkdtempSync(join(tmpdir(), 'kwb-results-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Most of what an unshare takes on 40 CPUs. */
const CONSTANT = 'createPerCtlSockNs';
const SMALL = ['run', 'netns-unshare-storm', '--set', 'workload.cycles=300', '--replications', '3', '--quiet'];
const runsIn = (out: string) =>
  readdirSync(out)
    .filter((name) => !name.startsWith('.'))
    .toSorted()
    .map((name) => join(out, name));

interface ReportJson {
  readonly cells: readonly { readonly id: string; readonly digest: string }[];
  readonly provenance: { readonly reusedCells: number; readonly resumedFrom?: string; readonly code: string };
}

async function run(out: string, ...args: string[]): Promise<{ report: ReportJson; directory: string }> {
  const { stdout, stderr } = await kwb([...SMALL, '--json', '-', '--out', out, ...args]);
  expect(stderr).toBe('');
  return { report: JSON.parse(stdout) as ReportJson, directory: runsIn(out).at(-1)! };
}
const digests = ({ cells }: ReportJson) => cells.map(({ id, digest }) => [id, digest]);

test('a cell that was run is not run again unless that is asked for, and its files are there each time', async () => {
  const out = join(folder, 'reuse');
  const first = await run(out);
  const second = await run(out, '--replications', '4');
  const third = await run(out, '--no-reuse');
  expect([first, second, third].map(({ report }) => report.provenance.reusedCells)).toEqual([0, 6, 0]);
  expect(digests(second.report).filter(([id]) => first.report.cells.some((cell) => cell.id === id))).toEqual(
    digests(first.report),
  );
  expect(digests(third.report)).toEqual(digests(first.report));
  const files = (directory: string) =>
    readdirSync(join(directory, 'cells'), { recursive: true, encoding: 'utf8' }).toSorted();
  expect(files(second.directory)).toEqual(expect.arrayContaining(files(first.directory)));
});

describe('resume', () => {
  /** Starts a sweep and ends it with a signal when some cells have finished. */
  async function cutOff(out: string, signal: NodeJS.Signals) {
    const long = [
      'run',
      'netns-unshare-storm',
      '--replications',
      '5',
      '--workers',
      '1',
      '--set',
      'workload.cycles=2500',
    ];
    const process = startKwb([...long, '--out', out]);
    await process.shown('2 of 10');
    process.kill(signal);
    const { code, stderr } = await process.ended;
    return { code, stderr, directory: runsIn(out)[0]! };
  }

  test('after Ctrl-C runs the rest into a new directory, finished cells kept', async () => {
    const out = join(folder, 'ctrl-c');
    const { code, stderr, directory } = await cutOff(out, 'SIGINT');
    expect(code).toBe(105);
    const [, done] = /cancelled after (\d+) of 10 cells; kwb resume (\S+) runs the rest/.exec(stderr)!;
    rmSync(join(out, '.cells'), { recursive: true });
    const resumed = await kwb(['resume', directory, '--json', '-', '--out', out, '--quiet']);
    const { provenance, cells } = JSON.parse(resumed.stdout) as ReportJson;
    expect(provenance).toMatchObject({ reusedCells: Number(done), resumedFrom: directory });
    expect(cells).toHaveLength(10);
    expect(runsIn(out)).toHaveLength(2);
  });

  test('after kill -9 does the same, and the bytes are those of a run that was never cut off', async () => {
    const out = join(folder, 'kill');
    const { code, directory } = await cutOff(out, 'SIGKILL');
    expect(code).toBeNull();
    expect(existsSync(join(directory, 'report.json'))).toBe(false);
    const resumed = await kwb(['resume', directory, '--json', '-', '--out', out, '--quiet']);
    const report = JSON.parse(resumed.stdout) as ReportJson;
    expect(report.provenance.reusedCells).toBeGreaterThanOrEqual(2);
    const checked = await kwb(['replay', runsIn(out).at(-1)!, '--check', '--quiet']);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining('10 of 10 cells gave the same bytes') });
  });

  test('runs failed cells again, and those alone', async () => {
    const out = join(folder, 'failed');
    const idea = join(folder, 'idea.ts');
    const example = readFileSync(join(ROOT, 'libs/mechanisms/netns/src/examples/my-idea.ts'), 'utf8');
    expect(example).toContain('list = [];\n');
    writeFileSync(idea, example.replace('list = [];\n', 'list = (null as never)[0];\n'));
    const broken = await kwb([...SMALL, '--variant', idea, '--out', out]);
    expect(broken.code).toBe(107);
    expect(broken.stdout).toMatch(/^model +gather100ms, 3 replications: /m);
    const [directory] = runsIn(out);
    rmSync(join(out, '.cells'), { recursive: true });
    const again = await kwb(['resume', directory!, '--out', out]);
    expect(again.code).toBe(107);
    expect(again.stderr).toContain('kwb: 6 of 9 cells were run before and are taken over');
    expect(again.stderr).toMatch(/^9 of 9 cells, 3 failed \(before 3\/3, v4 3\/3, gather100ms 3\/3\)/m);
    expect(again.stdout).toMatch(/^FAIL .* 6 of 9 cells \(6 of them run before\)/m);
  });

  test('does not take over cells of other code, and says so', async () => {
    const out = join(folder, 'other-code');
    const { directory } = await run(out);
    const file = join(directory, 'provenance.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"code": "\w+"/, '"code": "0000000000000000"'));
    const { stdout, stderr } = await kwb(['resume', directory, '--json', '-', '--out', out, '--no-reuse']);
    expect(stderr).toContain('was run by other code than this');
    expect((JSON.parse(stdout) as ReportJson).provenance.reusedCells).toBe(0);
  });
});

describe('replay --check', () => {
  test('says which cell gave other bytes, and ends with 113', async () => {
    const out = join(folder, 'replay');
    const { directory } = await run(out);
    const cell = readdirSync(join(directory, 'cells')).find((name) => name.startsWith('v4-r1'))!;
    const outcome = join(directory, 'cells', cell, 'outcome.json');
    writeFileSync(outcome, readFileSync(outcome, 'utf8').replace(/"digest":"..../, '"digest":"0000'));
    const { code, stdout, stderr } = await kwb(['replay', directory, '--check', '--quiet']);
    expect(code).toBe(113);
    expect(stdout).toMatch(
      /^v4 replication 1 \([0-9a-f]{32}\): digest 0000[0-9a-f]{12} then, digest [0-9a-f]{16} now\n$/,
    );
    expect(stderr).toBe(`kwb: replay: ${directory}: 1 of 6 cells gave other bytes\n`);
  });

  test.each([
    ['a folder without a run', () => folder, /expected a run directory/],
    ['nothing', () => join(folder, 'none'), /expected a run directory/],
  ])('of %s ends with 104', async (_, path, line) => {
    const { code, stderr } = await kwb(['replay', path(), '--check']);
    expect(code).toBe(104);
    expect(stderr).toMatch(line);
  });
});

describe('compare', () => {
  const out = join(folder, 'compare');
  const five = ['--replications', '5'];

  test('of two runs of the same code says "within noise"', async () => {
    const base = await run(out, ...five);
    const head = await run(out, ...five, '--no-reuse');
    const { code, stdout } = await kwb(['compare', base.directory, head.directory]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^WITHIN NOISE  14 of 14 comparisons are within noise$/m);
  });

  test('of a run with one constant worsened by 20 % names the metric and ends with 111', async () => {
    const base = await run(out, ...five);
    const [profile] = mechanisms.get('netns')!.profiles;
    const { value } = profile!.constants.find(({ name }) => name === CONSTANT)!;
    const head = await run(out, ...five, '--set', `machine.constants.${CONSTANT}=${value * 1.2}`);
    const { code, stdout } = await kwb(['compare', base.directory, head.directory]);
    expect(code).toBe(111);
    expect(stdout).toContain(`${CONSTANT}: ${value} in base, ${value * 1.2} in head`);
    expect(stdout).toMatch(/loop_seconds +before .* n=5 +worse: REGRESSION/);
    expect(stdout).toMatch(/^REGRESSION  \w+ of \w+ is [\d.]+ % worse, and \d+ more/m);
    const tolerant = await kwb(['compare', base.directory, head.directory, '--effect', '90%']);
    expect(tolerant.code).toBe(0);
  });

  test('with a baseline that was promoted', async () => {
    const baselines = ['--baselines', join(folder, 'baselines')];
    const { directory } = await run(out, ...five);
    const missing = await kwb(['compare', directory, ...baselines]);
    expect(missing).toMatchObject({ code: 104, stderr: expect.stringContaining('no baseline of netns-unshare-storm') });
    const promoted = await kwb(['baseline', 'promote', directory, '--force', ...baselines]);
    expect(promoted).toMatchObject({ code: 0, stdout: `${join(folder, 'baselines/netns-unshare-storm.json')}\n` });
    expect((await kwb(['compare', directory, ...baselines])).code).toBe(0);
    expect((await kwb(['baseline', 'list', ...baselines])).stdout).toMatch(/netns-unshare-storm +model \d+ +n=5/);
  });

  test('does not promote a run of two replications, nor judge one', async () => {
    const { directory } = await run(out, '--replications', '2');
    const promoted = await kwb(['baseline', 'promote', directory, '--baselines', join(folder, 'never')]);
    expect(promoted.code).toBe(104);
    expect(existsSync(join(folder, 'never'))).toBe(false);
    const judged = await kwb(['compare', directory, directory]);
    expect(judged.code).toBe(104);
    expect(judged.stdout).toContain('at least three replications');
  });

  test.each([
    ['an effect that is none', ['a', 'b', '--effect', 'much'], /--effect.*expected a percentage/],
    ['three runs', ['a', 'b', 'c'], /expected base and head, got 3 runs/],
    ['a run that is not there', ['nowhere', 'nothing'], /nothing: expected a run directory or a report\.json/],
  ])('with %s ends with 104', async (_, args, line) => {
    const { code, stderr } = await kwb(['compare', ...args]);
    expect(code).toBe(104);
    expect(stderr).toMatch(line);
  });
});
