// raw_spinlock_t as in kernel/locking/qspinlock.c: who finds it taken queues (MCS) and burns CPU time until it is its
// turn, first come, first served. The holder is not preempted, and neither is who spins.
//
// Invariants: one holder; nobody overtakes; preemption is off from the first attempt to the release.
import type { Task, TaskBody } from '../sched/task.js';
import { Lock } from './lock.js';
import { LockMode } from './lock-probe.js';
import { type TaskLocks, WaitList } from './task-locks.js';

const enum Stage {
  Arriving,
  Queued,
  /** Has the lock; its line is on the way. */
  Granted,
}

export class SpinLock extends Lock {
  readonly kind = 'spin';
  owner: Task | undefined = undefined;
  private readonly queue = new WaitList();

  /** Tasks that spin. */
  get waiting(): number {
    return this.queue.length;
  }

  /** spin_lock_nested() in steps: yield what it returns until that is 0. Undone by {@link unlock}. */
  acquire(subclass = 0): number {
    const task = this.machine.current;
    const wait = this.waitOf(task);
    if (wait !== undefined) return this.goOn(task, wait);
    this.machine.preemptDisable();
    return this.start(task, subclass);
  }

  /** spin_lock_bh() in steps: no softirq runs on this CPU until {@link unlockBh}. */
  acquireBh(subclass = 0): number {
    const task = this.machine.current;
    const wait = this.waitOf(task);
    if (wait !== undefined) return this.goOn(task, wait);
    this.machine.localBhDisable();
    return this.start(task, subclass);
  }

  /** spin_lock_irqsave() in steps: no interrupt is taken on this CPU until {@link unlockIrq}. */
  acquireIrq(subclass = 0): number {
    const task = this.machine.current;
    const wait = this.waitOf(task);
    if (wait !== undefined) return this.goOn(task, wait);
    this.machine.localIrqDisable();
    return this.start(task, subclass);
  }

  *lock(subclass = 0): TaskBody {
    for (let wait; (wait = this.acquire(subclass)) !== 0;) yield wait;
  }

  *lockBh(subclass = 0): TaskBody {
    for (let wait; (wait = this.acquireBh(subclass)) !== 0;) yield wait;
  }

  /** spin_trylock(); the line costs nothing here. */
  tryLock(): boolean {
    if (this.owner !== undefined) return false;
    const task = this.machine.current;
    this.machine.preemptDisable();
    this.owner = task;
    this.probe?.acquire(this, task, LockMode.Exclusive, 0, true);
    this.probe?.acquired(this, task, LockMode.Exclusive, 0);
    return true;
  }

  unlock(): void {
    this.release();
    this.machine.preemptEnable();
  }

  unlockBh(): void {
    this.release();
    this.machine.localBhEnable();
  }

  unlockIrq(): void {
    this.release();
    this.machine.localIrqEnable();
  }

  private start(task: Task, subclass: number): number {
    if (this.owner === task) this.misused(task, 'locks it twice');
    this.probe?.acquire(this, task, LockMode.Exclusive, subclass, false);
    if (this.line !== undefined) {
      const ns = this.fetchLine(task, Stage.Arriving);
      if (ns > 0) return ns;
    }
    if (this.owner !== undefined) return this.enqueue(task, this.beginWait(task));
    this.owner = task;
    this.probe?.acquired(this, task, LockMode.Exclusive, 0);
    return 0;
  }

  private enqueue(task: Task, wait: TaskLocks): number {
    this.probe?.contended(this, task, LockMode.Exclusive);
    wait.stage = Stage.Queued;
    this.queue.push(wait);
    return wait.spin();
  }

  private goOn(task: Task, wait: TaskLocks): number {
    if (wait.stage === Stage.Arriving) {
      if (this.owner !== undefined) return this.enqueue(task, wait);
      this.owner = task;
      return this.got(task, wait);
    }
    if (wait.stage === Stage.Queued) return wait.spin();
    const ns = this.line === undefined ? 0 : Math.round(this.line.write(task.cpu.index));
    return ns > 0 ? ns : this.got(task, wait);
  }

  private got(task: Task, wait: TaskLocks): number {
    wait.end();
    this.probe?.acquired(this, task, LockMode.Exclusive, this.machine.nowNs - wait.startNs);
    return 0;
  }

  private release(): void {
    const task = this.machine.current;
    if (this.owner !== task) this.misused(task, 'unlocks what it does not own');
    this.probe?.release(this, task, LockMode.Exclusive);
    this.releaseLine(task);
    const next = this.queue.shift();
    this.owner = next?.task;
    if (next === undefined) return;
    next.stage = Stage.Granted;
    next.endSpin();
  }
}
