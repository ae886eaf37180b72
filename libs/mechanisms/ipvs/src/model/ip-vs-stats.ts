// The arithmetic of an estimator (net/netfilter/ipvs/ip_vs_est.c): five counters, five moving averages in fixed point.
//
// Rates are what came since the last sample, taken for two seconds whatever time has passed, and go into the average with
// weight 1/4. Averages are integers; the kernel's arithmetic shift of the difference is a division rounded down. Totals
// that a reader sees are those of the last sample.

/** Order of the counters everywhere: connections, packets in and out, bytes in and out. */
export const COUNTERS = 5;
export const CONNS = 0;
export const INPKTS = 1;
export const OUTPKTS = 2;
export const INBYTES = 3;
export const OUTBYTES = 4;

/** Counts are scaled by 2^10 and bytes by 2^5, over two seconds. */
const SCALE = [2 ** 9, 2 ** 9, 2 ** 9, 2 ** 4, 2 ** 4] as const;

/** One sample: brings `last` and `average` (both from `at` on) up to `totals`. */
export function estimateStats(last: Float64Array, average: Float64Array, at: number, totals: Float64Array): void {
  for (let counter = 0; counter < COUNTERS; counter++) {
    const rate = (totals[counter]! - last[at + counter]!) * SCALE[counter]!;
    last[at + counter] = totals[counter]!;
    const before = average[at + counter]!;
    average[at + counter] = before + Math.floor((rate - before) / 4);
  }
}

/** ip_vs_read_estimator(): what users see of an average; per second, bytes per second. */
export function decodeRate(average: number, counter: number): number {
  return counter < INBYTES ? Math.floor((average + 0x1ff) / 1024) : Math.floor((average + 0xf) / 32);
}

/** ip_vs_zero_estimator() */
export function zeroStats(last: Float64Array, average: Float64Array, at: number, totals: Float64Array): void {
  for (let counter = 0; counter < COUNTERS; counter++) {
    last[at + counter] = totals[counter]!;
    average[at + counter] = 0;
  }
}
