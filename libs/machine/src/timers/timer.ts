// struct timer_list: a function that is to be called once, at a jiffy or somewhat after it.
import type { TaskBody } from '../sched/task.js';
import type { TimerBase } from './timer-base.js';

/** Called in softirq context, so it may not sleep. One that costs CPU time is a generator and yields that time. */
export type TimerFunction = (timer: Timer) => TaskBody | void;

export class Timer {
  /** The jiffy at which it is due; it is never called before. */
  expires = 0;
  /** The list of its wheel that it is in, -1 in none; with `next` and `previous` the wheel's business. */
  bucket = -1;
  next: Timer | undefined = undefined;
  previous: Timer | undefined = undefined;
  /** Where it is, or was last. */
  base: TimerBase | undefined = undefined;

  constructor(readonly run: TimerFunction) {}

  /** timer_pending(): armed, and its function not yet called. */
  get pending(): boolean {
    return this.bucket >= 0;
  }
}
