import { describe, expect, it } from 'vitest';
import { ExitCode } from '../exit-codes.js';
import { madeUp, reportOf } from '../testing/results.js';
import { queueScenario } from '../testing/scenarios.js';
import { exitCodeOf } from './build.js';
import { toHtml } from './html/page.js';
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

  it('is the first thing that is said, and the steps of each search stand together, by value', () => {
    const report = reportOf(
      queueScenario({ find, variants: ['before', 'fast'], sweep: { 'machine.cpus': [4, 2] } }),
      madeUp(({ cell, variant, replication }) => ({
        backlog_bytes: Number(cell.workload.rate) >= (variant === 'fast' ? 1500 : 777) ? 2e6 : 1e3 * 100 ** replication,
      })),
    );
    const lines = renderSummary(report).split('\n');
    expect(lines[2]).toMatch(/^before machine\.cpus=2: backlog_bytes med>1MB from workload\.rate = 777 on/);
    const rows = lines.flatMap((line) => {
      const [, variant, cpus, rate] = /^(before|fast) +(\d) +([\d,]+) /.exec(line) ?? [];
      return rate === undefined ? [] : [{ search: `${variant} ${cpus}`, rate: Number(rate.replace(',', '')) }];
    });
    const searches = Map.groupBy(rows, ({ search }) => search);
    expect([...searches.keys()]).toEqual(['before 2', 'fast 2', 'before 4', 'fast 4']);
    expect(rows.map(({ search }) => search)).toEqual([...searches].flatMap(([name, steps]) => steps.map(() => name)));
    for (const steps of searches.values()) {
      expect(steps.map(({ rate }) => rate)).toEqual(steps.map(({ rate }) => rate).toSorted((a, b) => a - b));
    }
    // From 1 kB to 10 MB: that is no plus or minus of 100 kB.
    expect(lines.some((line) => line.includes('100 kB (up to 10 MB)'))).toBe(true);
  });

  it('has a chart of what was searched for, a line per search', () => {
    const report = reportOf(
      queueScenario({ find, variants: ['before', 'fast'], sweep: { 'machine.memory': ['2GiB', '4GiB'] } }),
      madeUp(({ cell }) => ({ backlog_bytes: Number(cell.workload.rate) * 1300 })),
    );
    const [section] = /<h2 id="sweep">[^]*?<\/section>/.exec(toHtml(report))!;
    expect(section).toContain('Along workload.rate');
    expect(section.match(/<figcaption>backlog/g)).toHaveLength(1);
    expect([...section.matchAll(/data-name="([^"]*)"/g)].map(([, name]) => name).toSorted()).toEqual(
      ['before', 'fast'].flatMap((name) => ['2GiB', '4GiB'].map((size) => `${name} machine.memory=${size}`)),
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
