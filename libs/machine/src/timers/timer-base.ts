// struct timer_base: the wheel of one CPU, the softirq that expires it, and the events under way for it.
//
// An event is pushed only for a time before every other one of the base, so those under way are a stack with the
// earliest on top: a base has at most one event per jiffy however often timers are armed, moved and removed.
import type { Cpu } from '../sched/cpu.js';
import type { Task } from '../sched/task.js';
import type { Timer } from './timer.js';
import { TimerWheel } from './wheel.js';

export class TimerBase {
  readonly wheel: TimerWheel;
  /** The timer whose function runs. */
  running: Timer | undefined = undefined;
  softirq: Task | undefined = undefined;
  /** Who waits in deleteSync() for the function to end. */
  readonly waiters: Task[] = [];
  private readonly armed: number[] = [];

  constructor(
    readonly cpu: Cpu,
    depth: number,
    jiffies: number,
  ) {
    this.wheel = new TimerWheel(depth, jiffies);
  }

  /** Whether an event must be pushed for this jiffy; taken for pushed when so. */
  needsEventAt(jiffy: number): boolean {
    const { armed } = this;
    if (jiffy === Infinity || (armed.length > 0 && armed[armed.length - 1]! <= jiffy)) return false;
    armed.push(jiffy);
    return true;
  }

  /** The earliest event came. */
  eventCame(): void {
    this.armed.pop();
  }
}
