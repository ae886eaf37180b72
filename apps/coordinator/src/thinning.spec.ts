import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extremeRows, firstAtLeast, leastRows, pickRows } from './thinning.js';

/** Time that does not decrease, stands still at times, and two columns of anything a double can be. */
const anyTable = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.double(), fc.double({ noNaN: true })), {
    minLength: 1,
    maxLength: 300,
  })
  .map((rows) => {
    let time = 0;
    return [
      Float64Array.from(rows, ([step]) => (time += step)),
      Float64Array.from(rows, ([, value]) => value),
      Float64Array.from(rows, ([, , value]) => value),
    ];
  });
const extremes = (column: Float64Array) => {
  const numbers = [...column].filter((value) => !Number.isNaN(value));
  return [Math.min(...numbers), Math.max(...numbers)];
};

describe('thinning', () => {
  it('keeps within the bound, in order, with both ends and the extremes of every column', () => {
    fc.assert(
      fc.property(anyTable, fc.integer({ min: 2, max: 400 }), (columns, maxRows) => {
        const rows = extremeRows(columns, 0, columns[0]!.length, maxRows);
        expect(rows.length).toBeLessThanOrEqual(Math.max(maxRows, leastRows(columns.length)));
        expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
        expect([rows[0], rows.at(-1)]).toEqual([0, columns[0]!.length - 1]);
        const picked = pickRows(columns, rows);
        for (const index of [1, 2]) expect(extremes(picked[index]!)).toEqual(extremes(columns[index]!));
      }),
    );
  });

  it('keeps the extremes of every stretch of time', () => {
    const rows = 10_000;
    const time = Float64Array.from({ length: rows }, (_, row) => row / 100);
    const spiky = Float64Array.from({ length: rows }, (_, row) => (row % 1000 === 777 ? 1000 + row : Math.sin(row)));
    const kept = extremeRows([time, spiky], 0, rows, 202);
    expect(kept.length).toBeLessThanOrEqual(202);
    for (let spike = 777; spike < rows; spike += 1000) expect(kept).toContain(spike);
    // One hundred stretches of one second: both extremes of each.
    for (let second = 0; second < 100; second++) {
      const inside = kept.filter((row) => Math.floor(time[row]!) === second);
      const stretch = spiky.subarray(second * 100, second * 100 + 100);
      const values = inside.map((row) => spiky[row]!);
      expect([Math.min(...values), Math.max(...values)]).toEqual([Math.min(...stretch), Math.max(...stretch)]);
    }
  });

  it('loses no extreme when it is repeated', () => {
    fc.assert(
      fc.property(anyTable, fc.array(fc.integer({ min: 2, max: 100 }), { maxLength: 5 }), (columns, bounds) => {
        const thinned = bounds.reduce<readonly Float64Array[]>(
          (some, bound) => pickRows(some, extremeRows(some, 0, some[0]!.length, bound)),
          columns,
        );
        for (const index of [1, 2]) expect(extremes(thinned[index]!)).toEqual(extremes(columns[index]!));
      }),
    );
  });

  it('leaves few rows as they are, and takes a part when asked', () => {
    const columns = [Float64Array.of(0, 1, 2, 3), Float64Array.of(5, 6, 7, 8)];
    expect(extremeRows(columns, 0, 4, 4)).toEqual([0, 1, 2, 3]);
    expect(extremeRows(columns, 1, 3, 10)).toEqual([1, 2]);
    expect(extremeRows(columns, 2, 2, 10)).toEqual([]);
  });

  it('thins a table of time alone evenly', () => {
    const time = Float64Array.from({ length: 101 }, (_, row) => row);
    expect(extremeRows([time], 0, 101, 5)).toEqual([0, 25, 50, 75, 100]);
  });

  it.each([
    [-1, 0],
    [0, 0],
    [1, 1],
    [2, 3],
    [9, 4],
  ])('finds the first time of at least %d at row %d', (value, row) => {
    expect(firstAtLeast(Float64Array.of(0, 1, 1, 2), value)).toBe(row);
  });
});
