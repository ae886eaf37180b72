// How long a lock was waited for and held (CONFIG_LOCK_STAT): a probe with two histograms of 24 KiB each, so a model
// gives them to the locks that it wants to know about, not to each of a million.
import { Histogram } from '@kworkbench/telemetry';
import type { Task } from '../sched/task.js';
import type { Machine } from '../machine.js';
import type { Lock } from './lock.js';
import { LockMode, type LockProbe } from './lock-probe.js';

function histogram(name: string, help: string): Histogram {
  return new Histogram({ name, unit: 'seconds', help, scale: 1e-9 });
}

/** Of one lock, or of several together. */
export class LockStats implements LockProbe {
  /** Every acquisition, those that did not wait as 0. */
  readonly waitNs: Histogram;
  /** Every section; of a read side each reader's. */
  readonly holdNs: Histogram;
  /** Acquisitions that had to wait. */
  contentions = 0;
  private readonly sinceNs = new Map<Lock, number>();
  private readonly readersSinceNs = new Map<Lock, Map<Task, number>>();

  constructor(
    private readonly machine: Machine,
    name: string,
  ) {
    this.waitNs = histogram(`${name}_wait_seconds`, `Time to get ${name}`);
    this.holdNs = histogram(`${name}_hold_seconds`, `Time that ${name} is held`);
  }

  acquire(): void {}

  contended(): void {
    this.contentions++;
  }

  acquired(lock: Lock, task: Task, mode: LockMode, waitNs: number): void {
    this.waitNs.record(waitNs);
    const { nowNs } = this.machine;
    if (mode === LockMode.Exclusive) {
      this.sinceNs.set(lock, nowNs);
      return;
    }
    let readers = this.readersSinceNs.get(lock);
    if (readers === undefined) this.readersSinceNs.set(lock, (readers = new Map()));
    readers.set(task, nowNs);
  }

  release(lock: Lock, task: Task, mode: LockMode): void {
    this.holdNs.record(this.machine.nowNs - this.heldSinceNs(lock, task, mode));
  }

  private heldSinceNs(lock: Lock, task: Task, mode: LockMode): number {
    if (mode === LockMode.Exclusive) return this.sinceNs.get(lock)!;
    const readers = this.readersSinceNs.get(lock)!;
    const sinceNs = readers.get(task)!;
    readers.delete(task);
    return sinceNs;
  }
}
