// Golden values, made with R 4.2.2 and SciPy 1.17.1:
//   R      wilcox.test(other, base, exact = no ties and both below 20, correct = TRUE, conf.int = TRUE)
//          wilcox.test(d, exact = TRUE); p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.5, 0.04), "holm")
//   Python exact probabilities with ties, which R does not give, by enumeration over scipy.stats.rankdata:
//          count of itertools.combinations(range(m + n), n) whose rank sum is as far from its mean as the observed one,
//          the same over itertools.product([0, 1], repeat=n) for signs
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hodgesLehmann, holm, rankSum, signedRank } from './rank-tests.js';

const series = (length: number, at: (i: number) => number) => Array.from({ length }, (_, i) => at(i + 1));
const LARGE = [
  series(40, (i) => ((i * 7919) % 1009) / 100),
  series(35, (i) => ((i * 104_729) % 1013) / 100 + 1.3),
] as const;
const LARGE_TIES = [series(40, (i) => (i * 7) % 11), series(30, (i) => ((i * 5) % 13) + 1)] as const;
const OVERLAP = [
  [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46],
  [1.15, 0.88, 0.9, 0.74, 1.21],
] as const;
const SEPARATED = [
  [1.1, 2.2, 3.3, 4.4, 5.5],
  [6.1, 7.3, 8.2, 9.9, 10.4],
] as const;
const TIES = [
  [1, 2, 2, 3, 4, 4, 4, 5],
  [2, 3, 3, 4, 5, 5, 6],
] as const;

const sample = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 12 });

describe('Mann-Whitney', () => {
  it.each([
    ['separated samples, exact', SEPARATED, 25, 0.0079365079365079361],
    ['overlapping samples, exact', OVERLAP, 15, 0.2544122544122544],
    [
      'three a side, exact',
      [
        [5, 1, 3],
        [2, 9, 4],
      ],
      6,
      0.7,
    ],
    ['ties, exact', TIES, 37.5, 0.29277389277389276],
    [
      'few values with ties, exact',
      [
        [1, 1, 2],
        [2, 3, 3, 3],
      ],
      11.5,
      0.08571428571428572,
    ],
    ['large samples, normal', LARGE, 814, 0.22806553928764065],
    ['large samples with ties, normal', LARGE_TIES, 768.5, 0.045466427616696448],
  ] as const)('of %s is what R and SciPy say', (_, [base, other], u, p) => {
    const found = rankSum(base, other);
    expect(found.u).toBe(u);
    expect(found.p).toBeCloseTo(p, 12);
    expect(found.a12).toBe(u / (base.length * other.length));
    expect(found.delta).toBe(2 * found.a12 - 1);
  });

  it('can give half the smallest p of distinct values where there are ties', () => {
    const found = rankSum([5, 0, 5], [6, 6]);
    expect(found.p).toBeCloseTo(0.1, 12);
    expect(found.smallestP).toBeCloseTo(0.1, 12);
    expect(rankSum([1, 2, 3], [4, 5]).smallestP).toBeCloseTo(0.2, 12);
  });

  it('does not care which sample comes first, nor for the scale', () => {
    fc.assert(
      fc.property(sample, sample, (base, other) => {
        const found = rankSum(base, other);
        const turned = rankSum(other, base);
        expect(turned.p).toBeCloseTo(found.p, 12);
        expect(turned.delta).toBeCloseTo(-found.delta, 12);
        expect(
          rankSum(
            base.map((v) => v * 3 + 1),
            other.map((v) => v * 3 + 1),
          ),
        ).toEqual(found);
        expect(found.p).toBeGreaterThanOrEqual(found.smallestP - 1e-12);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the signed-rank test', () => {
  it.each([
    ['five of one sign', [1, 2, 3.5, 4, 5], 0.0625],
    ['mixed signs', [1.83, 0.5, 1.62, -2.48, 1.68, -1.88, 1.55, 3.06, -1.3], 0.5703125],
    ['ties and a zero', [1, 1, 2, 2, -1, 3, 0, 4], 0.0625],
  ])('of %s is what R and SciPy say', (_, differences, p) => {
    expect(signedRank(differences).p).toBeCloseTo(p, 12);
  });

  it('of thirty differences is near the exact value', () => {
    const differences = series(30, (i) => ((i * 7919) % 1009) / 100 - 4);
    expect(Math.abs(signedRank(differences).p - 0.04048972204327584)).toBeLessThan(0.002);
  });

  it('of pairs that are equal throughout says nothing', () => {
    expect(signedRank([0, 0, 0])).toEqual({ p: 1, smallestP: 1 });
  });
});

describe('the Hodges-Lehmann shift', () => {
  it.each([
    ['separated', SEPARATED, 5, 1.8, 8.2, 12],
    ['overlapping', OVERLAP, -0.305, -0.76, 0.15, 12],
    // R solves the normal approximation by bisection; an order statistic is at most one step of the data away.
    ['large', LARGE, 0.87292259878028611, -0.55998193275701946, 2.2599913610212519, 1],
    ['large with ties', LARGE_TIES, 2, 0, 4, 3],
    ['ties', TIES, 1, -1, 3, 3],
  ] as const)('of %s samples is what R says', (_, [base, other], shift, low, high, digits) => {
    const found = hodgesLehmann(base, other);
    expect(found.shift).toBeCloseTo(shift, digits);
    expect(found.interval!.low).toBeCloseTo(low, digits);
    expect(found.interval!.high).toBeCloseTo(high, digits);
  });

  it('has no interval where so few values cannot carry one', () => {
    expect(hodgesLehmann([1, 3, 5], [2, 4, 9])).toEqual({ shift: 1, interval: undefined });
  });

  it('moves with the sample', () => {
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -50, max: 50 }), (base, other, by) => {
        const moved = hodgesLehmann(
          base,
          other.map((value) => value + by),
        );
        expect(moved.shift).toBe(hodgesLehmann(base, other).shift + by);
        expect(moved.interval?.low ?? -Infinity).toBeLessThanOrEqual(moved.shift);
      }),
      { numRuns: 50 },
    );
  });
});

describe("Holm's correction", () => {
  it("is R's", () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005, 0.5, 0.04]);
    for (const [i, p] of [0.05, 0.12, 0.12, 0.03, 0.5, 0.12].entries()) expect(adjusted[i]).toBeCloseTo(p, 12);
    expect(holm([])).toEqual([]);
  });
});
