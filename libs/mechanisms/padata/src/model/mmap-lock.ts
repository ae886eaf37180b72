// mmap_lock, with what it costs to wake those that wait for it: try_to_wake_up() is called for one after the other
// (wake_up_q()), by whoever releases the lock, and interrupts an idle CPU each time.
//
// It matters where many readers are let in at once: the last begins that much after the first, so they end apart, and
// writers among them give up spinning on the others (rwsem_rspin_threshold(): 10 us and 0.5 us for each reader).
//
// Left out: what a waiter pays that lets in readers ahead of it before it sleeps.
import { type LockOptions, type Machine, Rwsem, TaskState } from '@kworkbench/machine';

export interface MmapLockOptions extends LockOptions {
  readonly readerStealing: boolean;
  /** CPU time to wake one sleeper. */
  readonly wakeNs: number;
}

export class MmapLock extends Rwsem {
  private readonly wakeNs: number;
  /** Tasks woken by the release under way. */
  private wakes = 0;
  /** Readers of the last grant that have begun. */
  private begun = 0;

  constructor(machine: Machine, options: MmapLockOptions) {
    super(machine, 'mmap_lock', options);
    this.wakeNs = options.wakeNs;
  }

  /** up_read(). @returns ns that its wakeups take. */
  endRead(): number {
    this.wakes = 0;
    this.upRead();
    return this.wakes * this.wakeNs;
  }

  /** up_write(). @returns ns that its wakeups take. */
  endWrite(): number {
    this.wakes = 0;
    this.upWrite();
    return this.wakes * this.wakeNs;
  }

  /** To be asked once by a reader that slept. @returns ns by which it was woken after the first of its group. */
  lateNs(): number {
    return this.begun++ * this.wakeNs;
  }

  protected override released(): void {
    const first = this.waiters.first?.task;
    const slept = first?.state === TaskState.Blocked;
    super.released();
    // Readers count in grantReaders(). A writer is woken alone; one that was on its way costs nothing.
    if (slept && this.waiters.first?.task === first) this.wakes = 1;
  }

  protected override grantReaders(): void {
    const before = this.readers;
    super.grantReaders();
    this.wakes += this.readers - before;
    this.begun = 0;
  }
}
