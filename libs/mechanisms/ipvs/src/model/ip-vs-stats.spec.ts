import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONNS, COUNTERS, decodeRate, estimateStats, INBYTES, INPKTS, zeroStats } from './ip-vs-stats.js';

/** Raw averages of one counter after each of a series of totals. */
function series(counter: number, totals: readonly number[]): number[] {
  const last = new Float64Array(COUNTERS);
  const average = new Float64Array(COUNTERS);
  const now = new Float64Array(COUNTERS);
  return totals.map((total) => {
    now[counter] = total;
    estimateStats(last, average, 0, now);
    return average[counter]!;
  });
}

const decoded = (counter: number, raw: readonly number[]): number[] => raw.map((value) => decodeRate(value, counter));
const steady = (perSample: number, samples: number): number[] =>
  Array.from({ length: samples }, (_, i) => perSample * (i + 1));

describe('the estimator', () => {
  it.each([
    ['packets', INPKTS, 1000, [128000, 96000, 72000, 54000, 40500, 30375, 22781, 17085, 12813]],
    ['bytes', INBYTES, 128_000, [512000, 384000, 288000, 216000, 162000, 121500, 91125, 68343, 51257]],
    ['connections', CONNS, 1, [128, 96]],
  ])('decays after one burst of %s as the kernel does', (_what, counter, total, raw) => {
    expect(
      series(
        counter,
        raw.map(() => total),
      ),
    ).toEqual(raw);
  });

  it('shows those averages as the kernel does', () => {
    const packets = [125, 94, 70, 53, 40, 30, 22, 17, 13];
    expect(
      decoded(
        INPKTS,
        series(
          INPKTS,
          packets.map(() => 1000),
        ),
      ),
    ).toEqual(packets);
    const bytes = [16000, 12000, 9000, 6750, 5062, 3797, 2848, 2136, 1602];
    expect(
      decoded(
        INBYTES,
        series(
          INBYTES,
          bytes.map(() => 128_000),
        ),
      ),
    ).toEqual(bytes);
    expect(decoded(CONNS, series(CONNS, [1, 1]))).toEqual([0, 0]);
  });

  it.each([
    ['connections', CONNS, 20, [2560, 4480, 5920, 7000, 7810, 8417, 8872, 9214], [2, 4, 6, 7, 8, 8, 9, 9]],
    [
      'packets',
      INPKTS,
      3000,
      [384000, 672000, 888000, 1050000, 1171500, 1262625, 1330968, 1382226],
      [375, 656, 867, 1025, 1144, 1233, 1300, 1350],
    ],
    [
      'bytes',
      INBYTES,
      2_400_000,
      [9600000, 16800000, 22200000, 26250000, 29287500, 31565625],
      [300000, 525000, 693750, 820312, 915234, 986426],
    ],
  ])('rises under steady %s as the kernel does', (_what, counter, perSample, raw, shown) => {
    expect(series(counter, steady(perSample, raw.length))).toEqual(raw);
    expect(decoded(counter, raw)).toEqual(shown);
  });

  it('takes irregular intervals for two seconds each, as the kernel does', () => {
    const raw = series(INPKTS, [1530, 4530, 7530, 10530, 14130, 16530, 19530, 22530]);
    expect(raw).toEqual([195840, 530880, 782160, 970620, 1188765, 1198773, 1283079, 1346309]);
    expect(decoded(INPKTS, raw)).toEqual([191, 518, 764, 948, 1161, 1171, 1253, 1315]);
  });

  it('stays between nothing and the highest rate it has seen', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 31 }), { minLength: 1, maxLength: 40 }), (increments) => {
        let total = 0;
        const raw = series(
          INPKTS,
          increments.map((increment) => (total += increment)),
        );
        const most = Math.max(...increments) * 2 ** 9;
        for (const value of raw) {
          expect(Number.isSafeInteger(value)).toBe(true);
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('starts anew from the totals of the moment when it is zeroed', () => {
    const last = new Float64Array(COUNTERS);
    const average = new Float64Array(COUNTERS).fill(7);
    zeroStats(last, average, 0, new Float64Array(COUNTERS).fill(100));
    expect([...last, ...average]).toEqual([100, 100, 100, 100, 100, 0, 0, 0, 0, 0]);
  });
});
