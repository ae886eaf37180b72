// How long the open cells will take: what each of them costs (cell-costs.ts), less what the running ones have had
// already, spread over the workers. A running cell that is overdue is expected to need a share of its time again, so
// that the estimate never reaches 0 before the cells do. As long as a variant and point has no finished cell the
// answer is a lower bound, and says so: the first replication of every point runs first, so that this ends soon.
import type { PlannedCell } from '@kworkbench/experiment';
import type { Remaining } from '../progress.js';
import { CellCosts, groupKey } from './cell-costs.js';

/** Of the time that an overdue cell has had, what it is expected to need still. Replications differ by about a third. */
const OVERDUE_KNOWN = 0.15;
/** A cell without a finished one like it may be anything: half its time again. */
const OVERDUE_UNKNOWN = 0.5;

interface OpenGroup {
  readonly like: PlannedCell;
  /** Cells that have not started. */
  waiting: number;
}

export class RemainingTime {
  readonly #costs = new CellCosts();
  readonly #open = new Map<string, OpenGroup>();
  readonly #running = new Map<string, { readonly cell: PlannedCell; readonly startedSeconds: number }>();

  /** @param now seconds of any clock that only goes forward. */
  constructor(
    private readonly workers: number,
    private readonly now: () => number = () => performance.now() / 1000,
  ) {}

  planned(cell: PlannedCell): void {
    const key = groupKey(cell);
    const group = this.#open.get(key);
    if (group) group.waiting += 1;
    else this.#open.set(key, { like: cell, waiting: 1 });
  }

  started(cell: PlannedCell): void {
    this.#leaveQueue(cell);
    this.#running.set(cell.id, { cell, startedSeconds: this.now() });
  }

  /** Since the cell started; 0 for one that did not. */
  elapsedSeconds({ id }: PlannedCell): number {
    const running = this.#running.get(id);
    return running ? this.now() - running.startedSeconds : 0;
  }

  /** @param seconds what cells like it take; undefined when it says nothing about them: it was cut off, or broke. */
  ended(cell: PlannedCell, seconds: number | undefined): void {
    if (!this.#running.delete(cell.id)) this.#leaveQueue(cell);
    if (seconds !== undefined) this.#costs.learn(cell, seconds);
  }

  /** Undefined before the first finished cell, and when none is open. */
  estimate(): Remaining | undefined {
    let sum = 0;
    let longest = 0;
    let atLeast = false;
    const add = (seconds: number, cells: number, known: boolean): void => {
      sum += seconds * cells;
      longest = Math.max(longest, seconds);
      atLeast ||= !known;
    };
    for (const { cell } of this.#running.values()) {
      const cost = this.#costs.of(cell);
      if (!cost) return undefined;
      const had = this.elapsedSeconds(cell);
      add(Math.max(cost.seconds - had, had * (cost.known ? OVERDUE_KNOWN : OVERDUE_UNKNOWN)), 1, cost.known);
    }
    for (const { like, waiting } of this.#open.values()) {
      const cost = this.#costs.of(like);
      if (!cost) return undefined;
      add(cost.seconds, waiting, cost.known);
    }
    return sum === 0 ? undefined : { seconds: Math.max(longest, sum / this.workers), atLeast };
  }

  #leaveQueue(cell: PlannedCell): void {
    const key = groupKey(cell);
    const group = this.#open.get(key);
    if (!group) return;
    group.waiting -= 1;
    if (group.waiting === 0) this.#open.delete(key);
  }
}
