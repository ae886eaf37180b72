// struct work_struct and struct delayed_work in one: something to be done by a worker.
import type { Machine } from '../machine.js';
import type { Cpu } from '../sched/cpu.js';
import { PARK, type Task, type TaskBody } from '../sched/task.js';
import type { Timer } from '../timers/timer.js';
import type { PoolQueue } from './pool-queue.js';
import type { Worker } from './worker.js';
import type { Workqueue } from './workqueue.js';

/** A task that waits for one execution of an item (struct wq_barrier). */
export class WorkBarrier {
  private passed = false;

  constructor(
    private readonly machine: Machine,
    private readonly task: Task,
  ) {}

  pass(): void {
    this.passed = true;
    this.machine.wake(this.task);
  }

  *wait(): TaskBody {
    while (!this.passed) yield PARK;
  }
}

/**
 * A work item. Queueing it while it is pending does nothing. Once it runs it may be queued again; by the same workqueue
 * it then runs after, never beside itself. By another workqueue it may run on two CPUs at once, as in the kernel.
 */
export class Work {
  /** WORK_STRUCT_PENDING: queued, or its timer runs, or it is being cancelled. */
  pending = false;
  /** Where it is queued; undefined while it is not, or its timer runs. */
  queue: PoolQueue | undefined = undefined;
  /** Beyond max_active: not on the worklist of the pool yet. */
  inactive = false;
  /** What flush_workqueue() tells older items by. */
  color = 0;
  /** Who executes it, the last to begin last. */
  readonly workers: Worker[] = [];
  /** Who waits for the execution that is pending. */
  barriers: WorkBarrier[] = [];
  /** delayed_work: its timer, and where it is queued when that expires. */
  timer: Timer | undefined = undefined;
  delayedQueue: Workqueue | undefined = undefined;
  delayedCpu: Cpu | undefined = undefined;

  constructor(readonly run: () => TaskBody) {}
}
