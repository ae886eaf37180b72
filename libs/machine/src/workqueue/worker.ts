// struct worker: a kworker and what it does (process_one_work()), and the part of concurrency management that the
// scheduler drives (wq_worker_running(), wq_worker_sleeping()).
import { Deque } from '../deque.js';
import type { Task, TaskHooks } from '../sched/task.js';
import type { PoolQueue } from './pool-queue.js';
import type { Work, WorkBarrier } from './work.js';
import type { WorkerPool } from './worker-pool.js';

export class Worker implements TaskHooks {
  task!: Task;
  /** WORKER_PREP: between items, or a rescuer. Such a worker does not count as running. */
  preparing = true;
  /** WORKER_CPU_INTENSIVE: others of the pool may run beside it. */
  private cpuIntensive = false;
  private asleep = false;
  /** It was told to end. */
  dying = false;
  lastActiveJiffy = 0;
  currentQueue: PoolQueue | undefined = undefined;
  private currentColor = 0;
  /** Who waits for the execution under way. */
  barriers: WorkBarrier[] = [];
  /** Items that must run after the current one on this worker: the same item again. */
  readonly scheduled = new Deque<Work>();

  constructor(public pool: WorkerPool) {}

  running(): void {
    if (!this.asleep) return;
    this.asleep = false;
    this.pool.blocked--;
    this.pool.nrRunning++;
  }

  sleeping(): void {
    if (!this.counts || this.asleep) return;
    this.asleep = true;
    this.pool.blocked++;
    this.pool.nrRunning--;
    this.pool.wakeIfNeeded();
  }

  /** worker_clr_flags(WORKER_PREP). */
  startWorking(): void {
    this.preparing = false;
    if (this.counts) this.pool.nrRunning++;
  }

  /** worker_set_flags(WORKER_PREP). */
  stopWorking(): void {
    if (this.counts) this.pool.nrRunning--;
    this.preparing = true;
  }

  /** First half of process_one_work(); the caller then runs the item. */
  begin(work: Work): void {
    const queue = work.queue!;
    work.pending = false;
    work.queue = undefined;
    work.workers.push(this);
    this.currentQueue = queue;
    this.currentColor = work.color;
    if (work.barriers.length > 0) {
      this.barriers = work.barriers;
      work.barriers = [];
    }
    if (queue.workqueue.cpuIntensive && this.counts) {
      this.pool.nrRunning--;
      this.cpuIntensive = true;
    }
    // The next item's turn, if this worker does not count.
    this.pool.wakeIfNeeded();
  }

  /** Second half of process_one_work(). */
  end(work: Work): void {
    const queue = this.currentQueue!;
    if (this.cpuIntensive) {
      this.cpuIntensive = false;
      if (this.counts) this.pool.nrRunning++;
    }
    work.workers.splice(work.workers.indexOf(this), 1);
    this.currentQueue = undefined;
    for (const barrier of this.barriers) barrier.pass();
    if (this.barriers.length > 0) this.barriers = [];
    queue.left(this.currentColor);
  }

  private get counts(): boolean {
    return !this.preparing && !this.cpuIntensive && this.pool.cpu !== undefined;
  }
}
