// Order statistics and the paired bootstrap. Everything is deterministic: resampling has a fixed seed, so the same
// replications always give the same interval.
import { randomSource } from './random.js';

/** Resamples of a bootstrap: the ends of a 95 % interval move by less than a percent of its width from here on. */
const BOOTSTRAP_RESAMPLES = 2000;
/** Two-sided. */
const CONFIDENCE = 0.95;
const BOOTSTRAP_SEED = 1;
/** Below this many replications a resampled interval says nothing, and none is given. */
export const MIN_SAMPLES_FOR_INTERVAL = 3;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const ascending = (values: readonly number[]) => Float64Array.from(values).sort();

function quantileOfSorted(sorted: Float64Array, q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.ceil(position)]!;
  return low + (high - low) * (position - below);
}

/** Quantile with linear interpolation between neighbours. @param q from 0 to 1. @throws RangeError on no values. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new RangeError('quantile of no values');
  if (!(q >= 0 && q <= 1)) throw new RangeError(`expected a quantile from 0 to 1, got ${q}`);
  return quantileOfSorted(ascending(values), q);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('mean of no values');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Percentile bootstrap, 95 %, of the median; undefined below {@link MIN_SAMPLES_FOR_INTERVAL} values. */
export function medianInterval(values: readonly number[]): Interval | undefined {
  if (values.length < MIN_SAMPLES_FOR_INTERVAL) return undefined;
  const sorted = ascending(values);
  const { lower, upper } = resampledMiddles(sorted.length);
  const medians = new Float64Array(BOOTSTRAP_RESAMPLES);
  for (let i = 0; i < BOOTSTRAP_RESAMPLES; i++) medians[i] = (sorted[lower[i]!]! + sorted[upper[i]!]!) / 2;
  medians.sort();
  const tail = (1 - CONFIDENCE) / 2;
  return { low: quantileOfSorted(medians, tail), high: quantileOfSorted(medians, 1 - tail) };
}

interface Middles {
  readonly lower: Int32Array;
  readonly upper: Int32Array;
}

const middlesOf = new Map<number, Middles>();

/**
 * Which of `n` sorted values stand in the middle of each resample: the same for all samples of this size, so a report
 * with thousands of intervals draws once. For an odd `n` both are one.
 */
function resampledMiddles(n: number): Middles {
  const known = middlesOf.get(n);
  if (known) return known;
  const random = randomSource(BOOTSTRAP_SEED);
  const drawn = new Int32Array(n);
  const middles = { lower: new Int32Array(BOOTSTRAP_RESAMPLES), upper: new Int32Array(BOOTSTRAP_RESAMPLES) };
  for (let i = 0; i < BOOTSTRAP_RESAMPLES; i++) {
    for (let j = 0; j < n; j++) drawn[j] = Math.floor(random() * n);
    drawn.sort();
    middles.lower[i] = drawn[Math.floor((n - 1) / 2)]!;
    middles.upper[i] = drawn[Math.ceil((n - 1) / 2)]!;
  }
  middlesOf.set(n, middles);
  return middles;
}

export interface PairedDifference {
  /** Pairs. */
  readonly n: number;
  /** Median of the differences `other - base`. */
  readonly difference: number;
  /** 95 % interval of it; undefined when there are too few pairs. */
  readonly interval: Interval | undefined;
}

/** Compares pairs of the same replication. Arrays are of equal length, pair by pair. @throws RangeError on no pair. */
export function pairedDifference(base: readonly number[], other: readonly number[]): PairedDifference {
  if (base.length !== other.length || base.length === 0) {
    throw new RangeError(
      `expected as many values on both sides and at least one, got ${base.length} and ${other.length}`,
    );
  }
  const differences = base.map((value, i) => other[i]! - value);
  return { n: differences.length, difference: median(differences), interval: medianInterval(differences) };
}
