// Counts and times the acquisitions of ct_lock (of all bucket locks together in that design).
import { type Lock, type LockProbe, type Machine, type Task } from '@kworkbench/machine';
import { durationHistogram } from '@kworkbench/telemetry';

export class LockWatch implements LockProbe {
  acquisitions = 0;
  contentions = 0;
  /** Time that the section takes although the clock stands still: several sections in one burst. */
  sectionNs = 0;
  readonly waitNs = durationHistogram('ct_lock_wait_seconds', 'Time to get ct_lock');
  readonly holdNs = durationHistogram('ct_lock_hold_seconds', 'Time that ct_lock is held');
  private readonly since = new Map<Lock, number>();
  private last: Lock | undefined = undefined;
  private lastSinceNs = 0;

  constructor(private readonly machine: Machine) {}

  acquire(): void {}

  contended(): void {
    this.contentions++;
  }

  acquired(lock: Lock, _task: Task, _mode: number, waitNs: number): void {
    this.acquisitions++;
    this.waitNs.record(waitNs);
    // One lock needs no map.
    if (this.last === undefined) this.last = lock;
    if (this.last === lock) this.lastSinceNs = this.machine.nowNs;
    else this.since.set(lock, this.machine.nowNs);
  }

  release(lock: Lock): void {
    const sinceNs = this.last === lock ? this.lastSinceNs : this.since.get(lock)!;
    this.holdNs.record(Math.round(this.machine.nowNs - sinceNs + this.sectionNs));
    this.sectionNs = 0;
  }
}
