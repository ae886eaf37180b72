import { Histogram } from '@kworkbench/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CellResult } from '../cell.js';
import { madeUp, reportOf, simulated } from '../testing/results.js';
import { queueScenario } from '../testing/scenarios.js';
import { toCellsCsv, toSummaryCsv } from './csv.js';
import { EXPORT_FORMATS } from './exports.js';
import { collectMaterial, thinned } from './html/material.js';
import { escape } from './html/markup.js';
import { toHtml } from './html/page.js';
import { scaleOf } from './html/scale.js';
import { toPrometheus } from './prometheus.js';

const scenario = queueScenario({
  workload: { items: 500 },
  sweep: { 'machine.cpus': [4, 8] },
  thresholds: { backlog_bytes: ['max<1MB'] },
});
const results = new Map<string, CellResult>();
const report = reportOf(scenario, (planned) => {
  const result = simulated(planned) as CellResult;
  results.set(planned.id, result);
  return result;
});
const material = await collectMaterial(report, async ({ id }) => ({
  histograms: results.get(id)!.histograms,
  series: async () => [],
}));

describe('CSV', () => {
  it('has a row per variant, point and metric, and one per cell', () => {
    const summary = toSummaryCsv(report).trimEnd().split('\n');
    expect(summary[0]).toBe('variant,machine.cpus,metric,unit,median,low,high,min,max,n');
    expect(summary).toHaveLength(1 + 2 * 2 * 3);
    const cells = toCellsCsv(report).trimEnd().split('\n');
    expect(cells[0]).toMatch(/^id,variant,machine\.cpus,replication,seed,wait_p99_seconds,.*,digest$/);
    expect(cells).toHaveLength(1 + 12);
    expect(cells[1]!.split(',')).toHaveLength(cells[0]!.split(',').length);
  });

  it('quotes what would break a row', () => {
    const odd = { ...report, summary: [{ ...report.summary[0]!, variant: 'a,"b"\n', point: {} }] };
    expect(toSummaryCsv({ ...odd, cells: [] })).toContain('\n"a,""b""\n",wait_p99_seconds,');
  });
});

describe("Prometheus' text", () => {
  const text = toPrometheus(report, material);

  it('is a sample a line under HELP and TYPE, with bounded labels', () => {
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(
        /^(# (HELP|TYPE) kwb_sim_\w+ .+|kwb_sim_\w+\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\} -?\d[\d.e+-]*)$/,
      );
    }
    expect(text).toContain(
      'kwb_sim_items{scenario="queue-test",mechanism="queue",variant="before",machine_cpus="4",stat="median"} 500\n',
    );
    expect(text).toMatch(/kwb_sim_wait_distribution_seconds\{.*variant="fast",machine_cpus="8",quantile="0.99"\} \d/);
    expect(text).toMatch(/kwb_sim_wait_distribution_seconds_count\{.*\} 1500\n/);
  });

  it('names no family twice', () => {
    const names = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('HdrHistogram', () => {
  it('logs every group as a tagged interval', () => {
    const lines = EXPORT_FORMATS.hlog.render(report, material).trimEnd().split('\n');
    expect(lines[0]).toBe('#[Histogram log format version 1.3]');
    expect(lines.filter((line) => line.startsWith('Tag=')).map((line) => line.split(',')[0])).toEqual(
      ['before:machine.cpus=4', 'fast:machine.cpus=4', 'before:machine.cpus=8', 'fast:machine.cpus=8'].map(
        (group) => `Tag=${group}:wait_seconds`,
      ),
    );
  });

  it('lists the percentiles of every group', () => {
    const text = EXPORT_FORMATS.hgrm.render(report, material);
    expect(text.match(/^#\[Max {5}=.*Total count {4}= {9}1500\]$/gm)).toHaveLength(4);
  });
});

describe('the page', () => {
  it('names variants, figures, intervals and thresholds', () => {
    const page = toHtml(report, material);
    for (const text of ['Along machine.cpus', 'wait p99', 'less before', 'max&lt;1MB', 'Latency percentiles']) {
      expect(page).toContain(text);
    }
    expect(page).not.toMatch(/(src|href)="(?!#)/);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('has no markup that came from a name', () => {
    const evil = '<script>alert("x")</script>';
    const odd = { ...report, scenario: evil, title: evil, workload: `${evil}'` };
    const page = toHtml({
      ...odd,
      failures: [{ id: 'x', variant: evil, point: { [evil]: evil }, replication: 0, kind: 'model', message: evil }],
    });
    expect(page.match(/<script>/g)).toHaveLength(1);
    expect(escape(`<&"'>\u0000`)).toBe('&lt;&amp;&quot;&#39;&gt;?');
  });

  it('is made of a report alone, and of one with nothing but failures', () => {
    expect(toHtml(report)).toContain('Paired differences');
    const failed = reportOf(queueScenario(), ({ id }) => ({ cellId: id, kind: 'model', message: 'fell over' }));
    expect(toHtml(failed)).toContain('fell over');
    const same = reportOf(
      queueScenario({ replications: 1 }),
      madeUp(() => ({})),
    );
    expect(toHtml(same)).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('a thinned series', () => {
  it('keeps its ends and its extremes, in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 2, maxLength: 500 }),
        (values) => {
          const times = Float64Array.from(values, (_, i) => i);
          const { times: at, values: kept } = thinned(times, Float64Array.from(values), 40);
          expect(at.length).toBeLessThanOrEqual(Math.max(42, 40));
          expect([at[0], at.at(-1)]).toEqual([0, values.length - 1]);
          expect([Math.min(...kept), Math.max(...kept)]).toEqual([Math.min(...values), Math.max(...values)]);
          for (let i = 0; i < at.length; i++) expect(kept[i]).toBe(values[at[i]!]);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('an axis', () => {
  it.each([
    ['amounts from 0', [3, 97], { zero: true }, [0, 20, 40, 60, 80, 100]],
    ['one value', [5], {}, [2, 3, 4, 5, 6, 7, 8]],
    ['values that differ in their last bits', [5, 5 + 1e-15], {}, [2, 3, 4, 5, 6, 7, 8]],
    ['nothing', [], {}, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    ['decades', [1, 1e6], { log: true }, [1, 100, 10_000, 1e6]],
    ['less than two decades', [2, 40], { log: true }, [2, 5, 10, 20, 50]],
    ['the end of the values', [0, 613], { tight: true }, [0, 200, 400, 600]],
  ])('of %s has round ticks', (_, values, options, ticks) => {
    expect(scaleOf(values, [0, 100], options).ticks).toEqual(ticks);
  });

  it('puts every value between its ends', () => {
    const value = fc.double({ min: 1e-9, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 9 }), fc.boolean(), fc.boolean(), (values, log, tight) => {
        const { at, ticks } = scaleOf(values, [0, 100], { log, tight });
        for (const each of [...values, ...ticks]) {
          expect(at(each)).toBeGreaterThanOrEqual(-1e-6);
          expect(at(each)).toBeLessThanOrEqual(100 + 1e-6);
        }
        expect(ticks.length).toBeLessThanOrEqual(12);
      }),
      { numRuns: 100 },
    );
  });
});

it('merges histograms of replications', () => {
  const [group] = material;
  const [first] = group!.histograms;
  expect(Histogram.fromSnapshot(first!).total).toBe(3 * 500);
});
