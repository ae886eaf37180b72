// One metric of two groups set against each other, and the words for what came of it. Pairs (same seed) are compared
// within each pair; groups without shared seeds as independent samples. A difference counts when its 95 % interval
// excludes 0 and it survives Holm's correction over all comparisons made with it. Where so few replications cannot
// survive any correction, the interval alone decides, and the entry says so (`corrected: false`).
import type { MetricSpec } from '@kworkbench/mechanism';
import { hodgesLehmann, holm, rankSum, signedRank } from '../rank-tests.js';
import { median, medianInterval, MIN_SAMPLES_FOR_INTERVAL, pairedDifference, type Interval } from '../statistics.js';
import type { Report } from './schema.js';

export type ContrastVerdict = Report['comparisons'][number]['verdict'];

export interface Contrast {
  readonly n: number;
  readonly baselineMedian: number;
  readonly median: number;
  readonly difference: number;
  readonly interval: Interval | undefined;
  readonly relative: Relative | undefined;
  readonly test: 'signed-rank' | 'rank-sum';
  readonly p: number;
  readonly smallestP: number;
  readonly delta: number;
  /** Nothing to test: every pair, or every value, is equal. */
  readonly equal: boolean;
}

/** The difference as a share of the baseline. */
interface Relative {
  readonly change: number;
  readonly interval: Interval | undefined;
}

/** The largest chance of one false alarm among all comparisons. */
const ALPHA = 0.05;

export function pairedContrast(pairs: readonly (readonly [base: number, other: number])[]): Contrast {
  const base = pairs.map(([left]) => left);
  const other = pairs.map(([, right]) => right);
  const { n, difference, interval } = pairedDifference(base, other);
  const { p, smallestP } = signedRank(pairs.map(([left, right]) => right - left));
  return {
    n,
    baselineMedian: median(base),
    median: median(other),
    difference,
    interval,
    relative: pairedChange(pairs) ?? scaled(difference, undefined, median(base)),
    p,
    smallestP,
    test: 'signed-rank',
    delta: rankSum(base, other).delta,
    equal: pairs.every(([left, right]) => left === right),
  };
}

/**
 * Each pair relative to its own baseline, as a baseline that differs from seed to seed says nothing of the change.
 * Undefined where a baseline is 0.
 */
function pairedChange(pairs: readonly (readonly [base: number, other: number])[]): Relative | undefined {
  if (pairs.some(([base]) => base === 0)) return undefined;
  const changes = pairs.map(([base, other]) => (other - base) / Math.abs(base));
  return { change: median(changes), interval: medianInterval(changes) };
}

function scaled(difference: number, interval: Interval | undefined, baseline: number): Relative | undefined {
  if (baseline === 0) return undefined;
  const size = Math.abs(baseline);
  return {
    change: difference / size,
    interval: interval && { low: interval.low / size, high: interval.high / size },
  };
}

export function independentContrast(base: readonly number[], other: readonly number[]): Contrast {
  const { p, smallestP, delta } = rankSum(base, other);
  const { shift, interval: known } = hodgesLehmann(base, other);
  const n = Math.min(base.length, other.length);
  const interval = n >= MIN_SAMPLES_FOR_INTERVAL ? known : undefined;
  return {
    n,
    baselineMedian: median(base),
    median: median(other),
    difference: shift,
    p,
    smallestP,
    delta,
    interval,
    relative: scaled(shift, interval, median(base)),
    test: 'rank-sum',
    equal: [...base, ...other].every((value) => value === base[0]),
  };
}

interface Judged {
  readonly metric: MetricWords;
  readonly contrast: Contrast;
}

type MetricWords = Pick<MetricSpec, 'name' | 'better'>;

/** The entries of a report for contrasts that were made together, in their order. */
export function judgeContrasts<T extends Judged>(
  all: readonly T[],
): { readonly made: T; readonly entry: ContrastEntry }[] {
  // Pairs that are equal throughout (common random numbers do that) are no test, and need no correction.
  const tested = all.filter(({ contrast }) => !contrast.equal && contrast.interval !== undefined);
  const adjusted = new Map<Judged, number>();
  for (const [i, p] of holm(tested.map(({ contrast }) => contrast.p)).entries()) adjusted.set(tested[i]!, p);
  return all.map((made) => {
    const { contrast, metric } = made;
    const pAdjusted = adjusted.get(made) ?? 1;
    const corrected = contrast.smallestP * tested.length <= ALPHA;
    const { n, baselineMedian, difference, interval, relative, test, p, delta } = contrast;
    const entry: ContrastEntry = {
      metric: metric.name,
      n,
      baselineMedian,
      median: contrast.median,
      difference,
      low: interval?.low ?? null,
      high: interval?.high ?? null,
      relative: relative?.change ?? null,
      relativeLow: relative?.interval?.low ?? null,
      relativeHigh: relative?.interval?.high ?? null,
      test,
      p,
      pAdjusted,
      corrected,
      delta,
      verdict: verdictOf(metric, contrast, !corrected || pAdjusted <= ALPHA),
    };
    return { made, entry };
  });
}

export type ContrastEntry = Omit<Report['comparisons'][number], 'baseline' | 'variant' | 'point'>;

function verdictOf(metric: MetricWords, { interval, difference }: Contrast, survives: boolean): ContrastVerdict {
  if (!interval) return 'too few replications';
  if (!survives || (interval.low <= 0 && interval.high >= 0)) return 'within noise';
  if (metric.better === 'none') return 'different';
  return difference < 0 === (metric.better === 'lower') ? 'better' : 'worse';
}
