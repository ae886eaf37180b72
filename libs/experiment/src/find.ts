// Bisection for a critical value, as a pure function of what has been run so far: any process can take the next step.
// Both ends are tried first; then the bracket is halved, on a logarithmic scale where its lower end is above 0.
import { MAX_FIND_ROUNDS } from './limits.js';
import type { FindSpec } from './scenario/scenario.js';

export type FindStep =
  /** Values whose answer is needed before the next step. */
  | { readonly kind: 'try'; readonly values: readonly number[] }
  /** The condition does not hold at `low` and holds at `high`; the bracket is narrow enough. */
  | { readonly kind: 'found'; readonly low: number; readonly high: number }
  | { readonly kind: 'holds at from' }
  | { readonly kind: 'never holds' }
  /** Cells failed at this value, so there is no answer; with a reason, they could not even start. */
  | { readonly kind: 'no answer'; readonly at: number; readonly reason?: string };

/** Whether the condition holds at a value; `undefined` when that has not been run, `null` when it cannot be known. */
export type Answer = (value: number) => boolean | null | undefined;

export function nextFindStep(find: FindSpec, answer: Answer): FindStep {
  const ends = [find.from, find.to];
  const open = ends.filter((value) => answer(value) === undefined);
  if (open.length > 0) return { kind: 'try', values: open };
  const unknown = ends.find((value) => answer(value) === null);
  if (unknown !== undefined) return { kind: 'no answer', at: unknown };
  if (answer(find.from)) return { kind: 'holds at from' };
  if (!answer(find.to)) return { kind: 'never holds' };
  let [low, high] = [find.from, find.to];
  for (let round = 0; round < MAX_FIND_ROUNDS; round++) {
    const middle = middleOf(find, low, high);
    if (middle === undefined) break;
    const holds = answer(middle);
    if (holds === undefined) return { kind: 'try', values: [middle] };
    if (holds === null) return { kind: 'no answer', at: middle };
    if (holds) high = middle;
    else low = middle;
  }
  return { kind: 'found', low, high };
}

/** The next value to try; undefined when the bracket is narrow enough or cannot be halved. */
function middleOf(find: FindSpec, low: number, high: number): number | undefined {
  const width = find.precision.kind === 'relative' ? find.precision.value * low : find.precision.value;
  if (high - low <= width) return undefined;
  const exact = low > 0 ? Math.sqrt(low * high) : (low + high) / 2;
  const middle = find.integer ? Math.round(exact) : exact;
  return middle > low && middle < high ? middle : find.integer && high - low >= 2 ? low + 1 : undefined;
}

/** An upper bound of the cells that a search can take. */
export function findCellCount(find: FindSpec, points: number, replications: number): number {
  let rounds = 0;
  // The slower half of a logarithmic bisection is the upper one: follow it to the end.
  for (let low = find.from, high = find.to; rounds < MAX_FIND_ROUNDS; rounds++) {
    const middle = middleOf(find, low, high);
    if (middle === undefined) break;
    if (high - middle > middle - low) low = middle;
    else high = middle;
  }
  return (rounds + 2) * find.variants.length * points * replications;
}
