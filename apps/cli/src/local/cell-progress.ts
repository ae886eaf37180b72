// Events of the local runner to counts per variant, and to the time that is left.
import type { ExperimentEvent, PlannedCell } from '@kworkbench/experiment';
import type { VariantCount } from '../progress.js';

interface Times {
  done: number;
  seconds: number;
}

const add = (times: Times | undefined, seconds: number): Times => ({
  done: (times?.done ?? 0) + 1,
  seconds: (times?.seconds ?? 0) + seconds,
});

export class CellProgress {
  readonly #byVariant = new Map<string, { done: number; total: number }>();
  readonly #open = new Map<string, PlannedCell>();
  readonly #times = new Map<string, Times>();
  #done = 0;
  #failed = 0;
  #reused = 0;

  constructor(private readonly workers: number) {}

  /** Whether the event changed a count. */
  take(event: ExperimentEvent): boolean {
    if (event.type === 'planned') {
      for (const cell of event.cells) {
        this.#of(cell.variant).total += 1;
        this.#open.set(cell.id, cell);
      }
      return true;
    }
    if (event.type !== 'finished' && event.type !== 'reused' && event.type !== 'failed') return false;
    this.#open.delete(event.cell.id);
    // Cut off, not failed: it stays open for whoever resumes the run.
    if (event.type === 'failed' && event.failure.kind === 'cancelled') return true;
    if (event.type === 'failed') this.#failed += 1;
    if (event.type === 'reused') this.#reused += 1;
    if (event.type === 'finished') {
      for (const key of keysOf(event.cell)) {
        this.#times.set(key, add(this.#times.get(key), event.result.wallSeconds));
      }
    }
    this.#done += 1;
    this.#of(event.cell.variant).done += 1;
    return true;
  }

  /** Seconds of wall time that the open cells will take, by what cells like them took; undefined before the first. */
  remainingSeconds(): number | undefined {
    let seconds = 0;
    for (const cell of this.#open.values()) {
      const like = keysOf(cell).find((key) => this.#times.has(key));
      if (like === undefined) return undefined;
      const times = this.#times.get(like)!;
      seconds += times.seconds / times.done;
    }
    return seconds / Math.max(1, Math.min(this.workers, this.#open.size));
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

  #of(variant: string): { done: number; total: number } {
    let count = this.#byVariant.get(variant);
    if (!count) this.#byVariant.set(variant, (count = { done: 0, total: 0 }));
    return count;
  }
}

/** What cells are like, the closest likeness first: same variant and point, same point, same variant, any. */
function keysOf({ variant, point }: PlannedCell): string[] {
  const at = JSON.stringify(point);
  return [`${variant} ${at}`, `* ${at}`, variant, ''];
}
