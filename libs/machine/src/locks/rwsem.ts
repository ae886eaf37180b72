// struct rw_semaphore as in kernel/locking/rwsem.c: many readers or one writer, FIFO waiters.
//
// When readers get the lock, all waiting readers up to 256 get it, also those behind waiting writers
// (rwsem_mark_wake()). A running writer may take a free lock ahead of the waiters, and spins while a writer that runs
// has it, or for a while when readers have it. A reader may take a lock that writers only wait for (reader optimistic
// lock stealing). Who waits at the head for more than 4 ms sets HANDOFF: from then on nobody overtakes it.
//
// Invariants: a writer excludes everybody; HANDOFF only while somebody waits; who waits is on the wait list or spins.
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import { PARK, SchedClass, type Task, type TaskBody } from '../sched/task.js';
import { Lock, type LockOptions } from './lock.js';
import { LockMode } from './lock-probe.js';
import { OwnerSpin } from './owner-spin.js';
import { type TaskLocks, WaitList } from './task-locks.js';

export interface RwsemOptions extends LockOptions {
  /** CONFIG_RWSEM_SPIN_ON_OWNER: writers spin; true is the kernel on SMP. */
  readonly writerSpinning?: boolean;
  /** Readers may overtake waiting writers; true is the kernel since 5.11. */
  readonly readerStealing?: boolean;
}

const enum Stage {
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

export class Rwsem extends Lock {
  readonly kind = 'sleep';
  writer: Task | undefined;
  /** How many readers have the lock. */
  readers = 0;
  /** Writers that took the lock ahead of waiters, readers that did, and hand-offs that were asked for. */
  writerSteals = 0;
  readerSteals = 0;
  handoffs = 0;
  private readonly waiters = new WaitList();
  private handoff = false;
  /** RWSEM_NONSPINNABLE: writers have spun long enough on readers. */
  private nonspinnable = false;
  private readonly writerSpinning: boolean;
  private readonly readerStealing: boolean;
  private readonly timeoutJiffies: number;
  private spin: OwnerSpin | undefined;
  private spinTimer = -1;
  private spinVersion = 0;

  constructor(machine: Machine, name: string, options: RwsemOptions = {}) {
    super(machine, name, options);
    this.writerSpinning = options.writerSpinning ?? true;
    this.readerStealing = options.readerStealing ?? true;
    this.timeoutJiffies = Math.ceil(WAIT_TIMEOUT_NS / machine.jiffyNs);
  }

  /** Sleeping waiters. */
  get waiting(): number {
    return this.waiters.length;
  }

  get spinning(): number {
    return this.spin === undefined ? 0 : this.spin.spinning;
  }

  *lockRead(subclass = 0): TaskBody {
    for (let wait; (wait = this.downRead(subclass)) !== 0;) yield wait;
  }

  *lockWrite(subclass = 0): TaskBody {
    for (let wait; (wait = this.downWrite(subclass)) !== 0;) yield wait;
  }

  /** down_read_nested() in steps: yield what it returns until that is 0. */
  downRead(subclass = 0): number {
    const task = this.machine.current;
    const wait = this.waitOf(task);
    if (wait !== undefined) return this.readOn(task, wait);
    invariant(this.writer !== task, `${this.name}: ${task.name} wants to read what it writes`);
    this.probe?.acquire(this, task, LockMode.Shared, subclass, false);
    if (this.line !== undefined) {
      const ns = this.fetchLine(task, Stage.ReaderArriving);
      if (ns > 0) return ns;
    }
    if (!this.tryRead()) return this.waitToRead(task, this.beginWait(task));
    this.probe?.acquired(this, task, LockMode.Shared, 0);
    return 0;
  }

  /** down_write_nested() in steps: yield what it returns until that is 0. */
  downWrite(subclass = 0): number {
    const task = this.machine.current;
    const wait = this.waitOf(task);
    if (wait !== undefined) return this.writeOn(task, wait);
    invariant(this.writer !== task, `${this.name}: ${task.name} locks it twice`);
    this.probe?.acquire(this, task, LockMode.Exclusive, subclass, false);
    if (this.line !== undefined) {
      const ns = this.fetchLine(task, Stage.WriterArriving);
      if (ns > 0) return ns;
    }
    if (!this.tryWrite(task)) return this.contendedWrite(task, this.beginWait(task));
    this.probe?.acquired(this, task, LockMode.Exclusive, 0);
    return 0;
  }

  /** down_read_trylock() and down_write_trylock(): whether it worked. They do not overtake. */
  tryDownRead(): boolean {
    if (this.writer !== undefined || this.waiters.length > 0) return false;
    this.readers++;
    return this.tried(LockMode.Shared);
  }

  tryDownWrite(): boolean {
    if (this.writer !== undefined || this.readers > 0 || this.waiters.length > 0) return false;
    this.ownForWriting(this.machine.current);
    return this.tried(LockMode.Exclusive);
  }

  upRead(): void {
    invariant(this.readers > 0, `${this.name}: no reader to leave`);
    const task = this.machine.current;
    this.probe?.release(this, task, LockMode.Shared);
    this.releaseLine(task);
    this.readers--;
    if (this.readers === 0) this.released();
  }

  upWrite(): void {
    this.leaveWriting();
    this.writer = undefined;
    this.released();
  }

  /** downgrade_write(): the writer goes on as a reader, and waiting readers join it. */
  downgradeWrite(): void {
    this.leaveWriting();
    this.writer = undefined;
    this.readers = 1;
    const task = this.machine.current;
    this.probe?.acquire(this, task, LockMode.Shared, 0, true);
    this.probe?.acquired(this, task, LockMode.Shared, 0);
    this.beganReading();
    if (this.waiters.first?.stage === Stage.ReaderWaiting) this.grantReaders();
  }

  private tried(mode: LockMode): boolean {
    this.probe?.acquire(this, this.machine.current, mode, 0, true);
    this.probe?.acquired(this, this.machine.current, mode, 0);
    return true;
  }

  private leaveWriting(): void {
    const task = this.machine.current;
    invariant(this.writer === task, `${this.name}: ${task.name} unlocks what it does not own`);
    this.probe?.release(this, task, LockMode.Exclusive);
    this.releaseLine(task);
  }

  /** rwsem_read_trylock() and the stealing of rwsem_down_read_slowpath(). */
  private tryRead(): boolean {
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

  private waitToRead(task: Task, wait: TaskLocks): number {
    this.probe?.contended(this, task, LockMode.Shared);
    this.enqueue(wait, Stage.ReaderWaiting);
    this.wakeIfFree();
    return wait.list === undefined ? this.got(task, wait, LockMode.Shared) : PARK;
  }

  private readOn(task: Task, wait: TaskLocks): number {
    if (wait.stage === Stage.ReaderArriving) {
      return this.tryRead() ? this.got(task, wait, LockMode.Shared) : this.waitToRead(task, wait);
    }
    return wait.list === undefined ? this.got(task, wait, LockMode.Shared) : PARK;
  }

  /** rwsem_try_write_lock_unqueued(), also the fast path. */
  private tryWrite(task: Task): boolean {
    if (this.writer !== undefined || this.readers > 0 || this.handoff) return false;
    if (this.waiters.length > 0) {
      // Taking a lock that others wait for is what spinners do, one after the other.
      if (!this.writerSpinning || this.nonspinnable || this.spinning > 0) return false;
      this.writerSteals++;
    }
    this.ownForWriting(task);
    return true;
  }

  /** rwsem_down_write_slowpath() */
  private contendedWrite(task: Task, wait: TaskLocks): number {
    this.probe?.contended(this, task, LockMode.Exclusive);
    if (!this.canSpin()) return this.waitToWrite(task, wait);
    this.spin ??= new OwnerSpin(this.machine);
    wait.stage = Stage.WriterSpinning;
    const request = this.spin.join(wait, this.writer);
    if (this.readers > 0 && this.spin.spinning === 1) this.limitSpinning();
    return request;
  }

  /** rwsem_can_spin_on_owner() */
  private canSpin(): boolean {
    if (!this.writerSpinning || this.nonspinnable || this.handoff) return false;
    if (this.writer !== undefined) return this.writer.onCpu;
    // A real-time task must be sure that the owner runs: it may wait for the CPU that the task spins on.
    return this.readers > 0 && this.machine.current.schedClass !== SchedClass.Fifo;
  }

  private waitToWrite(task: Task, wait: TaskLocks): number {
    this.enqueue(wait, Stage.WriterWaiting);
    if (this.waiters.first !== wait) this.wakeIfFree();
    return this.tryAsWaiter(task, wait);
  }

  private writeOn(task: Task, wait: TaskLocks): number {
    wait.inSpin = false;
    switch (wait.stage) {
      case Stage.WriterArriving:
        return this.tryWrite(task) ? this.got(task, wait, LockMode.Exclusive) : this.contendedWrite(task, wait);
      case Stage.WriterSpinning:
        return wait.spinFailed ? this.waitToWrite(task, wait) : wait.spin();
      case Stage.WriterGranted: {
        const ns = this.line === undefined ? 0 : Math.round(this.line.write(task.cpu.index));
        return ns > 0 ? ns : this.got(task, wait, LockMode.Exclusive);
      }
      default:
        return this.tryAsWaiter(task, wait);
    }
  }

  /** rwsem_try_write_lock() and what a waiter does when that fails. */
  private tryAsWaiter(task: Task, wait: TaskLocks): number {
    const spun = wait.stage === Stage.WriterWaiterSpinning;
    if (spun && !wait.spinFailed) this.spin!.leave(wait);
    wait.stage = Stage.WriterWaiting;
    const first = this.waiters.first!;
    const barred = this.handoff && first.handoffSet && first !== wait;
    if (!barred && this.writer === undefined && this.readers === 0) {
      this.waiters.remove(wait);
      this.handoff = false;
      this.ownForWriting(task);
      return this.got(task, wait, LockMode.Exclusive);
    }
    if (!barred && !this.handoff && this.waitedTooLong(wait)) this.askForHandoff(first);
    if (!wait.handoffSet || (spun && wait.spinFailed)) return PARK;
    if (this.writer === undefined || !this.writerSpinning || !this.writer.onCpu) return PARK;
    this.spin ??= new OwnerSpin(this.machine);
    wait.stage = Stage.WriterWaiterSpinning;
    return this.spin.joinAsWaiter(wait, this.writer);
  }

  private got(task: Task, wait: TaskLocks, mode: LockMode): number {
    wait.end();
    this.probe?.acquired(this, task, mode, this.machine.nowNs - wait.startNs);
    return 0;
  }

  private get jiffies(): number {
    return Math.floor(this.machine.nowNs / this.machine.jiffyNs);
  }

  private enqueue(wait: TaskLocks, stage: Stage): void {
    wait.stage = stage;
    wait.handoffSet = false;
    wait.deadlineNs = (this.jiffies + this.timeoutJiffies) * this.machine.jiffyNs;
    this.waiters.push(wait);
  }

  private waitedTooLong({ task, deadlineNs }: TaskLocks): boolean {
    return task.schedClass === SchedClass.Fifo || this.jiffies * this.machine.jiffyNs > deadlineNs;
  }

  private askForHandoff(first: TaskLocks): void {
    this.handoff = true;
    this.handoffs++;
    first.handoffSet = true;
  }

  private ownForWriting(task: Task): void {
    this.writer = task;
    this.nonspinnable = false;
    this.spin?.ownedBy(task);
  }

  /** Readers have the lock, and nobody had it before. */
  private beganReading(): void {
    if (this.spin === undefined) return;
    this.spin.ownedByReaders();
    if (this.spin.spinning > 0) this.limitSpinning();
  }

  /** The lock is free: to the spinner that sees it first, unless HANDOFF; waiters are woken all the same. */
  private released(): void {
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
  }

  /** rwsem_cond_wake_waiter() */
  private wakeIfFree(): void {
    if (this.writer !== undefined) return;
    if (this.readers === 0) this.markWake();
    else if (this.waiters.first!.stage === Stage.ReaderWaiting) this.grantReaders();
  }

  /** rwsem_mark_wake(RWSEM_WAKE_ANY) */
  private markWake(): void {
    const first = this.waiters.first!;
    this.nonspinnable = false;
    if (first.stage !== Stage.ReaderWaiting) {
      if (first.stage === Stage.WriterWaiting) this.machine.wake(first.task);
    } else if (this.writer === undefined) {
      this.grantReaders();
    } else if (!this.handoff && this.waitedTooLong(first)) {
      this.askForHandoff(first);
    }
  }

  /** The rest of rwsem_mark_wake(): the lock to all waiting readers, across the writers between them. */
  private grantReaders(): void {
    const free = this.readers === 0;
    const { current } = this.machine.scheduler;
    let woken = 0;
    for (let wait = this.waiters.first; wait !== undefined && woken < READERS_WAKEUP_MAX;) {
      const { next } = wait;
      if (wait.stage === Stage.ReaderWaiting) {
        this.waiters.remove(wait);
        woken++;
        // A reader that has just queued does not wake itself.
        if (wait.task !== current) this.machine.wake(wait.task);
      }
      wait = next;
    }
    this.readers += woken;
    this.handoff = false;
    if (free) this.beganReading();
  }

  /** rwsem_rspin_threshold(): how long writers spin on readers before they sleep, all of them. */
  private limitSpinning(): void {
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
