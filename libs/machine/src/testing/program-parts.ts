// What a random program uses beside the scheduler: locks, RCU, workqueues, timers and memory, each with its account of what
// was begun and what was done.
import { Mutex, type MutexOptions } from '../locks/mutex.js';
import { Rwsem } from '../locks/rwsem.js';
import { SpinLock } from '../locks/spinlock.js';
import type { Machine } from '../machine.js';
import { Memory } from '../memory/memory.js';
import { Rcu } from '../rcu/rcu.js';
import type { Task, TaskBody } from '../sched/task.js';
import { Timer } from '../timers/timer.js';
import { Timers } from '../timers/timers.js';
import { Work } from '../workqueue/work.js';
import type { Workqueue } from '../workqueue/workqueue.js';
import { Workqueues } from '../workqueue/workqueues.js';
import { RCU_COSTS } from './build.js';

const MEMORY = { baseBytes: 0, lowWaterBytes: 0, minWaterBytes: 0, stallMinRatio: 1, stallMaxRatio: 1 };

export class ProgramParts {
  readonly mutexes: readonly Mutex[];
  readonly rwsem: Rwsem;
  readonly spinLock: SpinLock;
  readonly memory = new Memory({ totalBytes: 1e12, ...MEMORY });
  /** Begun and not done yet: work items, timers, callbacks. All are 0 at the end. */
  worksOwed = 0;
  timersOwed = 0;
  callbacksOwed = 0;
  /** Timers before their jiffy, and callbacks that ran beside a reader older than they. None, ever. */
  earlyTimers = 0;
  brokenGuarantees = 0;
  private readonly cache = this.memory.cache('objects');
  private readonly rcu: Rcu;
  private readonly timers: Timers;
  private readonly queues: readonly Workqueue[];
  /** The place of readers and callbacks in their common order. */
  private order = 0;
  private readonly readers = new Map<Task, number>();

  constructor(
    private readonly machine: Machine,
    options: MutexOptions,
  ) {
    this.mutexes = [new Mutex(machine, 'a', options), new Mutex(machine, 'b', options)];
    this.rwsem = new Rwsem(machine, 'rwsem', { writerSpinning: options.spinOnOwner ?? true });
    this.spinLock = new SpinLock(machine, 'spinlock');
    this.rcu = new Rcu(machine, RCU_COSTS);
    this.timers = Timers.of(machine);
    const workqueues = new Workqueues(machine, { workerCreateNs: 30_000, workerIdleTimeoutNs: 1e9 });
    this.queues = [workqueues.alloc(2), workqueues.allocUnbound(2), workqueues.allocOrdered('ordered')];
  }

  alloc(bytes: number): void {
    this.cache.alloc(1, bytes);
  }

  free(bytes: number): void {
    this.cache.free(1, bytes);
  }

  /** An item that uses CPU time and sleeps, and then frees what was allocated for it. */
  queueWork(task: Task, queue: number, ns: number, bytes: number): void {
    const { machine } = this;
    this.worksOwed++;
    this.alloc(bytes);
    const work = new Work(
      function* (this: ProgramParts): TaskBody {
        yield ns;
        yield machine.sleep(ns);
        this.free(bytes);
        this.worksOwed--;
      }.bind(this),
    );
    this.queues[queue % this.queues.length]!.queueOn(task.cpu, work);
  }

  startTimer(ns: number): void {
    this.timersOwed++;
    const timer = new Timer(() => {
      this.timersOwed--;
      if (this.timers.jiffies < timer.expires) this.earlyTimers++;
    });
    this.timers.mod(timer, this.timers.jiffies + this.timers.jiffiesOf(ns));
  }

  /** Frees memory once no reader can see it any more. */
  defer(task: Task, bytes: number): void {
    const posted = this.order++;
    this.callbacksOwed++;
    this.alloc(bytes);
    this.rcu.callRcu(task.cpu, 1, 1_000, () => {
      this.callbacksOwed--;
      this.free(bytes);
      for (const began of this.readers.values()) if (began < posted) this.brokenGuarantees++;
    });
  }

  beginRead(task: Task): void {
    this.rcu.readLock(task);
    this.readers.set(task, this.order++);
  }

  endRead(task: Task): void {
    this.readers.delete(task);
    this.rcu.readUnlock(task);
  }
}
