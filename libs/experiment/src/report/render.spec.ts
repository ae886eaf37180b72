import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { madeUp, reportOf, simulated } from '../testing/results.js';
import { queueScenario } from '../testing/scenarios.js';
import { toHtml } from './html/page.js';
import { renderSummary } from './render.js';

const THRESHOLD = { 'backlog_bytes{variant:fast}': ['max<1MB'] };
const ITEMS = { workload: { rate: 600, items: 2000 } };

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
    expect(renderSummary(report, { width: 30 })).toContain('too wide for 30 columns: items\n');
    expect(renderSummary(report)).not.toContain('too wide');
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

  it('says in one line what failed alike', () => {
    const timedOut = reportOf(queueScenario({ ...ITEMS, replications: 4 }), ({ id, variant, replication }) =>
      variant === 'fast' && replication === 2
        ? { cellId: id, kind: 'model', message: 'fell over' }
        : { cellId: id, kind: 'timeout', message: 'not ended after 10 s' },
    );
    const lines = renderSummary(timedOut).split('\n');
    expect(lines.filter((line) => /^(timeout|model) /.test(line))).toEqual([
      'timeout  before, fast: 7 cells: not ended after 10 s',
      'model  fast, replication 2: fell over',
    ]);
    // Nothing was measured, and nothing has an error.
    expect(renderSummary(timedOut)).toMatch(/^before: items +2,000 +nothing +1,900 to 2,100 +input +FAILED$/m);
  });

  it('says how many of its cells have ended', () => {
    const cut = reportOf(queueScenario({ ...ITEMS, replications: 4 }), ({ replication, ...cell }) =>
      replication < 3
        ? simulated({ replication, ...cell })
        : { cellId: cell.id, kind: 'cancelled', message: 'cut off' },
    );
    expect(renderSummary(cut)).toMatch(/^FAIL .* · 6 of 8 cells, /m);
    expect(toHtml(cut)).toMatch(/6 of 8 cells · 2 cancelled · /);
  });

  it('says how many cells it did not have to run', () => {
    const again = { ...report, provenance: { ...report.provenance, reusedCells: 4 } };
    expect(renderSummary(again)).toContain(' · 6 cells (4 of them run before), 600 s of machine time in 4.1 s');
  });
});
