// Rank tests, effect sizes and the correction for many comparisons. No distribution of the values is assumed. Small
// samples get exact probabilities, ties included, by counting arrangements of the ranks; larger ones the normal
// approximation with tie and continuity correction. Checked against R and SciPy (rank-tests.spec.ts).
import type { Interval } from './statistics.js';

/** Up to this many values a side are counted exactly: the counts stay integers below 2^53 and take under a millisecond. */
const EXACT_UP_TO = 25;
/** 97.5 % quantile of the normal distribution: two-sided 95 %. */
const Z_95 = 1.959963984540054;
const TAIL = 0.025;

export interface RankTest {
  /** Two-sided. */
  readonly p: number;
  /** Smallest p that samples of this size can give: below it nothing can be shown. */
  readonly smallestP: number;
}

export interface RankSum extends RankTest {
  /** Mann-Whitney U of `other`: pairs in which `other` is larger, ties counted as half. */
  readonly u: number;
  /** Probability that a value of `other` is larger than one of `base`, ties counted as half (Vargha and Delaney's A12). */
  readonly a12: number;
  /** Cliff's delta, -1 to 1: `2 a12 - 1`. */
  readonly delta: number;
}

/** Mann-Whitney (Wilcoxon rank sum) of two independent samples. @throws RangeError on no values. */
export function rankSum(base: readonly number[], other: readonly number[]): RankSum {
  const [m, n] = [base.length, other.length];
  if (m === 0 || n === 0) throw new RangeError('a rank test of no values');
  const doubled = doubledRanks([...base, ...other]);
  const sum = doubled.slice(m).reduce((total, rank) => total + rank, 0);
  const u = sum / 2 - (n * (n + 1)) / 2;
  const exact = m <= EXACT_UP_TO && n <= EXACT_UP_TO;
  const mean = n * (m + n + 1);
  const p = exact
    ? tailsBeyond(subsetSums(doubled, n), mean, Math.abs(sum - mean))
    : normalP(u - (m * n) / 2, rankSumDeviation(doubled, m, n));
  const a12 = u / (m * n);
  // With ties the distribution is not symmetric: the most extreme arrangement may have no counterpart as far away.
  const extremes = new Set(doubled).size < doubled.length ? 1 : 2;
  return { u, p, smallestP: Math.min(1, extremes / choose(m + n, n)), a12, delta: 2 * a12 - 1 };
}

/** Wilcoxon's signed-rank test of paired differences; differences of 0 say nothing and are left out. */
export function signedRank(differences: readonly number[]): RankTest {
  const told = differences.filter((difference) => difference !== 0);
  const n = told.length;
  if (n === 0) return { p: 1, smallestP: 1 };
  const doubled = doubledRanks(told.map(Math.abs));
  const positive = doubled.reduce((sum, rank, i) => sum + (told[i]! > 0 ? rank : 0), 0);
  const mean = (n * (n + 1)) / 2;
  const smallestP = Math.min(1, 2 ** (1 - n));
  if (n <= EXACT_UP_TO) return { p: tailsBeyond(signSums(doubled), mean, Math.abs(positive - mean)), smallestP };
  const variance = doubled.reduce((sum, rank) => sum + (rank / 2) ** 2, 0) / 4;
  return { p: normalP((positive - mean) / 2, Math.sqrt(variance)), smallestP };
}

export interface Shift {
  /** Hodges-Lehmann: median of all differences `other - base`. */
  readonly shift: number;
  /** 95 % interval of it, from the distribution of U; undefined where so few values cannot carry one. */
  readonly interval: Interval | undefined;
}

/** By how much `other` lies above `base`, of two independent samples. @throws RangeError on no values. */
export function hodgesLehmann(base: readonly number[], other: readonly number[]): Shift {
  const [m, n] = [base.length, other.length];
  if (m === 0 || n === 0) throw new RangeError('a shift between no values');
  const differences = Float64Array.from({ length: m * n }, (_, i) => other[i % n]! - base[Math.floor(i / n)]!).sort();
  const middle = (m * n - 1) / 2;
  const shift = (differences[Math.floor(middle)]! + differences[Math.ceil(middle)]!) / 2;
  const cut = m <= EXACT_UP_TO && n <= EXACT_UP_TO ? exactCut(m, n) : normalCut(m, n);
  // With a cut of 0 not even the whole range of differences holds the shift with 95 %.
  const interval = cut === 0 ? undefined : { low: differences[cut - 1]!, high: differences[m * n - cut]! };
  return { shift, interval };
}

/** Holm's correction: the chance of one false alarm among all of `pValues` is at most that of one test. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).toSorted((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = Array.from<number>({ length: pValues.length });
  let floor = 0;
  for (const [position, index] of order.entries()) {
    floor = Math.max(floor, Math.min(1, (pValues.length - position) * pValues[index]!));
    adjusted[index] = floor;
  }
  return adjusted;
}

/** Ranks from 1, times two so that the mean rank of ties is an integer. */
function doubledRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).toSorted((a, b) => values[a]! - values[b]!);
  const ranks = Array.from<number>({ length: values.length });
  for (let first = 0; first < order.length;) {
    let last = first;
    while (last + 1 < order.length && values[order[last + 1]!] === values[order[first]!]) last++;
    for (let i = first; i <= last; i++) ranks[order[i]!] = first + last + 2;
    first = last + 1;
  }
  return ranks;
}

/** How many subsets of `size` ranks have each sum. */
function subsetSums(ranks: readonly number[], size: number): Float64Array {
  const most = ranks.reduce((sum, rank) => sum + rank, 0);
  const counts = Array.from({ length: size + 1 }, () => new Float64Array(most + 1));
  counts[0]![0] = 1;
  for (const rank of ranks) {
    for (let taken = size; taken >= 1; taken--) {
      const [from, to] = [counts[taken - 1]!, counts[taken]!];
      for (let sum = most; sum >= rank; sum--) to[sum]! += from[sum - rank]!;
    }
  }
  return counts[size]!;
}

/** How many of all choices of signs give each sum of positive ranks. */
function signSums(ranks: readonly number[]): Float64Array {
  const most = ranks.reduce((sum, rank) => sum + rank, 0);
  const counts = new Float64Array(most + 1);
  counts[0] = 1;
  for (const rank of ranks) for (let sum = most; sum >= rank; sum--) counts[sum]! += counts[sum - rank]!;
  return counts;
}

/** The share of arrangements whose sum is at least `distance` away from the mean. */
function tailsBeyond(counts: Float64Array, mean: number, distance: number): number {
  let all = 0;
  let beyond = 0;
  for (let sum = 0; sum < counts.length; sum++) {
    all += counts[sum]!;
    if (Math.abs(sum - mean) >= distance) beyond += counts[sum]!;
  }
  return beyond / all;
}

function rankSumDeviation(doubled: readonly number[], m: number, n: number): number {
  const total = m + n;
  const sizes = new Map<number, number>();
  for (const rank of doubled) sizes.set(rank, (sizes.get(rank) ?? 0) + 1);
  const ties = [...sizes.values()].reduce((sum, size) => sum + size ** 3 - size, 0);
  return Math.sqrt(((m * n) / 12) * (total + 1 - ties / (total * (total - 1))));
}

function normalP(distance: number, deviation: number): number {
  if (deviation === 0) return 1;
  const z = Math.max(0, Math.abs(distance) - 0.5) / deviation;
  return Math.min(1, erfc(z / Math.SQRT2));
}

/** Complementary error function for x >= 0: a series below 2, a continued fraction above; 1e-14 or better. */
function erfc(x: number): number {
  if (x < 2) {
    let term = x;
    let sum = x;
    for (let k = 1; Math.abs(term) > 1e-17 * sum; k++) {
      term *= (-x * x) / k;
      sum += term / (2 * k + 1);
      if (x === 0) break;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let k = 80; k >= 1; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction));
}

/** How many differences lie outside each end of the interval, plus one; 0 when 95 % cannot be had. As R's qwilcox. */
function exactCut(m: number, n: number): number {
  const counts = subsetSums(
    Array.from({ length: m + n }, (_, i) => i + 1),
    n,
  );
  const all = choose(m + n, n);
  let below = 0;
  for (let u = 0; ; u++) {
    below += counts[u + (n * (n + 1)) / 2]!;
    if (below / all > TAIL) return u;
  }
}

const normalCut = (m: number, n: number): number =>
  Math.max(0, Math.round((m * n) / 2 - Z_95 * Math.sqrt((m * n * (m + n + 1)) / 12)));

function choose(n: number, k: number): number {
  let result = 1;
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
  return result;
}
