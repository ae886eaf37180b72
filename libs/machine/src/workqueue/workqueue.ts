// struct workqueue_struct, as alloc_workqueue() gives it: what is queued goes to the pool of a CPU, or of its node.
import type { Cpu } from '../sched/cpu.js';
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import type { TaskBody } from '../sched/task.js';
import { Timer } from '../timers/timer.js';
import { Timers } from '../timers/timers.js';
import { FlushColors } from './flush-colors.js';
import { PoolQueue } from './pool-queue.js';
import type { Rescuer } from './rescuer.js';
import type { Work } from './work.js';
import type { WorkerPool } from './worker-pool.js';

export interface WorkqueueTraits {
  readonly maxActive: number;
  /** WQ_CPU_INTENSIVE: its items do not keep others of the pool from running. */
  readonly cpuIntensive: boolean;
  /** WQ_MEM_RECLAIM. */
  readonly rescuer: Rescuer | undefined;
}

/** try_to_grab_pending(): takes an item back that has not begun; the caller decides what becomes of `pending`. */
export function grabPending(timers: Timers, work: Work): boolean {
  if (work.timer !== undefined && timers.delete(work.timer)) return true;
  if (work.queue === undefined) return false;
  work.queue.remove(work);
  // Whoever flushes it has nothing to wait for any more.
  for (const barrier of work.barriers) barrier.pass();
  work.barriers = [];
  return true;
}

export class Workqueue {
  readonly maxActive: number;
  readonly cpuIntensive: boolean;
  readonly rescuer: Rescuer | undefined;
  readonly colors: FlushColors;
  private readonly timers: Timers;
  private readonly perPool = new Map<WorkerPool, PoolQueue>();

  constructor(
    machine: Machine,
    private readonly poolOf: (cpu: Cpu) => WorkerPool,
    traits: WorkqueueTraits,
  ) {
    this.maxActive = traits.maxActive;
    this.cpuIntensive = traits.cpuIntensive;
    this.rescuer = traits.rescuer;
    this.colors = new FlushColors(machine);
    this.timers = Timers.of(machine);
    invariant(this.maxActive >= 1, 'workqueue: max_active is at least 1');
  }

  /** Most items of it that were active in one pool. */
  get activeMax(): number {
    let max = 0;
    for (const queue of this.perPool.values()) if (queue.activeMax > max) max = queue.activeMax;
    return max;
  }

  get jiffies(): number {
    return this.timers.jiffies;
  }

  /** queue_work_on(): for the pool of this CPU; false when the item was pending already. */
  queueOn(cpu: Cpu, work: Work): boolean {
    if (work.pending) return false;
    work.pending = true;
    this.insert(cpu, work);
    return true;
  }

  /** queue_delayed_work_on(): queued by a timer of that CPU after so many jiffies; false when it was pending already. */
  queueDelayedOn(cpu: Cpu, work: Work, jiffies: number): boolean {
    if (work.pending) return false;
    work.pending = true;
    this.startDelay(cpu, work, jiffies);
    return true;
  }

  /** mod_delayed_work_on(): the same, whether it was pending or not; true when it was. */
  modDelayedOn(cpu: Cpu, work: Work, jiffies: number): boolean {
    const pending = grabPending(this.timers, work);
    work.pending = true;
    this.startDelay(cpu, work, jiffies);
    return pending;
  }

  /** `yield* queue.flush()`, flush_workqueue(): returns when all that was queued before has been done. */
  flush(): TaskBody {
    return this.colors.flush();
  }

  /** `yield* queue.drain()`, drain_workqueue(): until it is empty; items may go on queueing themselves or others. */
  *drain(): TaskBody {
    while (this.colors.inFlight > 0) yield* this.colors.flush();
  }

  /** What delayed_work_timer_fn() does; also at once when somebody does not want to wait for the timer. */
  insert(cpu: Cpu, work: Work): void {
    // An item that one of this queue's workers is at is done again by that one, so that it never runs beside itself.
    const worker = work.workers.length > 0 ? work.workers[work.workers.length - 1]! : undefined;
    const current = worker?.currentQueue;
    (current?.workqueue === this ? current : this.on(this.poolOf(cpu))).insert(work);
  }

  private startDelay(cpu: Cpu, work: Work, jiffies: number): void {
    if (jiffies <= 0) {
      this.insert(cpu, work);
      return;
    }
    work.delayedQueue = this;
    work.delayedCpu = cpu;
    work.timer ??= new Timer(() => work.delayedQueue!.insert(work.delayedCpu!, work));
    this.timers.modOn(work.timer, cpu, this.timers.jiffies + jiffies);
  }

  private on(pool: WorkerPool): PoolQueue {
    let queue = this.perPool.get(pool);
    if (queue === undefined) {
      queue = new PoolQueue(this, pool, this.maxActive);
      this.perPool.set(pool, queue);
    }
    return queue;
  }
}
