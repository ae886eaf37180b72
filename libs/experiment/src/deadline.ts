// The wall time that a whole experiment may take. What it cuts off has timed out, it was not cancelled.
import { isFailure } from './plan.js';
import type { CellFailure, CellResult } from './cell.js';

/** A timer of the host holds no more; a longer time is no limit that anybody will see. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What the time of the whole experiment has cut off. */
export const overdue = (cellId: string, limitMs: number): CellFailure => ({
  cellId,
  kind: 'timeout',
  message: `the experiment had not ended after ${limitMs / 1000} s`,
});

export class Deadline {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;

  /** @param limitMs from now; undefined for no limit. */
  constructor(private readonly limitMs: number | undefined) {
    if (limitMs === undefined) return;
    this.#timer = setTimeout(() => this.#abort.abort(), Math.min(limitMs, LONGEST_TIMER_MS));
    this.#timer.unref();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** A cell that was cancelled because of the deadline has timed out. */
  judge(result: CellResult | CellFailure): CellResult | CellFailure {
    if (!this.signal.aborted || !isFailure(result) || result.kind !== 'cancelled') return result;
    return overdue(result.cellId, this.limitMs!);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
