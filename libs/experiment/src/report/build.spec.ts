import { describe, expect, it } from 'vitest';
import { describeExitCode, ExitCode, exitCodes } from '../exit-codes.js';
import { madeUp, reportOf, simulated } from '../testing/results.js';
import { queueScenario } from '../testing/scenarios.js';
import type { CellFailureKind } from '../cell.js';
import { exitCodeOf } from './build.js';
import { collectProvenance } from './provenance.js';
import { renderSummary } from './render.js';
import { reportSchema } from './schema.js';

const THRESHOLD = { 'backlog_bytes{variant:fast}': ['max<1MB'] };
const ITEMS = { workload: { rate: 600, items: 2000 } };

describe('buildReport', () => {
  it('fits its schema, through JSON and back', () => {
    const report = reportOf(queueScenario({ ...ITEMS, thresholds: THRESHOLD }), simulated);
    expect(reportSchema.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
    expect(report.cells).toHaveLength(6);
    expect(report.summary).toHaveLength(2 * 3);
  });

  it('takes medians and intervals over replications', () => {
    const report = reportOf(
      queueScenario({ replications: 5, variants: ['before'] }),
      madeUp(({ replication }) => ({ backlog_bytes: [5, 1, 9, 3, 7][replication]! })),
    );
    const entry = report.summary.find(({ metric }) => metric === 'backlog_bytes')!;
    expect(entry).toMatchObject({ median: 5, min: 1, max: 9, n: 5 });
    expect(entry.low).toBeGreaterThanOrEqual(1);
    expect(entry.high).toBeLessThanOrEqual(9);
  });

  it('pairs variants by replication', () => {
    const report = reportOf(
      queueScenario({ replications: 5 }),
      madeUp(({ variant, replication }) => ({ backlog_bytes: 10 ** replication - (variant === 'fast' ? 1 : 0) })),
    );
    expect(report.comparisons.find(({ metric }) => metric === 'backlog_bytes')).toMatchObject({
      baseline: 'before',
      variant: 'fast',
      n: 5,
      difference: -1,
      low: -1,
      high: -1,
      verdict: 'better',
    });
    expect(report.comparisons.find(({ metric }) => metric === 'items_total')!.verdict).toBe('within noise');
  });

  it.each([
    ['worse', 'backlog_bytes', 1, 5],
    ['different', 'items_total', 1, 5],
    ['too few replications', 'backlog_bytes', 1, 2],
  ])('says %s', (verdict, metric, more, replications) => {
    const report = reportOf(
      queueScenario({ replications }),
      madeUp(({ variant, replication }) => ({ [metric]: replication + (variant === 'fast' ? more : 0) })),
    );
    expect(report.comparisons.find((entry) => entry.metric === metric)!.verdict).toBe(verdict);
  });

  it('reports equal cells under every label they have', () => {
    const report = reportOf(
      queueScenario({ variants: ['before', { id: 'before', as: 'again' }], replications: 3 }),
      simulated,
    );
    expect(report.cells.map(({ variant }) => variant)).toEqual([
      'before',
      'before',
      'before',
      'again',
      'again',
      'again',
    ]);
    expect(report.comparisons.every(({ difference }) => difference === 0)).toBe(true);
  });

  it('says with which constants the cells ran, and which of them were changed', () => {
    const machine = { profile: 'small', constants: { serviceNs: 5e6 } };
    const [profile] = reportOf(queueScenario({ machine }), simulated).profiles;
    expect(profile!.constants).toEqual([
      { name: 'serviceNs', value: 5e6, unit: 'ns', basis: 'override', source: 'scenario; the profile has 6000000' },
    ]);
  });

  it('collects where it was made', () => {
    const provenance = collectProvenance(new Date(0));
    expect(provenance).toMatchObject({ node: process.version, startedAt: '1970-01-01T00:00:00.000Z' });
    expect(provenance.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(provenance.host.cpus).toBeGreaterThan(0);
  });
});

describe('published figures', () => {
  const only = (spec: Record<string, unknown>, id = 'items') =>
    reportOf(queueScenario({ ...ITEMS, ...spec }), simulated).published.filter((entry) => entry.id === id);

  it('are compared where their conditions hold', () => {
    expect(only({})).toEqual([
      expect.objectContaining({
        measured: 2000,
        expected: 2000,
        error: 0,
        tolerance: 0.05,
        n: 3,
        ok: true,
        variant: 'before',
      }),
    ]);
  });

  it('fail a run outside their range', () => {
    const report = reportOf(queueScenario({ ...ITEMS, machine: { profile: 'small', cpus: 8 } }), simulated);
    expect(report.published.find(({ id }) => id === 'items-wrong')).toMatchObject({
      measured: 2000,
      error: -0.5,
      ok: false,
    });
    expect(report.verdict).toBe('fail');
    expect(exitCodeOf(report)).toBe(ExitCode.ThresholdFailed);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['another machine', { machine: { profile: 'small', cpus: 2 } }, 'needs machine.cpus 4, here 2'],
    ['another workload', { workload: { items: 10 } }, 'needs workload.items 2000, here 10'],
    [
      'another kernel than that of the variant',
      { kernel: { batch: 2 } },
      'needs kernel.batch 1 as in variant before, here 2',
    ],
    [
      'a changed constant',
      { machine: { profile: 'small', constants: { serviceNs: 7e6 } } },
      'machine.constants.serviceNs was changed',
    ],
    ['without their variant', { variants: ['fast'] }, 'variant before is not part of this scenario'],
  ])('neither pass nor fail on %s', (_, spec, reason) => {
    expect(only(spec)).toEqual([expect.objectContaining({ ok: null, measured: null, error: null, n: 0, reason })]);
    expect(reportOf(queueScenario({ ...ITEMS, ...spec, published: ['items'] }), simulated).verdict).toBe('pass');
  });

  it('are compared at every point of a sweep where they hold', () => {
    const entries = only({ sweep: { 'machine.cpus': [2, 4], 'workload.rate': [500, 600] } });
    expect(entries.map(({ point, ok }) => [point, ok])).toEqual([
      [{ 'machine.cpus': 4, 'workload.rate': 500 }, true],
      [{ 'machine.cpus': 4, 'workload.rate': 600 }, true],
    ]);
  });

  it('can be chosen, or left out', () => {
    expect(only({ published: [] })).toEqual([]);
    expect(only({ published: ['items-wrong'] })).toEqual([]);
  });
});

describe('verdict and exit code', () => {
  const scenario = queueScenario({ thresholds: THRESHOLD, published: [] });

  it.each([
    [0, 'pass', ExitCode.Passed],
    [2e6, 'fail', ExitCode.ThresholdFailed],
  ])('follow thresholds (backlog %d)', (backlog, verdict, code) => {
    const report = reportOf(
      scenario,
      madeUp(() => ({ backlog_bytes: backlog })),
    );
    expect(report.thresholds).toEqual([
      {
        metric: 'backlog_bytes',
        variant: 'fast',
        point: {},
        condition: 'max<1MB',
        value: backlog,
        n: 3,
        ok: verdict === 'pass',
      },
    ]);
    expect([report.verdict, exitCodeOf(report)]).toEqual([verdict, code]);
  });

  it.each<[CellFailureKind[], ExitCode]>([
    [['timeout'], ExitCode.TimedOut],
    [['cancelled'], ExitCode.Cancelled],
    [['timeout', 'model'], ExitCode.ModelFailed],
    [['timeout', 'memory'], ExitCode.ModelFailed],
    [['cancelled', 'model', 'invariant'], ExitCode.InvariantViolated],
  ])('name the gravest failure of %j', (kinds, code) => {
    const report = reportOf(scenario, (planned) => {
      const kind = kinds[planned.replication];
      return kind ? { cellId: planned.id, kind, message: 'because' } : simulated(planned);
    });
    expect([report.verdict, exitCodeOf(report)]).toEqual(['fail', code]);
    expect(report.failures).toHaveLength(2 * kinds.length);
    expect(report.cells).toHaveLength(6 - 2 * kinds.length);
  });

  it('are never a pass when cells were not run or nothing was measured', () => {
    const half = reportOf(scenario, (planned) => (planned.variant === 'before' ? simulated(planned) : undefined));
    expect([half.verdict, half.notRun, exitCodeOf(half)]).toEqual(['fail', 3, ExitCode.Cancelled]);
    expect(half.thresholds[0]).toMatchObject({ ok: false, value: null, n: 0 });
    expect(renderSummary(half)).toContain('3 cells were not run');
  });

  it('have a description for every code', () => {
    expect(exitCodes.map(({ code }) => code)).toEqual([0, 1, 99, 102, 104, 105, 107, 111, 112, 113, 114]);
    for (const { code, description } of exitCodes) expect(describeExitCode(code)).toBe(description);
  });
});
