// rcu_barrier(): waits until every callback that was queued before the call has been invoked.
//
// The kernel serialises callers with barrier_mutex. A caller snapshots the sequence before it takes the mutex; once in,
// it leaves at once if a whole barrier has begun and ended since the snapshot. The alternative `sequence` has no mutex:
// callers wait until such a barrier has ended, and one of those for whom none is under way runs it.
import { Histogram } from '@kworkbench/telemetry';
import { Deque } from '../deque.js';
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import { Mutex, type MutexOptions } from '../locks/mutex.js';
import type { Rcu } from './rcu.js';
import { PARK, type Task, type TaskBody } from '../sched/task.js';

export interface RcuBarrierOptions extends MutexOptions {
  readonly kind: 'mutex' | 'sequence';
  /** One synchronous IPI to a CPU that has callbacks. */
  readonly ipiNs: number;
}

interface SequenceWaiter {
  readonly task: Task;
  readonly needs: number;
}

export class RcuBarrier {
  /** Odd while a barrier is under way (rcu_seq_start, rcu_seq_end). */
  sequence = 0;
  calls = 0;
  full = 0;
  early = 0;
  inside = 0;
  waitersMax = 0;
  readonly mutex: Mutex;
  readonly waitNs = new Histogram({
    name: 'rcu_barrier_wait_seconds',
    unit: 'seconds',
    help: 'Time inside rcu_barrier()',
    scale: 1e-9,
  });
  /** Callbacks that the barrier under way still waits for, plus one while it is being set up. */
  private outstanding = 0;
  /** A caller runs a barrier (kind `sequence`). */
  private leading = false;
  private readonly sequenceWaiters = new Deque<SequenceWaiter>();

  constructor(
    private readonly machine: Machine,
    private readonly rcu: Rcu,
    private readonly options: RcuBarrierOptions,
  ) {
    this.mutex = new Mutex(machine, 'barrier_mutex', options);
  }

  /** Callers that wait for their turn: for the mutex, or for a sequence. */
  get waiting(): number {
    return this.mutex.waiting + this.sequenceWaiters.length;
  }

  /** `yield* barrier.wait()`: rcu_barrier(). */
  *wait(): TaskBody {
    const startNs = this.machine.nowNs;
    this.calls++;
    this.inside++;
    // rcu_seq_snap(): the value at which a barrier that starts from now on will have ended.
    const snapshot = (this.sequence + 3) & ~1;
    const lastSerial = this.rcu.lastSerial;
    if (this.options.kind === 'mutex') yield* this.waitWithMutex(snapshot);
    else yield* this.waitWithSequence(snapshot);
    invariant(
      this.rcu.haveRun(lastSerial),
      'I4: rcu_barrier returns before a callback that was queued before its call',
    );
    this.inside--;
    this.waitNs.record(this.machine.nowNs - startNs);
  }

  private *waitWithMutex(snapshot: number): TaskBody {
    yield* this.mutex.lock();
    if (this.mutex.waitersMax > this.waitersMax) this.waitersMax = this.mutex.waitersMax;
    if (this.sequence >= snapshot) this.early++;
    else yield* this.runBarrier();
    this.mutex.unlock();
  }

  private *waitWithSequence(snapshot: number): TaskBody {
    if (this.leading) {
      const self: SequenceWaiter = { task: this.machine.current, needs: snapshot };
      this.sequenceWaiters.push(self);
      if (this.sequenceWaiters.length > this.waitersMax) this.waitersMax = this.sequenceWaiters.length;
      while (this.leading && this.sequence < snapshot) yield PARK;
      this.sequenceWaiters.remove(self);
      if (this.sequence >= snapshot) {
        this.early++;
        return;
      }
    }
    this.leading = true;
    yield* this.runBarrier();
    this.leading = false;
    this.wakeSequenceWaiters();
  }

  /** Wakes whom the barrier that just ended was good for, and one more to lead the next. */
  private wakeSequenceWaiters(): void {
    let lead = false;
    for (let i = 0; i < this.sequenceWaiters.length; i++) {
      const waiter = this.sequenceWaiters.at(i);
      if (waiter.needs > this.sequence) {
        if (lead) continue;
        lead = true;
      }
      this.machine.wake(waiter.task);
    }
  }

  private *runBarrier(): TaskBody {
    const task = this.machine.current;
    invariant((this.sequence & 1) === 0 && this.outstanding === 0, 'rcu_barrier: two at a time');
    this.full++;
    this.sequence++;
    this.outstanding = 1;
    const invoked = (): void => {
      if (--this.outstanding === 0) this.machine.wake(task);
    };
    for (const rdp of this.rcu.perCpu) {
      if (rdp.entries.length === 0) continue;
      yield this.options.ipiNs;
      // The IPI found the list empty after all: nothing to wait for there.
      if (rdp.entries.length === 0) continue;
      this.outstanding++;
      this.rcu.entrain(rdp, invoked);
    }
    this.outstanding--;
    while (this.outstanding > 0) yield PARK;
    this.sequence++;
  }
}
