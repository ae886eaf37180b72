import type { Frame, TelemetryHeader } from '@kworkbench/telemetry';
import { describe, expect, it } from 'vitest';
import { KeptTelemetry } from './kept-telemetry.js';
import { HEADER } from './store/testing/fixtures.js';

const header: TelemetryHeader = HEADER;

/** `count` frames of the first table; the sample with the number `spike` stands out, as does the next one, below. */
function framesOf(count: number, rows: number, spike = -1): Frame[] {
  return Array.from({ length: count }, (_, sequence) => {
    const numbers = Array.from({ length: rows }, (_, row) => sequence * rows + row);
    const values = numbers.map((n) => (n === spike ? 1e6 : n === spike + 1 ? -1e6 : Math.sin(n)));
    return { sequence, table: 0, rows, columns: [Float64Array.from(numbers), Float64Array.from(values)] };
  });
}

describe('kept telemetry', () => {
  it('is what arrived, frame by frame, as long as it fits', () => {
    const kept = new KeptTelemetry(header, 10_000);
    const frames = framesOf(5, 100);
    for (const frame of frames) kept.add(frame);
    expect(kept.bytes).toBe(5 * 100 * 2 * 8);
    expect(kept.take()).toEqual({ frames });
    expect(kept.bytes).toBe(0);
  });

  it('stays within its bound whatever arrives, with the extremes and both ends', () => {
    const kept = new KeptTelemetry(header, 100_000);
    const [count, rows] = [400, 500];
    let most = 0;
    for (const frame of framesOf(count, rows, 77_777)) {
      kept.add(frame);
      most = Math.max(most, kept.bytes);
    }
    expect(most).toBeLessThanOrEqual(100_000);
    const { frames, arrivedRows } = kept.take();
    expect(arrivedRows).toEqual([count * rows, 0]);
    expect(frames.map(({ sequence }) => sequence)).toEqual(frames.map((_, index) => index));
    const time = frames.flatMap(({ columns }) => [...columns[0]!]);
    const values = frames.flatMap(({ columns }) => [...columns[1]!]);
    expect(time).toEqual(time.toSorted((a, b) => a - b));
    expect([time[0], time.at(-1)]).toEqual([0, count * rows - 1]);
    expect([values[time.indexOf(77_777)], values[time.indexOf(77_778)]]).toEqual([1e6, -1e6]);
  });

  it('keeps the same whenever the same arrives', () => {
    const [one, two] = [1, 2].map(() => {
      const kept = new KeptTelemetry(header, 50_000);
      for (const frame of framesOf(100, 300, 5)) kept.add(frame);
      return kept.take();
    });
    expect(one).toEqual(two);
  });

  it('thins the largest table and leaves a small one alone', () => {
    const kept = new KeptTelemetry(header, 20_000);
    const small: Frame = { sequence: 0, table: 1, rows: 3, columns: [Float64Array.of(1, 2, 3)] };
    kept.add(small);
    for (const frame of framesOf(50, 100)) kept.add({ ...frame, sequence: frame.sequence + 1 });
    const { frames, arrivedRows } = kept.take();
    expect(arrivedRows).toEqual([5_000, 3]);
    expect(frames.filter(({ table }) => table === 1).map(({ columns }) => columns)).toEqual([small.columns]);
  });
});
