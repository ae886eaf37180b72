// Thresholds on points, differences and ratios; early abort with grace; the time that an experiment may take.
import { afterAll, describe, expect, it } from 'vitest';
import { ExitCode } from './exit-codes.js';
import { buildReport, exitCodeOf } from './report/build.js';
import { toJUnit } from './report/junit.js';
import { renderSummary } from './report/render.js';
import { runExperiment } from './run.js';
import { madeUp, played, PROVENANCE, reportOf } from './testing/results.js';
import { queueScenario } from './testing/scenarios.js';
import { parseThresholdKey } from './thresholds.js';
import { brokenThreshold } from './early-abort.js';
import { CellPool } from './worker/cell-pool.js';

const MECHANISM = new URL('../dist/testing/queue-mechanism.js', import.meta.url).href;
const pool = new CellPool({ workers: 1, mechanismModules: [MECHANISM] });
afterAll(() => pool.close());

const SWEEP = { 'machine.cpus': [2, 4], 'machine.memory': ['2GiB', '4GiB'] };
const values = madeUp(({ variant, replication, point }) => ({
  backlog_bytes: (variant === 'fast' ? 100 : 1000) + replication + Number(point['machine.cpus'] ?? 0),
}));
const judged = (key: string, condition: string, spec: Record<string, unknown> = { sweep: SWEEP }) =>
  reportOf(queueScenario({ ...spec, thresholds: { [key]: [condition] } }), values).thresholds;

describe('a threshold key', () => {
  it('names variant, other variant and points', () => {
    expect(parseThresholdKey('a_bytes{variant:v4, minus:before, machine.cpus:40}')).toEqual({
      metric: 'a_bytes',
      variant: 'v4',
      versus: { kind: 'minus', variant: 'before' },
      at: { 'machine.cpus': '40' },
    });
  });

  it.each([
    'a{}',
    'a{variant:}',
    'a{variant:x,variant:y}',
    'a{minus:x,over:y}',
    'a{seed:1}',
    'a{machine.cpus}',
    'a{b:1',
  ])('%s is refused', (text) => expect(parseThresholdKey(text)).toBeUndefined());

  it('holds at the points that it names', () => {
    const at = judged('backlog_bytes{variant:fast,machine.cpus:4,machine.memory:2GiB}', 'max<1kB');
    expect(at).toMatchObject([{ variant: 'fast', point: { 'machine.cpus': 4, 'machine.memory': '2GiB' }, ok: true }]);
    expect(judged('backlog_bytes{machine.cpus:4}', 'max<1kB')).toHaveLength(4);
  });

  it('can be about a difference or a ratio, taken pair by pair', () => {
    expect(judged('backlog_bytes{variant:fast,minus:before}', 'max<-800B', {})).toMatchObject([
      { variant: 'fast', versus: { kind: 'minus', variant: 'before' }, value: -900, n: 3, ok: true },
    ]);
    const [ratio] = judged('backlog_bytes{over:before}', 'med<0.05', {});
    expect(ratio).toMatchObject({ variant: 'fast', n: 3, ok: false });
    expect(ratio!.value).toBeCloseTo(101 / 1001, 12);
  });

  it('shows a ratio without a unit, and never passes on a ratio to nothing', () => {
    const scenario = queueScenario({ thresholds: { 'backlog_bytes{variant:fast,over:before}': ['med<1'] } });
    const report = reportOf(scenario, values);
    expect(renderSummary(report)).toMatch(/backlog_bytes fast \/ before +med<1 +0\.1009 +n=3 +ok/);
    expect(toJUnit(report)).toContain('fast / before: backlog_bytes med&lt;1');
    const toNothing = reportOf(
      scenario,
      madeUp(() => ({ backlog_bytes: 0 })),
    );
    expect(toNothing.thresholds).toMatchObject([{ value: null, ok: false }]);
  });

  it.each([
    ['a path that is not swept', 'backlog_bytes{workload.rate:5}', 'expected a path of the sweep'],
    ['a value that is not swept', 'backlog_bytes{machine.cpus:5}', 'expected a value of machine.cpus that is swept'],
    ['an unknown other variant', 'backlog_bytes{over:v9}', 'expected a variant of this scenario'],
  ])('with %s is refused', (_, key, line) => {
    expect(() => judged(key, 'max<1')).toThrow(line);
  });
});

describe('early abort', () => {
  const thresholds = (grace?: number) => ({
    backlog_bytes: [{ threshold: 'max<1B', abortOnFail: true, ...(grace && { grace }) }],
  });

  it('waits for its grace, then ends the experiment with what is known', async () => {
    const scenario = queueScenario({ replications: 9, workload: { items: 20 }, thresholds: thresholds(2) });
    const { planned, results } = await runExperiment(scenario, { pool });
    expect(planned).toHaveLength(18);
    // The first replication of both variants, then the second of the one that fails.
    expect(results.size).toBe(3);
    const report = buildReport({ scenario, planned, results, wallSeconds: 1, provenance: PROVENANCE });
    expect(report.aborted).toMatch(/^backlog_bytes of before: max<1B failed with \d.* \(n=2\)$/);
    expect(report.failures).toEqual([]);
    expect(report.notRun).toBe(15);
    expect(exitCodeOf(report)).toBe(ExitCode.ThresholdFailed);
    expect(renderSummary(report)).toContain('ended early  backlog_bytes of before');
  });

  it('has a grace of three replications, or of all where there are fewer', () => {
    const broken = (replications: number, run: number) => {
      const scenario = queueScenario({ variants: ['before'], replications, thresholds: thresholds() });
      const { results } = played(scenario, (cell) => (cell.replication < run ? values(cell) : undefined));
      return brokenThreshold(scenario, results) !== undefined;
    };
    expect([broken(9, 2), broken(9, 3), broken(2, 1), broken(2, 2)]).toEqual([false, true, false, true]);
  });

  it('does not happen when a threshold fails that did not ask for it', async () => {
    const scenario = queueScenario({ workload: { items: 20 }, thresholds: { backlog_bytes: ['max<1B'] } });
    expect((await runExperiment(scenario, { pool })).results.size).toBe(6);
  });
});

describe('the time of a whole experiment', () => {
  it('ends it as timed out, what ran and what waited', async () => {
    const scenario = queueScenario({ variants: ['before'], workload: { fault: 'hang' }, maxDuration: '100ms' });
    const { planned, results } = await runExperiment(scenario, { pool });
    const report = buildReport({ scenario, planned, results, wallSeconds: 1, provenance: PROVENANCE });
    expect(report.failures.map(({ kind, message }) => `${kind}: ${message}`)).toEqual(
      Array.from({ length: 3 }, () => 'timeout: the experiment had not ended after 0.1 s'),
    );
    expect(exitCodeOf(report)).toBe(ExitCode.TimedOut);
  });

  it('that is long enough changes nothing', async () => {
    const scenario = queueScenario({ variants: ['before'], workload: { items: 20 }, maxDuration: '744h' });
    expect((await runExperiment(scenario, { pool })).results.size).toBe(3);
  });
});
