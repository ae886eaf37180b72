import { Lock } from './lock.js';
import { LockMode } from './lock-probe.js';

/**
 * struct lockdep_map without a lock (lock_map_acquire()): says "as if a lock were held here", so that waiting for work
 * that takes locks is part of the order too. Excludes nobody and costs no time.
 */
export class LockMap extends Lock {
  readonly kind = 'map';

  acquire(): void {
    const task = this.machine.current;
    this.probe?.acquire(this, task, LockMode.Exclusive, 0, false);
    this.probe?.acquired(this, task, LockMode.Exclusive, 0);
  }

  release(): void {
    this.probe?.release(this, this.machine.current, LockMode.Exclusive);
  }
}
