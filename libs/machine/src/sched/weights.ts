// sched_prio_to_weight[]: a step of nice is a factor of about 1.25, so that it shifts about 10 % of a shared CPU.
import { invariant } from '../invariant.js';

export const NICE_MIN = -20;
export const NICE_MAX = 19;

export const enum Weight {
  Nice0 = 1024,
}

const WEIGHTS = [
  88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991,
  1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
] as const;

/** @throws InvariantViolation unless `nice` is an integer of -20..19. */
export function weightOf(nice: number): number {
  const weight = WEIGHTS[nice - NICE_MIN];
  invariant(weight !== undefined, `nice: an integer of ${NICE_MIN} to ${NICE_MAX}, not ${nice}`);
  return weight;
}
