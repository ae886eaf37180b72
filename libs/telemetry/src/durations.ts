import { Histogram } from './histogram.js';

/** A histogram of durations: recorded in whole ns, shown in seconds. @param name ends with `_seconds`. */
export const durationHistogram = (name: string, help: string): Histogram =>
  new Histogram({ name, unit: 'seconds', help, scale: 1e-9 });

/** A quantile of durations recorded in ns, in seconds; 0 when there are none. @throws RangeError unless 0 <= q <= 1. */
export const secondsAt = (durations: Histogram, q: number): number => durations.quantile(q) / 1e9;
