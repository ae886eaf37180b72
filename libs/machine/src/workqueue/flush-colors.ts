// Work and flush colours of a workqueue: who flushes waits for the items that were queued before it, not for later ones.
//
// The kernel has 15 colours in a ring and lets further flushers wait (kernel/workqueue.c: __flush_workqueue()); here
// colours are numbers that only grow, so a flusher never waits for a colour to become free.
import type { Machine } from '../machine.js';
import { PARK, type Task, type TaskBody } from '../sched/task.js';

export class FlushColors {
  /** Items in flight of each colour from `oldest` on; the last one is the colour of what is queued now. */
  private readonly counts: number[] = [0];
  private oldest = 0;
  private total = 0;
  private readonly flushers: Task[] = [];

  constructor(private readonly machine: Machine) {}

  get inFlight(): number {
    return this.total;
  }

  /** An item was queued: its colour. */
  enter(): number {
    const last = this.counts.length - 1;
    this.counts[last]!++;
    this.total++;
    return this.oldest + last;
  }

  /** An item of this colour was done, or cancelled. */
  leave(color: number): void {
    this.counts[color - this.oldest]!--;
    this.total--;
    let gone = false;
    while (this.counts.length > 1 && this.counts[0] === 0) {
      this.counts.shift();
      this.oldest++;
      gone = true;
    }
    if (!gone) return;
    for (const task of this.flushers) this.machine.wake(task);
  }

  /** Returns when everything that was in flight at the call has left. */
  *flush(): TaskBody {
    if (this.total === 0) return;
    const task = this.machine.current;
    const color = this.oldest + this.counts.length - 1;
    this.counts.push(0);
    this.flushers.push(task);
    while (this.oldest <= color) yield PARK;
    this.flushers.splice(this.flushers.indexOf(task), 1);
  }
}
