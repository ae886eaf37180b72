// High-resolution timers, as in kernel/time/hrtimer.c: armed for a nanosecond, armed again, cancelled. A timer that was
// cancelled costs nothing later: its event is taken back. A timer has a place in the table only while it is armed, so
// that there may be one per connection or request, and nothing need be done when those end.
import { type EventQueue, NO_SLOT } from './event-queue.js';
import { TargetKind, targetOf } from './target.js';

export class HrTimers {
  private readonly armed: (HrTimer | undefined)[] = [];
  private readonly free: number[] = [];
  private stamp = 0;

  constructor(readonly events: EventQueue) {}

  /** Arms `timer` and returns its event's slot. */
  add(timer: HrTimer, delayNs: number): number {
    const index = this.free.pop() ?? this.armed.length;
    this.armed[index] = timer;
    this.stamp = (this.stamp + 1) | 0;
    timer.index = index;
    timer.stamp = this.stamp;
    return this.events.push(delayNs, targetOf(TargetKind.Timer, index), this.stamp);
  }

  remove(timer: HrTimer): void {
    this.armed[timer.index] = undefined;
    this.free.push(timer.index);
  }

  /** The event of a timer; one for the instant of its arming cannot be taken back, and is out of date then. */
  fire(index: number, stamp: number): void {
    const timer = this.armed[index];
    if (timer?.stamp === stamp) timer.expire();
  }
}

export class HrTimer {
  /** Its place in the table, and what its event carries; of use to {@link HrTimers} only. */
  index = -1;
  stamp = 0;
  private slot = NO_SLOT;
  private isPending = false;

  /** @param callback What happens when the time has come; it may arm the timer again. */
  constructor(
    private readonly timers: HrTimers,
    private readonly callback: () => void,
  ) {}

  /** hrtimer_active(): armed, and its time has not come. */
  get pending(): boolean {
    return this.isPending;
  }

  /** hrtimer_start(): arms it for `delayNs` from now, a whole number; one that was armed is cancelled before. */
  start(delayNs: number): void {
    this.cancel();
    this.slot = this.timers.add(this, delayNs);
    this.isPending = true;
  }

  /** hrtimer_cancel(): true when it was armed. */
  cancel(): boolean {
    if (!this.isPending) return false;
    this.isPending = false;
    this.timers.remove(this);
    if (this.slot !== NO_SLOT) this.timers.events.takeBack(this.slot);
    return true;
  }

  /** Its time has come; called by {@link HrTimers}. */
  expire(): void {
    this.isPending = false;
    this.timers.remove(this);
    this.callback();
  }
}
