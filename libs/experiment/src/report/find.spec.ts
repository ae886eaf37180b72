import { describe, expect, it } from 'vitest';
import { ExitCode } from '../exit-codes.js';
import { madeUp, reportOf } from '../testing/results.js';
import { queueScenario } from '../testing/scenarios.js';
import { exitCodeOf } from './build.js';
import { renderSummary } from './render.js';

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
