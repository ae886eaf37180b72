// Who looks on at a lock: lockdep, statistics, a trace. Nothing is called, and nothing costs, while there is no probe.
import type { Task } from '../sched/task.js';
import type { Lock } from './lock.js';

export const enum LockMode {
  Exclusive,
  Shared,
}

/**
 * What an observer of a lock is told (lock_acquire, lock_contended, lock_acquired and lock_release of the kernel).
 * All calls are made while `task` acts.
 */
export interface LockProbe {
  /** Before the task tries. `subclass` as in mutex_lock_nested(); `trylock`: it has the lock already and did not wait. */
  acquire(lock: Lock, task: Task, mode: LockMode, subclass: number, trylock: boolean): void;
  /** It has to wait. */
  contended(lock: Lock, task: Task, mode: LockMode): void;
  /** It has the lock. `waitNs` since {@link acquire}, spinning and the transfer of the line included. */
  acquired(lock: Lock, task: Task, mode: LockMode, waitNs: number): void;
  /** It is about to give it back. */
  release(lock: Lock, task: Task, mode: LockMode): void;
}

/** Several observers of one lock. */
export class LockProbes implements LockProbe {
  constructor(private readonly probes: readonly LockProbe[]) {}

  acquire(lock: Lock, task: Task, mode: LockMode, subclass: number, trylock: boolean): void {
    for (const probe of this.probes) probe.acquire(lock, task, mode, subclass, trylock);
  }

  contended(lock: Lock, task: Task, mode: LockMode): void {
    for (const probe of this.probes) probe.contended(lock, task, mode);
  }

  acquired(lock: Lock, task: Task, mode: LockMode, waitNs: number): void {
    for (const probe of this.probes) probe.acquired(lock, task, mode, waitNs);
  }

  release(lock: Lock, task: Task, mode: LockMode): void {
    for (const probe of this.probes) probe.release(lock, task, mode);
  }
}
