// The state of a rw_semaphore and how it passes from one to the next; rwsem.ts has what tasks call.
import type { Machine } from '../machine.js';
import { SchedClass, type Task, TaskState } from '../sched/task.js';
import { Lock, type LockOptions } from './lock.js';
import { OwnerSpin } from './owner-spin.js';
import { type TaskLocks, WaitList } from './task-locks.js';

export interface RwsemOptions extends LockOptions {
  /** CONFIG_RWSEM_SPIN_ON_OWNER: writers spin; true is the kernel on SMP. */
  readonly writerSpinning?: boolean;
  /** Readers may overtake waiting writers; true is the kernel since 5.11. */
  readonly readerStealing?: boolean;
  /**
   * CPU time to wake one sleeper, 0 by default. wake_up_q() wakes one after the other: who releases the lock pays
   * (upRead() and upWrite() tell how much), and readers that are let in together are woken that much apart.
   */
  readonly wakeNs?: number;
}

export const enum Stage {
  ReaderArriving,
  ReaderWaiting,
  WriterArriving,
  WriterSpinning,
  WriterWaiting,
  /** On the wait list too, after it has set HANDOFF. */
  WriterWaiterSpinning,
  /** The lock was given to it while it spun. */
  WriterGranted,
}

/** MAX_READERS_WAKEUP */
const READERS_WAKEUP_MAX = 256;
/** RWSEM_WAIT_TIMEOUT is DIV_ROUND_UP(HZ, 250) jiffies. */
const WAIT_TIMEOUT_NS = 4_000_000;

export abstract class RwsemCore extends Lock {
  readonly kind = 'sleep';
  writer: Task | undefined = undefined;
  /** How many readers have the lock. */
  readers = 0;
  /** Writers that took the lock ahead of waiters, readers that did, and hand-offs that were asked for. */
  writerSteals = 0;
  readerSteals = 0;
  handoffs = 0;
  protected readonly waiters = new WaitList();
  protected handoff = false;
  /** RWSEM_NONSPINNABLE: writers have spun long enough on readers. */
  protected nonspinnable = false;
  protected readonly writerSpinning: boolean;
  private readonly readerStealing: boolean;
  private readonly wakeNs: number;
  /** Tasks woken by the release under way. */
  private woken = 0;
  private readonly timeoutJiffies: number;
  protected spin: OwnerSpin | undefined = undefined;
  private spinTimer = -1;
  private spinVersion = 0;

  constructor(machine: Machine, name: string, options: RwsemOptions = {}) {
    super(machine, name, options);
    this.writerSpinning = options.writerSpinning ?? true;
    this.readerStealing = options.readerStealing ?? true;
    this.wakeNs = options.wakeNs ?? 0;
    this.timeoutJiffies = Math.ceil(WAIT_TIMEOUT_NS / machine.jiffyNs);
  }

  /** Sleeping waiters. */
  get waiting(): number {
    return this.waiters.length;
  }

  get spinning(): number {
    return this.spin === undefined ? 0 : this.spin.spinning;
  }

  /** rwsem_read_trylock() and the stealing of rwsem_down_read_slowpath(). */
  protected tryRead(): boolean {
    if (this.writer !== undefined) return false;
    if (this.waiters.length > 0) {
      // A stream of readers shall not starve a sleeping writer: only the first may overtake it.
      if (!this.readerStealing || this.handoff || this.readers > 0) return false;
      this.readerSteals++;
    }
    if (++this.readers > 1) return true;
    this.beganReading();
    if (this.waiters.first?.stage === Stage.ReaderWaiting) this.grantReaders();
    return true;
  }

  /** rwsem_try_write_lock_unqueued(), also the fast path. */
  protected tryWrite(task: Task): boolean {
    if (this.writer !== undefined || this.readers > 0 || this.handoff) return false;
    if (this.waiters.length > 0) {
      // Taking a lock that others wait for is what spinners do, one after the other.
      if (!this.writerSpinning || this.nonspinnable || this.spinning > 0) return false;
      this.writerSteals++;
    }
    this.ownForWriting(task);
    this.spin?.look();
    return true;
  }

  private get jiffies(): number {
    return Math.floor(this.machine.nowNs / this.machine.jiffyNs);
  }

  protected enqueue(wait: TaskLocks, stage: Stage): void {
    wait.stage = stage;
    wait.handoffSet = false;
    wait.deadlineNs = (this.jiffies + this.timeoutJiffies) * this.machine.jiffyNs;
    this.waiters.push(wait);
  }

  protected waitedTooLong({ task, deadlineNs }: TaskLocks): boolean {
    return task.schedClass === SchedClass.Fifo || this.jiffies * this.machine.jiffyNs > deadlineNs;
  }

  protected askForHandoff(first: TaskLocks): void {
    this.handoff = true;
    this.handoffs++;
    first.handoffSet = true;
  }

  protected ownForWriting(task: Task): void {
    this.writer = task;
    this.nonspinnable = false;
    this.spin?.ownedBy(task);
  }

  /** Readers have the lock, and nobody had it before. */
  protected beganReading(): void {
    if (this.spin === undefined) return;
    this.spin.ownedByReaders();
    if (this.spin.spinning > 0) this.limitSpinning();
  }

  /**
   * The lock is free: to the spinner that sees it first, unless HANDOFF; waiters are woken all the same.
   * @returns ns that their wakeups take.
   */
  protected released(): number {
    this.woken = 0;
    const spinner = this.handoff ? undefined : this.spin?.takeFirst();
    if (spinner !== undefined) {
      if (this.waiters.length > 0) this.writerSteals++;
      spinner.stage = Stage.WriterGranted;
      this.ownForWriting(spinner.task);
      spinner.endSpin();
    } else if (this.spin !== undefined) {
      this.spin.failRealTime();
      this.spin.released();
    }
    if (this.waiters.length > 0) this.markWake();
    return this.woken * this.wakeNs;
  }

  /** rwsem_cond_wake_waiter() */
  protected wakeIfFree(): void {
    if (this.writer !== undefined) return;
    if (this.readers === 0) this.markWake();
    else if (this.waiters.first!.stage === Stage.ReaderWaiting) this.grantReaders();
  }

  /** rwsem_mark_wake(RWSEM_WAKE_ANY) */
  private markWake(): void {
    const first = this.waiters.first!;
    this.nonspinnable = false;
    if (first.stage !== Stage.ReaderWaiting) {
      if (first.stage === Stage.WriterWaiting) {
        // One that is on its way already costs nothing.
        if (first.task.state === TaskState.Blocked) this.woken++;
        this.machine.wake(first.task);
      }
    } else if (this.writer === undefined) {
      this.grantReaders();
    } else if (!this.handoff && this.waitedTooLong(first)) {
      this.askForHandoff(first);
    }
  }

  /** The rest of rwsem_mark_wake(): the lock to all waiting readers, across the writers between them. */
  protected grantReaders(): void {
    const free = this.readers === 0;
    const { current } = this.machine.scheduler;
    let woken = 0;
    let asleep = 0;
    for (let wait = this.waiters.first; wait !== undefined && woken < READERS_WAKEUP_MAX;) {
      const { next } = wait;
      if (wait.stage === Stage.ReaderWaiting) {
        this.waiters.remove(wait);
        woken++;
        // A reader that has just queued does not wake itself.
        if (wait.task !== current) this.machine.wakeIn(wait.task, asleep++ * this.wakeNs);
      }
      wait = next;
    }
    this.readers += woken;
    this.woken += woken;
    this.handoff = false;
    if (free) this.beganReading();
  }

  /** rwsem_rspin_threshold(): how long writers spin on readers before they sleep, all of them. */
  protected limitSpinning(): void {
    if (this.spinTimer < 0) this.spinTimer = this.machine.addActor((version) => this.spinEnd(version));
    this.spinVersion = (this.spinVersion + 1) | 0;
    const limitNs = (20 + Math.min(this.readers, 30)) * 500;
    this.machine.schedule(limitNs, this.spinTimer, this.spinVersion);
  }

  private spinEnd(version: number): void {
    if (version !== this.spinVersion || this.readers === 0 || this.spinning === 0) return;
    this.nonspinnable = true;
    this.spin!.failAll();
  }
}
