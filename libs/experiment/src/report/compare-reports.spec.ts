import { describe, expect, it } from 'vitest';
import { ExitCode } from '../exit-codes.js';
import { madeUp, reportOf, simulated } from '../testing/results.js';
import { queueScenario } from '../testing/scenarios.js';
import { compareReports, comparisonExitCode, comparisonReportSchema } from './compare-reports.js';
import { renderComparison } from './render-comparison.js';
import type { Report } from './schema.js';

const OPTIONS = { effect: 0.05, baseName: 'base', headName: 'head' };
const compared = (base: Report, head: Report, effect = 0.05) => compareReports(base, head, { ...OPTIONS, effect });
const only = { variants: ['before'], replications: 5 };
const entryOf = (report: ReturnType<typeof compared>, metric: string) =>
  report.entries.find((entry) => entry.metric === metric)!;

/** A backlog that varies with the seed, times a factor. */
const backlog = (factor: number, seed = 1, replications = 5) =>
  reportOf(
    queueScenario({ ...only, replications, seed }),
    madeUp(({ cell }) => ({ backlog_bytes: (1e9 + (cell.seed % 1000) * 1e5) * factor })),
  );

describe('two runs compared', () => {
  it('of the same code are within noise, in those words', () => {
    const run = () => reportOf(queueScenario(only), simulated);
    const comparison = compared(run(), run());
    expect(comparison.verdict).toBe('within noise');
    expect(comparisonExitCode(comparison)).toBe(ExitCode.Passed);
    expect(renderComparison(comparison)).toMatch(/^WITHIN NOISE  3 of 3 comparisons are within noise/m);
    expect(comparisonReportSchema.parse(JSON.parse(JSON.stringify(comparison)))).toEqual(comparison);
  });

  it('of the same code with other seeds are within noise, as independent samples', () => {
    const of = (seed: number) => reportOf(queueScenario({ ...only, replications: 12, seed }), simulated);
    const comparison = compared(of(1), of(77));
    expect(comparison.verdict).toBe('within noise');
    expect(entryOf(comparison, 'wait_p99_seconds')).toMatchObject({ test: 'rank-sum', n: 12, corrected: true });
  });

  it('name the metric that is worse, and by how much', () => {
    const comparison = compared(backlog(1), backlog(1.2));
    expect(comparison.verdict).toBe('regression');
    expect(comparisonExitCode(comparison)).toBe(ExitCode.RegressionFound);
    const entry = entryOf(comparison, 'backlog_bytes');
    expect(entry).toMatchObject({ n: 5, test: 'signed-rank', verdict: 'worse', regression: true });
    expect(entry.relative).toBeCloseTo(0.2, 2);
    const text = renderComparison(comparison);
    expect(text).toMatch(
      /backlog_bytes +before +1(\.\d+)? GB +1\.\d+ GB +\+20 % +\d+ MB to \d+ MB +n=5 +worse: REGRESSION/,
    );
    expect(text).toMatch(/^REGRESSION  backlog_bytes of before is 20 % worse/m);
  });

  it('gate only the metrics that are asked for', () => {
    const options = { ...OPTIONS, metrics: ['wait_p99_seconds'] };
    const comparison = compareReports(backlog(1), backlog(1.2), options);
    expect(comparison.verdict).toBe('within noise');
    expect(entryOf(comparison, 'backlog_bytes')).toMatchObject({ verdict: 'worse', gated: false, regression: false });
    expect(renderComparison(comparison)).toContain('worse, not gated');
  });

  it('with a change below the stated effect are no regression', () => {
    const comparison = compared(backlog(1), backlog(1.2), 0.5);
    expect(comparison.verdict).toBe('within noise');
    expect(entryOf(comparison, 'backlog_bytes')).toMatchObject({ verdict: 'worse', beyondEffect: false });
    expect(renderComparison(comparison)).toContain('below the effect of 50 %');
  });

  it('that got better have changed', () => {
    const comparison = compared(backlog(1), backlog(0.5));
    expect([comparison.verdict, comparisonExitCode(comparison)]).toEqual(['changed', ExitCode.Passed]);
    expect(renderComparison(comparison)).toMatch(/^NO REGRESSION  2 of 3 comparisons are within noise, 1 better$/m);
  });

  it('see a regression from nothing', () => {
    const comparison = compared(backlog(0), backlog(1));
    expect(entryOf(comparison, 'backlog_bytes')).toMatchObject({ relative: null, regression: true });
  });

  it('with other seeds are judged as independent samples', () => {
    const comparison = compared(backlog(1, 1, 8), backlog(1.5, 999, 8));
    expect(entryOf(comparison, 'backlog_bytes')).toMatchObject({ test: 'rank-sum', delta: 1, regression: true });
  });

  it('of too few replications are no pass', () => {
    const comparison = compared(backlog(1, 1, 2), backlog(1, 1, 2));
    expect([comparison.verdict, comparisonExitCode(comparison)]).toEqual([
      'too few replications',
      ExitCode.BadScenario,
    ]);
    expect(renderComparison(comparison)).not.toMatch(/\d %/);
  });

  it('list the constants that differ, and what only one of them ran', () => {
    const base = reportOf(queueScenario(only), simulated);
    const machine = { profile: 'small', constants: { serviceNs: 7.2e6 } };
    const head = reportOf(queueScenario({ ...only, variants: ['before', 'fast'], machine }), simulated);
    const comparison = compared(base, head);
    expect(comparison.constants).toEqual([{ profile: 'small', name: 'serviceNs', base: 6e6, head: 7.2e6 }]);
    expect(comparison.unmatched).toEqual([{ variant: 'fast', point: {}, in: 'head' }]);
    const text = renderComparison(comparison);
    expect(text).toContain('serviceNs: 6000000 in base, 7200000 in head');
    expect(text).toContain('only in head: fast');
  });
});

describe('the correction for many comparisons', () => {
  // Twenty metrics' worth of comparisons from a sweep; one has a real difference, the others a coin's.
  const sweep = { 'machine.cpus': Array.from({ length: 20 }, (_, i) => i + 1) };
  const noisy = (replications: number) =>
    reportOf(
      queueScenario({ replications, sweep }),
      madeUp(({ variant, replication, point }) => {
        const coin = ((replication * 7 + Number(point['machine.cpus']) * 13) % 5) - 2;
        return { backlog_bytes: variant === 'fast' ? 1000 + (point['machine.cpus'] === 7 ? -50 : coin) : 1000 };
      }),
    ).comparisons.filter(({ metric }) => metric === 'backlog_bytes');

  it('keeps what is real and drops what chance makes', () => {
    const judged = noisy(20);
    expect(judged.every(({ corrected }) => corrected)).toBe(true);
    expect(judged.filter(({ verdict }) => verdict === 'better').map(({ point }) => point['machine.cpus'])).toEqual([7]);
  });

  it('is given up, and that is said, where few replications could never survive it', () => {
    expect(noisy(5).every(({ corrected }) => corrected === false)).toBe(true);
  });
});
