// Workqueues as in kernel/workqueue.c: per-CPU pools of kworkers with concurrency management, shared by all bound
// queues; `max_active` per queue and CPU; ordered queues on a worker that is bound to no CPU.
//
// Concurrency management: a pool lets one worker run at a time. When the running worker blocks and items are pending,
// another is woken, or created. A worker goes from item to item without giving way while no other one of its pool runs;
// a worker that was woken counts as running only once it has its CPU.
import type { Cpu } from '../sched/cpu.js';
import { Deque } from '../deque.js';
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import { PARK, type Task, type TaskBody } from '../sched/task.js';

export interface WorkqueueCosts {
  readonly workerCreateNs: number;
  readonly workerIdleTimeoutNs: number;
}

/** A work item (struct work_struct). Queueing it while it is pending does nothing. */
export class Work {
  pending = false;
  /** A work item never runs on two workers at once; one that is queued meanwhile runs again after. */
  executing = false;
  again = false;
  queue: PoolQueue | undefined;

  constructor(readonly run: () => TaskBody) {}
}

/** The part of a workqueue that belongs to one pool (struct pool_workqueue). */
export class PoolQueue {
  active = 0;
  activeMax = 0;
  readonly inactive = new Deque<Work>();

  constructor(
    readonly pool: WorkerPool,
    readonly maxActive: number,
  ) {}

  queue(work: Work): boolean {
    if (work.pending) return false;
    work.pending = true;
    work.queue = this;
    if (this.active < this.maxActive) {
      this.activate(work);
      this.pool.wakeIfNeeded();
    } else {
      this.inactive.push(work);
    }
    return true;
  }

  /** pwq_dec_nr_in_flight(): a worker of `by` did one item; the oldest inactive one takes its place. */
  done(by: WorkerPool): void {
    this.active--;
    const next = this.inactive.shift();
    if (next === undefined) return;
    this.activate(next);
    // A worker goes on with what its own pool has; of another pool, perhaps nobody is awake.
    if (this.pool !== by) this.pool.wakeIfNeeded();
  }

  private activate(work: Work): void {
    this.active++;
    if (this.active > this.activeMax) this.activeMax = this.active;
    invariant(this.active <= this.maxActive, 'workqueue: more active items than max_active');
    this.pool.worklist.push(work);
  }
}

class Worker {
  /** Counts in the pool's nrRunning. */
  running = false;
  idleSinceNs = 0;
  task!: Task;
}

export class WorkerPool {
  readonly worklist = new Deque<Work>();
  nrRunning = 0;
  workers = 0;
  created = 0;
  private readonly idle = new Deque<Worker>();
  private creating = false;
  private readonly createActor: number;

  constructor(
    private readonly machine: Machine,
    private readonly queues: Workqueues,
    readonly name: string,
    /** undefined: an unbound pool, without concurrency management. */
    readonly cpu: Cpu | undefined,
  ) {
    this.createActor = machine.addActor(() => this.createWorker());
  }

  get blocked(): number {
    return this.workers - this.nrRunning - this.idle.length;
  }

  /** need_more_worker(): items are pending and nobody runs. */
  wakeIfNeeded(): void {
    if (this.worklist.length === 0 || (this.cpu !== undefined && this.nrRunning > 0)) return;
    // wake_up_worker(): the worker that went idle last; it leaves the idle list itself once it runs, so that a second
    // call before that wakes nobody else.
    const worker = this.idle.last();
    if (worker !== undefined) {
      this.machine.wake(worker.task);
    } else if (!this.creating) {
      this.creating = true;
      this.machine.schedule(this.queues.costs.workerCreateNs, this.createActor, 0);
    }
  }

  private createWorker(): void {
    this.creating = false;
    this.created++;
    this.workers++;
    this.queues.workerCreated();
    const worker = new Worker();
    worker.idleSinceNs = this.machine.nowNs;
    const hooks = {
      running: () => {
        worker.running = true;
        this.nrRunning++;
      },
      sleeping: () => {
        if (!worker.running) return;
        worker.running = false;
        this.nrRunning--;
        this.wakeIfNeeded();
      },
    };
    const place = this.cpu !== undefined ? { on: this.cpu } : { near: this.machine.cpus[0]! };
    const name = `kworker/${this.name}:${this.created - 1}`;
    worker.task = this.machine.spawn(name, () => this.workerLoop(worker), { hooks, ...place });
    this.idle.push(worker);
  }

  private *workerLoop(worker: Worker): TaskBody {
    for (;;) {
      this.idle.remove(worker);
      // keep_working(): go on while items are pending and no other worker of this pool runs.
      while (this.worklist.length > 0 && (this.cpu === undefined || this.nrRunning <= 1)) {
        const work = this.worklist.shift()!;
        if (work.executing) {
          // It stays pending until then, so that it is queued once and counts in one queue.
          work.again = true;
          continue;
        }
        work.executing = true;
        do {
          work.again = false;
          work.pending = false;
          const queue = work.queue!;
          yield* work.run();
          queue.done(this);
        } while (work.again);
        work.executing = false;
      }
      worker.idleSinceNs = this.machine.nowNs;
      this.reapIdle();
      this.idle.push(worker);
      yield PARK;
      if (this.queues.dying.delete(worker)) break;
    }
    // Told to end before it first ran, it has worked and gone idle since; nobody may wake it any more.
    this.idle.remove(worker);
    worker.running = false;
    this.nrRunning--;
    this.workers--;
    this.queues.workerDied();
    // It may have been woken for work and told to end at once.
    this.wakeIfNeeded();
  }

  /** Idle workers beyond two end after the idle timeout (the kernel keeps a quarter of the busy ones; so few remain). */
  private reapIdle(): void {
    while (this.idle.length > 2) {
      const oldest = this.idle.peek()!;
      if (this.machine.nowNs - oldest.idleSinceNs < this.queues.costs.workerIdleTimeoutNs) return;
      this.idle.shift();
      this.queues.dying.add(oldest);
      this.machine.wake(oldest.task);
    }
  }
}

/** A queue of one machine, as alloc_workqueue() gives it. */
export class Workqueue {
  private readonly perPool = new Map<WorkerPool, PoolQueue>();

  constructor(
    private readonly pools: (cpu: Cpu) => WorkerPool,
    readonly maxActive: number,
  ) {}

  /** queue_work_on(): on the pool of this CPU; false when the item was pending already. */
  queueOn(cpu: Cpu, work: Work): boolean {
    return this.on(cpu).queue(work);
  }

  get activeMax(): number {
    let max = 0;
    for (const queue of this.perPool.values()) if (queue.activeMax > max) max = queue.activeMax;
    return max;
  }

  private on(cpu: Cpu): PoolQueue {
    const pool = this.pools(cpu);
    let queue = this.perPool.get(pool);
    if (queue === undefined) {
      queue = new PoolQueue(pool, this.maxActive);
      this.perPool.set(pool, queue);
    }
    return queue;
  }
}

/** All pools of a machine. */
export class Workqueues {
  workers = 0;
  workersMax = 0;
  workersCreated = 0;
  readonly dying = new Set<object>();
  private readonly bound: (WorkerPool | undefined)[];
  private readonly unbound: WorkerPool[] = [];
  private readonly delayActor: number;
  private readonly delayed: ({ queue: Workqueue; cpu: Cpu; work: Work } | undefined)[] = [];

  constructor(
    private readonly machine: Machine,
    readonly costs: WorkqueueCosts,
  ) {
    this.bound = new Array<WorkerPool | undefined>(machine.cpus.length).fill(undefined);
    this.delayActor = machine.addActor((index) => this.delayEnded(index));
  }

  /** Pools that exist, bound ones first. */
  *pools(): Iterable<WorkerPool> {
    for (const pool of this.bound) if (pool !== undefined) yield pool;
    yield* this.unbound;
  }

  /** Workers of bound pools that run. */
  get running(): number {
    let sum = 0;
    for (const pool of this.bound) if (pool !== undefined) sum += pool.nrRunning;
    return sum;
  }

  /** Workers of bound pools that sleep inside a work item. */
  get blocked(): number {
    let sum = 0;
    for (const pool of this.bound) if (pool !== undefined) sum += pool.blocked;
    return sum;
  }

  /** The same in the bound pool where it is most. */
  get blockedInFullest(): number {
    let max = 0;
    for (const pool of this.bound) if (pool !== undefined && pool.blocked > max) max = pool.blocked;
    return max;
  }

  /** A bound queue on the pools that all bound queues share. */
  alloc(maxActive: number): Workqueue {
    return new Workqueue((cpu) => (this.bound[cpu.index] ??= this.boundPool(cpu)), maxActive);
  }

  /** create_singlethread_workqueue(): one item at a time, in order, on a worker bound to no CPU. */
  allocOrdered(name: string): Workqueue {
    const pool = new WorkerPool(this.machine, this, `u:${name}`, undefined);
    this.unbound.push(pool);
    return new Workqueue(() => pool, 1);
  }

  /** queue_delayed_work(): a timer that queues the item; false when it was pending already. */
  queueDelayed(queue: Workqueue, cpu: Cpu, work: Work, delayNs: number): boolean {
    if (delayNs === 0) return queue.queueOn(cpu, work);
    if (work.pending) return false;
    work.pending = true;
    // The timer wheel rounds up to a jiffy.
    const jiffies = Math.ceil(delayNs / this.machine.jiffyNs);
    this.machine.schedule(jiffies * this.machine.jiffyNs, this.delayActor, this.delayed.push({ queue, cpu, work }) - 1);
    return true;
  }

  workerCreated(): void {
    this.workersCreated++;
    this.workers++;
    if (this.workers > this.workersMax) this.workersMax = this.workers;
  }

  workerDied(): void {
    this.workers--;
  }

  private boundPool(cpu: Cpu): WorkerPool {
    return new WorkerPool(this.machine, this, String(cpu.index), cpu);
  }

  private delayEnded(index: number): void {
    const { queue, cpu, work } = this.delayed[index]!;
    this.delayed[index] = undefined;
    work.pending = false;
    queue.queueOn(cpu, work);
  }
}
