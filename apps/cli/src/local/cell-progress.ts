// Events of the local runner to counts per variant.
import type { ExperimentEvent } from '@kworkbench/experiment';
import type { VariantCount } from '../progress.js';

export class CellProgress {
  readonly #byVariant = new Map<string, { done: number; total: number }>();
  #done = 0;
  #failed = 0;

  /** Whether the event changed a count. */
  take(event: ExperimentEvent): boolean {
    if (event.type === 'planned') {
      for (const { variant } of event.cells) this.#of(variant).total += 1;
      return true;
    }
    if (event.type !== 'finished' && event.type !== 'failed') return false;
    if (event.type === 'failed') {
      this.#failed += 1;
      if (event.failure.kind === 'cancelled') return true;
    }
    this.#done += 1;
    this.#of(event.cell.variant).done += 1;
    return true;
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

  #of(variant: string): { done: number; total: number } {
    let count = this.#byVariant.get(variant);
    if (!count) this.#byVariant.set(variant, (count = { done: 0, total: 0 }));
    return count;
  }
}
