// struct pool_workqueue: the part of a workqueue that belongs to one pool. It lets max_active items onto the worklist of
// the pool and keeps the others back, in order.
import { Deque } from '../deque.js';
import { invariant } from '../invariant.js';
import type { Work } from './work.js';
import type { WorkerPool } from './worker-pool.js';
import type { Workqueue } from './workqueue.js';

export class PoolQueue {
  active = 0;
  activeMax = 0;
  readonly inactive = new Deque<Work>();
  /** It is on the list of its queue's rescuer. */
  mayday = false;

  constructor(
    readonly workqueue: Workqueue,
    readonly pool: WorkerPool,
    readonly maxActive: number,
  ) {}

  /** __queue_work(), of an item that has just become pending. */
  insert(work: Work): void {
    work.queue = this;
    work.color = this.workqueue.colors.enter();
    if (this.active < this.maxActive) {
      this.activate(work);
      this.pool.wakeIfNeeded();
    } else {
      work.inactive = true;
      this.inactive.push(work);
    }
  }

  /**
   * pwq_dec_nr_in_flight(): an item was done, or taken off the pool; the oldest inactive one takes its place. Nobody is
   * woken: the worker that did the item goes on with the next.
   */
  left(color: number): void {
    this.active--;
    const next = this.inactive.shift();
    if (next !== undefined) {
      next.inactive = false;
      this.activate(next);
    }
    this.workqueue.colors.leave(color);
  }

  /** try_to_grab_pending(): takes a queued item back. */
  remove(work: Work): void {
    work.queue = undefined;
    if (work.inactive) {
      work.inactive = false;
      invariant(this.inactive.remove(work), 'workqueue: an inactive item is not where it should be');
      this.workqueue.colors.leave(work.color);
      return;
    }
    invariant(this.pool.take(work), 'workqueue: a queued item is not where it should be');
    this.left(work.color);
    this.pool.wakeIfNeeded();
  }

  private activate(work: Work): void {
    this.active++;
    if (this.active > this.activeMax) this.activeMax = this.active;
    invariant(this.active <= this.maxActive, 'workqueue: more active items than max_active');
    this.pool.worklist.push(work);
  }
}
