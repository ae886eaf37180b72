// struct rw_semaphore as in kernel/locking/rwsem.c: many readers or one writer, FIFO waiters.
//
// When readers get the lock, all waiting readers up to 256 get it, also those behind waiting writers
// (rwsem_mark_wake()). A running writer may take a free lock ahead of the waiters, and spins while a writer that runs
// has it, or for a while when readers have it. A reader may take a lock that writers only wait for (reader optimistic
// lock stealing). Who waits at the head for more than 4 ms sets HANDOFF: from then on nobody overtakes it.
//
// Invariants: a writer excludes everybody; HANDOFF only while somebody waits; who waits is on the wait list or spins.
import { PARK, SchedClass, type Task, type TaskBody } from '../sched/task.js';
import { LockMode } from './lock-probe.js';
import { OwnerSpin } from './owner-spin.js';
import { RwsemCore, Stage } from './rwsem-core.js';
import type { TaskLocks } from './task-locks.js';

export type { RwsemOptions } from './rwsem-core.js';

export class Rwsem extends RwsemCore {
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
    if (this.writer === task) this.misused(task, 'wants to read what it writes');
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
    if (this.writer === task) this.misused(task, 'locks it twice');
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

  /** @returns ns of CPU time that its wakeups take, for the caller to spend (RwsemOptions.wakeNs); so does upWrite(). */
  upRead(): number {
    const task = this.machine.current;
    if (this.readers === 0) this.misused(task, 'leaves it as a reader that is not inside');
    this.probe?.release(this, task, LockMode.Shared);
    this.releaseLine(task);
    this.readers--;
    return this.readers === 0 ? this.released() : 0;
  }

  upWrite(): number {
    this.leaveWriting();
    this.writer = undefined;
    return this.released();
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
    if (this.writer !== task) this.misused(task, 'unlocks what it does not own');
    this.probe?.release(this, task, LockMode.Exclusive);
    this.releaseLine(task);
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
    if (wait.list !== undefined) return PARK;
    return this.got(task, wait, LockMode.Shared);
  }

  /** rwsem_down_write_slowpath() */
  private contendedWrite(task: Task, wait: TaskLocks): number {
    this.probe?.contended(this, task, LockMode.Exclusive);
    if (!this.canSpin()) return this.waitToWrite(task, wait);
    this.spin ??= new OwnerSpin(this.machine, this.line);
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
        if (ns > 0) return ns;
        this.spin!.look();
        return this.got(task, wait, LockMode.Exclusive);
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
    this.spin ??= new OwnerSpin(this.machine, this.line);
    wait.stage = Stage.WriterWaiterSpinning;
    return this.spin.joinAsWaiter(wait, this.writer);
  }

  private got(task: Task, wait: TaskLocks, mode: LockMode): number {
    wait.end();
    this.probe?.acquired(this, task, mode, this.machine.nowNs - wait.startNs);
    return 0;
  }
}
