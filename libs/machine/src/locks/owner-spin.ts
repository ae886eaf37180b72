// Optimistic spinning (osq_lock, mutex_spin_on_owner, rwsem_spin_on_owner): tasks that burn CPU time while the owner of
// a sleeping lock runs, because it will release soon. They queue (MCS), and only the first looks at the owner: it has a
// copy of the lock's line, which a release has to take away and which it reads again to see that the lock is free. All
// give up when the owner blocks or loses its CPU; one of them gives up when it loses its own.
//
// Invariants: the owner is watched exactly while somebody spins on it; who is in the queue has not failed.
import { SchedClass, type Task } from '../sched/task.js';
import type { Machine } from '../machine.js';
import type { LockLine } from './lock.js';
import { type OwnerWatcher, type SpinPlace, TaskLocks, WaitList } from './task-locks.js';

export class OwnerSpin implements OwnerWatcher, SpinPlace {
  /** The optimistic spin queue (lock->osq). */
  private readonly queue = new WaitList();
  /** The first waiter, which was woken and spins without queueing: it is on the lock's wait list already. */
  private waiter: TaskLocks | undefined = undefined;
  private watched: TaskLocks | undefined = undefined;

  constructor(
    private readonly machine: Machine,
    private readonly line: LockLine | undefined,
  ) {}

  get spinning(): number {
    return this.queue.length + (this.waiter === undefined ? 0 : 1);
  }

  /** @returns SPIN. `owner` is undefined while readers own the lock: then nobody is watched. */
  join(spinner: TaskLocks, owner: Task | undefined): number {
    this.queue.push(spinner);
    if (this.queue.first === spinner) this.look();
    return this.start(spinner, owner);
  }

  /** The same for the first waiter. */
  joinAsWaiter(spinner: TaskLocks, owner: Task | undefined): number {
    this.waiter = spinner;
    return this.start(spinner, owner);
  }

  /** The spinner goes on with something else. */
  leave(spinner: TaskLocks): void {
    if (this.waiter === spinner) this.waiter = undefined;
    else this.queue.remove(spinner);
    spinner.place = undefined;
    if (this.spinning === 0) this.unwatch();
  }

  /** The first in the queue, taken out of it: it gets the lock. */
  takeFirst(): TaskLocks | undefined {
    const spinner = this.queue.first;
    if (spinner !== undefined) {
      this.look();
      this.leave(spinner);
    }
    return spinner;
  }

  /** The lock is free: the first spinner sees it, the others wait for the first to leave the queue. */
  released(): void {
    this.unwatch();
    this.look();
    this.queue.first?.endSpin();
    this.waiter?.endSpin();
  }

  /** Readers own the lock now: there is nobody to watch, and nothing to spin for for a waiter. */
  ownedByReaders(): void {
    this.unwatch();
    if (this.waiter !== undefined) this.fail(this.waiter);
    this.failRealTime();
  }

  ownedBy(owner: Task): void {
    this.unwatch();
    if (this.spinning === 0) return;
    if (owner.onCpu) this.watch(owner);
    else this.failAll();
  }

  ownerLeftCpu(): void {
    this.unwatch();
    this.failAll();
  }

  spinnerLeftCpu(spinner: TaskLocks): void {
    const sawRelease = !spinner.inSpin;
    this.fail(spinner);
    // It cannot use what it saw: the next in the queue looks.
    if (sawRelease) this.queue.first?.endSpin();
  }

  /** Those that must not spin when nobody says that the owner runs. */
  failRealTime(): void {
    for (let spinner = this.queue.first; spinner !== undefined;) {
      const { next } = spinner;
      if (spinner.task.schedClass === SchedClass.Fifo) this.fail(spinner);
      spinner = next;
    }
  }

  failAll(): void {
    for (let spinner = this.queue.first; spinner !== undefined; spinner = this.queue.first) this.fail(spinner);
    if (this.waiter !== undefined) this.fail(this.waiter);
  }

  private start(spinner: TaskLocks, owner: Task | undefined): number {
    spinner.place = this;
    spinner.spinFailed = false;
    if (owner !== undefined && this.watched === undefined) this.watch(owner);
    return spinner.spin();
  }

  private fail(spinner: TaskLocks): void {
    this.leave(spinner);
    spinner.spinFailed = true;
    spinner.endSpin();
  }

  /** The first in the queue reads the lock's line: when it becomes the first, and when another has written it. */
  look(): void {
    const { first } = this.queue;
    if (first !== undefined) this.line?.read(first.task.cpu.index);
  }

  private watch(owner: Task): void {
    this.watched = TaskLocks.of(this.machine, owner);
    this.watched.watch(this);
  }

  private unwatch(): void {
    this.watched?.unwatch(this);
    this.watched = undefined;
  }
}
