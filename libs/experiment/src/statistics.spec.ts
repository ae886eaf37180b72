import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, medianInterval, pairedDifference, quantile } from './statistics.js';
import { aggregate, holds, parseCondition, parseThresholdKey } from './thresholds.js';

describe('statistics', () => {
  it('take quantiles as R does by default (type 7)', () => {
    expect(quantile([10, 1, 7, 3], 0.25)).toBe(2.5);
    expect(quantile([10, 1, 7, 3], 0.9)).toBeCloseTo(9.1, 12);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(() => median([])).toThrow(RangeError);
  });

  it('give an interval of the median that holds it and stays within the values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 3, maxLength: 15 }),
        (values) => {
          const { low, high } = medianInterval(values)!;
          expect(low).toBeLessThanOrEqual(median(values));
          expect(high).toBeGreaterThanOrEqual(median(values));
          expect(low).toBeGreaterThanOrEqual(Math.min(...values));
          expect(high).toBeLessThanOrEqual(Math.max(...values));
          expect(medianInterval(values.toReversed())).toEqual({ low, high });
        },
      ),
      { numRuns: 25 },
    );
  });

  it("give SciPy's interval of a median", () => {
    // scipy.stats.bootstrap(([...],), np.median, n_resamples=200000, method='percentile').confidence_interval
    expect(medianInterval([3.1, 4.7, 5.0, 6.2, 8.8, 9.1, 12.0])).toEqual({ low: 4.7, high: 9.1 });
  });

  it('give none for too few values', () => {
    expect(medianInterval([1, 2])).toBeUndefined();
    expect(pairedDifference([1, 2], [2, 3])).toEqual({ n: 2, difference: 1, interval: undefined });
  });

  it('cover the true median about as often as they say', () => {
    // 200 samples of 15 uniform values: the median is 0.5; a 95 % interval must hold it nearly always.
    let covered = 0;
    let state = 12345;
    const random = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 32;
    for (let i = 0; i < 200; i++) {
      const { low, high } = medianInterval(Array.from({ length: 15 }, random))!;
      if (low <= 0.5 && high >= 0.5) covered++;
    }
    expect(covered).toBeGreaterThan(176);
    expect(covered).toBeLessThanOrEqual(200);
  });

  it('see a paired difference that the spread between replications would hide', () => {
    const base = [10, 200, 3000, 40, 500];
    expect(
      pairedDifference(
        base,
        base.map((value) => value - 1),
      ),
    ).toEqual({ n: 5, difference: -1, interval: { low: -1, high: -1 } });
    expect(pairedDifference(base, [11, 199, 3001, 39, 501]).interval).toEqual({ low: -1, high: 1 });
    expect(pairedDifference(base, base)).toMatchObject({ difference: 0, interval: { low: 0, high: 0 } });
  });
});

describe('thresholds', () => {
  it.each([
    ['max<400MiB', 'max', '<', 400 * 2 ** 20],
    ['med <= 0.5GB', 'med', '<=', 0.5e9],
    ['min>250ms', 'min', '>', 0.25],
    ['avg>=120MB/s', 'avg', '>=', 120e6],
    ['p(95)==0.99', 'p', '==', 0.99],
    ['max!=0', 'max', '!=', 0],
  ])('%s is read', (text, kind, operator, value) => {
    expect(parseCondition(text)).toMatchObject({ aggregate: { kind }, operator, value });
  });

  it.each([
    '',
    'max',
    'max<',
    'max<x',
    'p95<1',
    'p(101)<1',
    'rate<1',
    'max=1',
    '<1',
    'max<1parsec',
    'max<1 2',
    'maxx<1',
  ])('%j is refused', (text) => {
    expect(parseCondition(text)).toBeUndefined();
  });

  it('read keys with and without a variant', () => {
    expect(parseThresholdKey('a_bytes')).toMatchObject({ metric: 'a_bytes', variant: undefined });
    expect(parseThresholdKey('a_bytes{variant: v4_delay1s}')).toMatchObject({
      metric: 'a_bytes',
      variant: 'v4_delay1s',
    });
    expect(parseThresholdKey('a_bytes{seed:1}')).toBeUndefined();
    expect(parseThresholdKey('A')).toBeUndefined();
  });

  it('aggregate over replications', () => {
    const at = (text: string) => aggregate(parseCondition(text)!, [1, 2, 3, 10]);
    expect(['med<1', 'min<1', 'max<1', 'avg<1', 'p(100)<1', 'p(0)<1'].map(at)).toEqual([2.5, 1, 10, 4, 10, 1]);
    expect(holds(parseCondition('med<=2.5')!, 2.5)).toBe(true);
    expect(holds(parseCondition('med<2.5')!, 2.5)).toBe(false);
  });
});
