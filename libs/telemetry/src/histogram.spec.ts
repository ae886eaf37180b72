import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketRange, Histogram } from './histogram.js';

const SPEC = { name: 'wait_seconds', unit: 'seconds', help: 'A wait.', scale: 1e-9 } as const;
const RELATIVE_ERROR = 1 / 128;

function of(values: readonly number[]): Histogram {
  const histogram = new Histogram(SPEC);
  for (const value of values) histogram.record(value);
  return histogram;
}

function exact(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
}

// Small values, nanosecond latencies and the largest integers, so that all three index paths are walked.
const sample = fc.oneof(fc.nat(300), fc.nat(2 ** 31 - 1), fc.maxSafeNat());

describe('Histogram', () => {
  it('answers every quantile within 1/128 of the exact one', () => {
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, q) => {
          const want = exact(values, q);
          expect(Math.abs(of(values).quantile(q) - want)).toBeLessThanOrEqual(want * RELATIVE_ERROR);
        },
      ),
    );
  });

  it('knows min, max, total and sum exactly', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2 ** 40), { minLength: 1 }), (values) => {
        const histogram = of(values);
        expect(histogram.quantile(0)).toBe(Math.min(...values));
        expect(histogram.quantile(1)).toBe(Math.max(...values));
        expect(histogram.total).toBe(values.length);
        expect(histogram.sum).toBe(values.reduce((a, b) => a + b, 0));
      }),
    );
  });

  it('puts every value into the bucket whose range holds it', () => {
    fc.assert(
      fc.property(sample, (value) => {
        const { low, width } = bucketRange(of([value]).snapshot().indexes[0]!);
        expect(value).toBeGreaterThanOrEqual(low);
        expect(value - low).toBeLessThan(width);
      }),
    );
  });

  it('merges to the histogram of the union', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2 ** 40)), fc.array(fc.nat(2 ** 40)), (a, b) => {
        const merged = of(a);
        merged.merge(of(b));
        expect(merged.snapshot()).toEqual(of([...a, ...b]).snapshot());
      }),
    );
  });

  it('survives a snapshot', () => {
    fc.assert(
      fc.property(fc.array(sample), (values) => {
        const snapshot = of(values).snapshot();
        expect(Histogram.fromSnapshot(JSON.parse(JSON.stringify(snapshot))).snapshot()).toEqual(snapshot);
      }),
    );
  });

  it('records n equal samples at once', () => {
    const many = new Histogram(SPEC);
    many.recordMany(77_000, 3);
    many.recordMany(5, 0);
    expect(many.snapshot()).toEqual(of([77_000, 77_000, 77_000]).snapshot());
  });

  it('answers 0 when it is empty', () => {
    const empty = new Histogram(SPEC);
    expect([empty.min, empty.max, empty.mean, empty.quantile(0.5), empty.total]).toEqual([0, 0, 0, 0, 0]);
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('refuses the value %s', (value) => {
    expect(() => new Histogram(SPEC).record(value)).toThrow(RangeError);
  });

  it('refuses to merge other units', () => {
    expect(() => new Histogram(SPEC).merge(new Histogram({ ...SPEC, scale: 1 }))).toThrow(/cannot merge/);
  });

  it('refuses a snapshot whose total does not add up', () => {
    expect(() => Histogram.fromSnapshot({ ...of([1, 2]).snapshot(), total: 3 })).toThrow(RangeError);
  });
});
