import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeExitCode, ExitCode, exitCodes } from '../exit-codes.js';
import { madeUp, reportOf, simulated } from '../testing/results.js';
import { queueScenario } from '../testing/scenarios.js';
import type { CellFailureKind } from '../cell.js';
import { exitCodeOf } from './build.js';
import { formatPercent, formatQuantity, metricLabel } from './format.js';
import { toJUnit } from './junit.js';
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

describe('find in the report', () => {
  it('says which value cannot run; that is a bad scenario, with the report of what has run', () => {
    const outside = { parameter: 'workload.items', from: 1, to: 64, precision: 1, metric: 'backlog_bytes' };
    const report = reportOf(
      queueScenario({ find: { ...outside, condition: 'med>1MB' }, variants: ['before'] }),
      madeUp(({ cell }) => ({ backlog_bytes: Number(cell.workload.items) * 1e5 })),
    );
    expect(report.find).toMatchObject([
      { outcome: 'no answer', reason: 'workload.items = 23 cannot run: expected at most 20 or at least 40, got 23' },
    ]);
    expect(report.find[0]!.tried.map(({ value }) => value)).toEqual([1, 8, 64]);
    expect([report.verdict, exitCodeOf(report)]).toEqual(['fail', ExitCode.BadScenario]);
    expect(renderSummary(report)).toContain('no answer (workload.items = 23 cannot run');
  });

  const find = {
    parameter: 'workload.rate',
    from: 100,
    to: 2000,
    precision: 1,
    metric: 'backlog_bytes',
    condition: 'med>1MB',
  };

  it('gives the value with its bracket and everything that was tried', () => {
    const report = reportOf(
      queueScenario({ find, variants: ['before'] }),
      madeUp(({ cell }) => ({ backlog_bytes: Number(cell.workload.rate) >= 777 ? 2e6 : 1e3 })),
    );
    const [entry] = report.find;
    expect(entry).toMatchObject({ outcome: 'found', value: 777, low: 776, high: 777, variant: 'before' });
    expect(entry!.tried.map(({ value }) => value)).toEqual(
      entry!.tried.map(({ value }) => value).toSorted((a, b) => a - b),
    );
    expect(entry!.tried.every(({ value, holds, n }) => holds === value >= 777 && n === 3)).toBe(true);
    expect(renderSummary(report)).toContain(
      'before: backlog_bytes med>1MB from workload.rate = 777 on, not yet at 776',
    );
  });

  it.each([
    [0, 'never holds', 'holds nowhere up to workload.rate = 2,000'],
    [2e6, 'holds at from', 'holds already at workload.rate = 100'],
  ])('says when there is none (%d)', (backlog, outcome, text) => {
    const report = reportOf(
      queueScenario({ find, variants: ['before'] }),
      madeUp(() => ({ backlog_bytes: backlog })),
    );
    expect(report.find[0]!.outcome).toBe(outcome);
    expect(renderSummary(report)).toContain(text);
  });
});

describe('renderSummary', () => {
  const report = reportOf(
    queueScenario({ ...ITEMS, thresholds: THRESHOLD }),
    madeUp(({ variant, replication }) =>
      variant === 'fast'
        ? { backlog_bytes: 0.31e9 + replication, wait_p99_seconds: 0.2 }
        : { backlog_bytes: 14.1e9 + replication, wait_p99_seconds: 61 },
    ),
  );

  it('shows head, variants, differences, figures, thresholds and verdict', () => {
    expect(renderSummary(report).split('\n').slice(0, 6)).toEqual([
      'queue-test   2,000 items · 4 CPUs · 8 GiB · seed 1 · 3 replications',
      '',
      'variant   wait p99   backlog   items',
      'before    61 s       14.1 GB   2,000',
      'fast      200 ms     310 MB    2,000',
      '',
    ]);
    const text = renderSummary(report);
    expect(text).toMatch(/fast - before: backlog +-13\.8 GB +-98 % +-13\.8 GB to -13\.8 GB +n=3 +better/);
    expect(text).toMatch(/fast - before: items +0 +0 % +0 to 0 +n=3 +within noise/);
    expect(text).toMatch(/before: items +2,000 +2,000 +0 % +1,900 to 2,100 +input +ok/);
    expect(text).toContain('1 published figure does not apply here; the report says why.');
    expect(text).toMatch(/backlog_bytes fast +max<1MB +310 MB +n=3 +FAILED/);
    expect(text.trimEnd().split('\n').at(-1)).toBe(
      'FAIL  1 of 1 published figure, 0 of 1 threshold · 6 cells, 600 s of machine time in 4.1 s',
    );
  });

  it('names what was swept instead of the values of the first cell', () => {
    const sweep = { 'machine.memory': ['2GiB', '4GiB'], 'workload.rate': [100, 200] };
    const [head] = renderSummary(reportOf(queueScenario({ ...ITEMS, sweep, replications: 1 }), simulated)).split('\n');
    expect(head).toBe(
      'queue-test   2,000 items · 4 CPUs · seed 1 · 1 replication · machine.memory 2GiB, 4GiB · workload.rate 100, 200',
    );
  });

  it('differs in colour alone', () => {
    const coloured = renderSummary(report, { color: true });
    expect(coloured).not.toBe(renderSummary(report));
    expect(stripVTControlCharacters(coloured)).toBe(renderSummary(report));
  });

  it('leaves columns out where the terminal is narrow', () => {
    const line = renderSummary(report, { width: 30 }).split('\n')[2];
    expect(line).toBe('variant   wait p99   backlog');
  });

  it('puts percentiles of one metric into one column', () => {
    const latencies = { ...report, headline: ['a_p50_seconds', 'a_p99_seconds'] };
    latencies.metrics = latencies.headline.map((name) => ({
      name,
      unit: 'seconds',
      help: '',
      better: 'lower' as const,
    }));
    latencies.summary = latencies.headline.map((metric, i) => ({
      ...report.summary[0]!,
      metric,
      median: 0.0024 + i,
      low: null,
      high: null,
    }));
    latencies.comparisons = [];
    expect(renderSummary(latencies)).toContain('variant   a p50 / p99\nbefore    2.4 ms / 1 s\n');
  });
});

describe('formats', () => {
  it.each([
    [14.1e9, 'bytes', '14.1 GB'],
    [118.4e6, 'bytes_per_second', '118 MB/s'],
    [0, 'bytes_per_second', '0'],
    [0.0024, 'seconds', '2.4 ms'],
    [1165, 'seconds', '1,165 s'],
    [0.0000123, 'seconds', '12.3 µs'],
    [50_000, 'total', '50,000'],
    [2.5, 'count', '2.5'],
    [0.123, 'ratio', '0.12'],
    [-13.8e9, 'bytes', '-13.8 GB'],
  ])('%d %s is %s', (value, unit, text) => {
    expect(formatQuantity(value, unit)).toBe(text);
  });

  it('name metrics without their unit', () => {
    expect(metricLabel('mem_available_dip_bytes', 'bytes')).toBe('mem available dip');
    expect(metricLabel('mem_slope_bytes_per_second', 'bytes_per_second')).toBe('mem slope');
    expect(metricLabel('kworkers_max', 'count')).toBe('kworkers max');
    expect([formatPercent(-0.06), formatPercent(0.123), formatPercent(0), formatPercent(-3e-7)]).toEqual([
      '-6 %',
      '+12 %',
      '0 %',
      '-<0.01 %',
    ]);
  });
});

describe('toJUnit', () => {
  it('has a case per cell, threshold and figure, with failures and skips', () => {
    const scenario = queueScenario({ ...ITEMS, thresholds: THRESHOLD, variants: ['before', 'fast'] });
    const xml = toJUnit(
      reportOf(scenario, (planned) =>
        planned.replication === 2
          ? { cellId: planned.id, kind: 'model', message: 'a < b & "c"\n\u0007' }
          : madeUp(() => ({ backlog_bytes: 2e6 }))(planned),
      ),
    );
    expect(xml).toContain('<testsuite name="queue-test" tests="9" failures="3" errors="0" skipped="1" time="4.100">');
    expect(xml).toContain('<failure message="model: a &lt; b &amp; &quot;c&quot; ?"/>');
    expect(xml).toContain('<skipped message="needs machine.cpus 8, here 4"/>');
    expect(xml).toContain('<failure message="got 2,000,000 (n=2)"/>');
  });
});
