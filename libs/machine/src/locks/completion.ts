// struct completion as in kernel/sched/completion.c: a count of events and FIFO sleepers.
//
// A complete() that comes first is remembered, so none is lost; complete_all() lets everybody through from then on.
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import { PARK, type TaskBody } from '../sched/task.js';
import { TaskLocks, WaitList } from './task-locks.js';

export class Completion {
  /** After a wait with a timeout has returned 0: whether the time ran out. Valid until the task yields again. */
  timedOut = false;
  /** Events that nobody has waited for yet; Infinity after complete_all(). */
  private done = 0;
  private readonly waiters = new WaitList();

  constructor(
    private readonly machine: Machine,
    readonly name: string,
  ) {}

  get waiting(): number {
    return this.waiters.length;
  }

  /** completion_done(): whether somebody could go through now. */
  get isDone(): boolean {
    return this.done > 0;
  }

  /** Lets one task through. Callable from anywhere, also from timers. */
  complete(): void {
    this.done++;
    this.wakeFirst();
  }

  completeAll(): void {
    this.done = Infinity;
    while (this.waiters.length > 0) this.wakeFirst();
  }

  /** reinit_completion(): only while nobody waits. */
  reinit(): void {
    invariant(this.waiters.length === 0, `${this.name}: reinit while somebody waits`);
    this.done = 0;
  }

  /**
   * wait_for_completion_timeout() in steps: yield what it returns until that is 0, then see {@link timedOut}.
   * @param timeoutNs from the first step; Infinity waits for ever.
   */
  acquire(timeoutNs = Infinity): number {
    const task = this.machine.current;
    const locks = task.locks;
    if (locks === undefined || locks.waitsFor !== this) {
      if (this.done > 0) return this.take();
      return this.startWaiting(TaskLocks.of(this.machine, task), timeoutNs);
    }
    if (this.done > 0) {
      this.leave(locks);
      return this.take();
    }
    return this.sleep(locks);
  }

  /** `yield* completion.wait()` */
  *wait(): TaskBody {
    for (let wait; (wait = this.acquire()) !== 0;) yield wait;
  }

  /** `const inTime = yield* completion.waitTimeout(ns)` */
  *waitTimeout(timeoutNs: number): Generator<number, boolean, void> {
    for (let wait; (wait = this.acquire(timeoutNs)) !== 0;) yield wait;
    return !this.timedOut;
  }

  private startWaiting(wait: TaskLocks, timeoutNs: number): number {
    wait.begin(this);
    wait.deadlineNs = this.machine.nowNs + Math.round(timeoutNs);
    return this.sleep(wait);
  }

  /** swake_up_locked(): who is woken is off the list, and back at its end if another was faster. */
  private wakeFirst(): void {
    const head = this.waiters.shift();
    if (head !== undefined) this.machine.wake(head.task);
  }

  private sleep(wait: TaskLocks): number {
    // A wakeup that was not meant for this wait took its timer along: sleep on for the rest.
    const leftNs = wait.deadlineNs - this.machine.nowNs;
    if (leftNs <= 0) {
      this.leave(wait);
      this.timedOut = true;
      return 0;
    }
    if (wait.list === undefined) this.waiters.push(wait);
    return leftNs === Infinity ? PARK : this.machine.sleep(leftNs);
  }

  private leave(wait: TaskLocks): void {
    if (wait.list !== undefined) this.waiters.remove(wait);
    wait.end();
  }

  private take(): number {
    this.done--;
    this.timedOut = false;
    return 0;
  }
}
