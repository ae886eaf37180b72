// seqcount_t as in include/linux/seqlock.h: readers go on without a lock and begin anew when a write overlapped.
//
//   do {
//     for (let wait; (wait = seq.acquireRead()) !== 0; ) yield wait;   // spins while a write is under way
//     start = seq.sequence;
//     yield readNs;
//   } while (seq.readRetry(start));
//
// The sequence is odd while a write is under way. Writers exclude each other by other means and are not preempted.
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import { TaskLocks, WaitList } from './task-locks.js';

export class Seqcount {
  sequence = 0;
  /** Reads that had to begin anew, and reads that found a write under way. */
  retries = 0;
  spins = 0;
  private readonly spinners = new WaitList();

  constructor(
    private readonly machine: Machine,
    readonly name: string,
  ) {}

  /** write_seqcount_begin(): preemption is off until {@link writeEnd}. */
  writeBegin(): void {
    if ((this.sequence & 1) === 1) invariant(false, `${this.name}: two writers`);
    this.machine.preemptDisable();
    this.sequence++;
  }

  writeEnd(): void {
    if ((this.sequence & 1) === 0) invariant(false, `${this.name}: no write to end`);
    this.sequence++;
    for (let spinner = this.spinners.first; spinner !== undefined; spinner = spinner.next) spinner.endSpin();
    this.machine.preemptEnable();
  }

  /** read_seqcount_begin() in steps: yield what it returns until that is 0; then the section starts at `sequence`. */
  acquireRead(): number {
    const odd = (this.sequence & 1) === 1;
    const { current } = this.machine;
    const { locks } = current;
    if (locks !== undefined && locks.waitsFor === this) {
      if (odd) return locks.spin();
      this.spinners.remove(locks);
      locks.end();
      return 0;
    }
    if (!odd) return 0;
    this.spins++;
    const wait = TaskLocks.of(this.machine, current);
    wait.begin(this);
    wait.place = undefined;
    this.spinners.push(wait);
    return wait.spin();
  }

  /** read_seqcount_retry(): whether a write overlapped the section that began at `start`. */
  readRetry(start: number): boolean {
    if (this.sequence === start) return false;
    this.retries++;
    return true;
  }
}
