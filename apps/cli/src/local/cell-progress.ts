// Events of the local runner to counts per variant, and to the time that is left.
import type { ExperimentEvent } from '@kworkbench/experiment';
import type { Remaining, VariantCount } from '../progress.js';
import { RemainingTime } from './remaining-time.js';

type Ended = Extract<ExperimentEvent, { readonly type: 'finished' | 'reused' | 'failed' }>;

export class CellProgress {
  readonly #byVariant = new Map<string, { done: number; total: number }>();
  readonly #remaining: RemainingTime;
  #done = 0;
  #failed = 0;
  #reused = 0;

  /** @param searching the results decide which cells there will be: nobody knows how many. */
  constructor(
    workers: number,
    private readonly searching = false,
  ) {
    this.#remaining = new RemainingTime(workers);
  }

  /** Whether the event changed a count. */
  take(event: ExperimentEvent): boolean {
    if (event.type === 'planned') {
      for (const cell of event.cells) {
        this.#of(cell.variant).total += 1;
        this.#remaining.planned(cell);
      }
      return true;
    }
    if (event.type === 'started') this.#remaining.started(event.cell);
    if (event.type !== 'finished' && event.type !== 'reused' && event.type !== 'failed') return false;
    this.#remaining.ended(event.cell, this.#secondsOf(event));
    // Cut off, not failed: it stays open for whoever resumes the run.
    if (event.type === 'failed' && event.failure.kind === 'cancelled') return true;
    if (event.type === 'failed') this.#failed += 1;
    if (event.type === 'reused') this.#reused += 1;
    this.#done += 1;
    this.#of(event.cell.variant).done += 1;
    return true;
  }

  /** Undefined before the first finished cell. */
  remaining(): Remaining | undefined {
    const known = this.#remaining.estimate();
    return known && { ...known, atLeast: known.atLeast || this.searching };
  }

  get counts(): VariantCount[] {
    return [...this.#byVariant].map(([variant, count]) => ({ variant, ...count }));
  }

  get done(): number {
    return this.#done;
  }

  get total(): number {
    return [...this.#byVariant.values()].reduce((sum, { total }) => sum + total, 0);
  }

  get failed(): number {
    return this.#failed;
  }

  get reused(): number {
    return this.#reused;
  }

  /** What cells like this one take, as far as its end tells. */
  #secondsOf(event: Ended): number | undefined {
    if (event.type === 'reused') return event.result.wallSeconds;
    const counts = event.type === 'finished' || event.failure.kind === 'timeout';
    return counts ? this.#remaining.elapsedSeconds(event.cell) : undefined;
  }

  #of(variant: string): { done: number; total: number } {
    let count = this.#byVariant.get(variant);
    if (!count) this.#byVariant.set(variant, (count = { done: 0, total: 0 }));
    return count;
  }
}
