import { describe, expect, it } from 'vitest';
import {
  csvChunks,
  Histogram,
  MemorySink,
  ROWS_PER_FRAME,
  TableRecorder,
  tee,
  TelemetryDigest,
  toCsv,
} from './index.js';
import { toHdrLog, toPercentileText } from './exporters.js';
import type { CellOutcome, TableSpec } from './types.js';

const TABLES: readonly TableSpec[] = ['memory', 'rcu'].map((name) => ({
  name,
  help: `${name} over time`,
  columns: [
    { name: 'time_seconds', unit: 'seconds', help: 'Virtual time.' },
    { name: `${name}_bytes`, unit: 'bytes', help: 'A value.' },
  ],
}));

function outcome(dip = 3): CellOutcome {
  const histogram = new Histogram({ name: 'wait_seconds', unit: 'seconds', help: 'A wait.', scale: 1e-9 });
  for (let i = 1; i <= 1000; i++) histogram.record(i * 1000);
  return { metrics: { b_bytes: dip, a_total: 2 }, histograms: [histogram.snapshot()], virtualSeconds: 1, events: 9 };
}

function record(rows: number, valueAt: (row: number) => number = (row) => row) {
  const memory = new MemorySink();
  const digest = new TelemetryDigest();
  const recorder = new TableRecorder(tee(digest, memory), TABLES);
  for (let row = 0; row < rows; row++) {
    recorder.row(row % 2, [row / 10, valueAt(row)]);
  }
  recorder.end();
  return { memory, digest };
}

describe('TableRecorder', () => {
  it('emits full frames as it goes and the rest at the end, numbered over all tables', () => {
    const { memory } = record(2 * ROWS_PER_FRAME + 100);
    expect(memory.frames.map((frame) => [frame.sequence, frame.table, frame.rows])).toEqual([
      [0, 0, ROWS_PER_FRAME],
      [1, 1, ROWS_PER_FRAME],
      [2, 0, 50],
      [3, 1, 50],
    ]);
    expect(memory.column('rcu', 'rcu_bytes')).toHaveLength(ROWS_PER_FRAME + 50);
    expect(memory.column('rcu', 'rcu_bytes').at(-1)).toBe(2 * ROWS_PER_FRAME + 99);
  });

  it.each([
    ['a value that is not finite', [1, NaN], /memory_bytes is NaN/],
    ['time that is not finite', [Infinity, 1], /time_seconds is Infinity/],
    ['time that goes back', [0.5, 1], /goes back from 1 to 0.5/],
    ['a row of the wrong length', [1], /expected 2 values, got 1/],
  ])('refuses %s', (_, row, message) => {
    const recorder = new TableRecorder(new MemorySink(), TABLES);
    recorder.row(0, [1, 1]);
    expect(() => recorder.row(0, row)).toThrow(message);
  });

  it('refuses a table without time', () => {
    expect(() => new TableRecorder(new MemorySink(), [{ ...TABLES[0]!, columns: [] }])).toThrow(/time_seconds/);
  });
});

describe('TelemetryDigest', () => {
  it('is the same for the same telemetry and follows every part of it', () => {
    const base = record(1500).digest.outcome(outcome());
    expect(base).toMatch(/^[0-9a-f]{64}$/);
    expect(record(1500).digest.outcome(outcome())).toBe(base);
    expect(record(1501).digest.outcome(outcome())).not.toBe(base);
    expect(record(1500, (row) => (row === 700 ? 0 : row)).digest.outcome(outcome())).not.toBe(base);
    expect(record(1500).digest.outcome(outcome(4))).not.toBe(base);
    expect(record(1500).digest.outcome({ ...outcome(), events: 10 })).not.toBe(base);
    expect(record(1500).digest.outcome({ ...outcome(), histograms: [] })).not.toBe(base);
  });

  it('does not depend on the order in which metrics were set', () => {
    const swapped = { ...outcome(), metrics: { a_total: 2, b_bytes: 3 } };
    expect(record(3).digest.outcome(swapped)).toBe(record(3).digest.outcome(outcome()));
  });

  it('keeps the digest of a small stream for ever', () => {
    // A changed byte form would make every stored digest useless: this value may only change with the report version.
    expect(record(3).digest.outcome({ metrics: { a_total: 2 }, histograms: [], virtualSeconds: 1, events: 9 })).toBe(
      '97dd0bd80497252fa17ae1b4979ecdb2425487a5996d82e803966ca2d51ce6af',
    );
  });

  it('refuses a gap, a frame before the header, a wrong shape and a metric that is not finite', () => {
    const { memory } = record(3);
    const [first, second] = memory.frames;
    const digest = new TelemetryDigest();
    expect(() => digest.frame(first!)).toThrow(/before the header/);
    digest.header({ tables: TABLES });
    expect(() => digest.frame(second!)).toThrow('expected frame 0, got 1');
    expect(() => digest.frame({ ...first!, rows: 7 })).toThrow(/columns of 7 rows/);
    expect(() => digest.frame({ ...first!, table: 7 })).toThrow(/unknown table 7/);
    expect(() => digest.outcome({ ...outcome(), metrics: { x_total: NaN } })).toThrow(/x_total is NaN/);
  });
});

describe('exporters', () => {
  it('write a percentile distribution in the unit of the histogram', () => {
    const text = toPercentileText(outcome().histograms[0]!);
    expect(text).toContain('Percentile');
    const median = text.split('\n').find((line) => line.includes(' 0.500000000000 '))!;
    expect(Math.abs(Number(median.trim().split(/\s+/)[0]) - 500)).toBeLessThan(500 * 0.009); // microseconds
    expect(text).toMatch(/Total count\s+=\s+1000\]/);
  });

  it('write a log line per histogram that other HdrHistogram tools can decode', async () => {
    const log = toHdrLog(outcome().histograms, 120);
    const { HistogramLogReader } = await import('hdr-histogram-js');
    const histogram = new HistogramLogReader(log).nextIntervalHistogram()!;
    expect('totalCount' in histogram && histogram.totalCount).toBe(1000);
    expect(histogram.tag).toBe('wait_seconds');
  });

  it('write a table as CSV', () => {
    const { memory } = record(3);
    expect(toCsv(TABLES[0]!, 0, memory.frames)).toBe('time_seconds,memory_bytes\n0,0\n0.2,2\n');
    expect([...csvChunks(TABLES[1]!, 1, memory.frames)]).toHaveLength(2);
  });
});
