// All worker pools and workqueues of a machine, as in kernel/workqueue.c: two pools per CPU (nice 0, and -20 for
// WQ_HIGHPRI) that all bound queues share, and unbound pools per node and nice value, or machine-wide for ordered queues.
// A pool exists once something is queued to it: idle CPUs cost nothing.
import type { Cpu } from '../sched/cpu.js';
import { CpuMask } from '../sched/cpu-mask.js';
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import type { TaskBody } from '../sched/task.js';
import { Timers } from '../timers/timers.js';
import { Rescuer } from './rescuer.js';
import { type Work, WorkBarrier } from './work.js';
import { type PoolOwner, WorkerPool } from './worker-pool.js';
import { grabPending, Workqueue } from './workqueue.js';

export interface WorkqueueCosts {
  readonly workerCreateNs: number;
  /** IDLE_WORKER_TIMEOUT: 300 s. */
  readonly workerIdleTimeoutNs: number;
  /** What the creation of a worker takes longer now, because memory is short. */
  readonly createStallNs?: () => number;
  /** Node of a CPU, for unbound queues; one node when it is not given. */
  readonly nodeOf?: (cpu: Cpu) => number;
}

export interface WorkqueueOptions {
  readonly name?: string;
  /** WQ_HIGHPRI: workers of nice -20. */
  readonly highPri?: boolean;
  readonly cpuIntensive?: boolean;
  /** WQ_MEM_RECLAIM: it has a rescuer. */
  readonly memReclaim?: boolean;
}

/** WQ_DFL_ACTIVE. */
const DEFAULT_ACTIVE = 256;
const HIGHPRI_NICE = -20;

export class Workqueues implements PoolOwner {
  workers = 0;
  workersMax = 0;
  workersCreated = 0;
  rescuers = false;
  readonly timers: Timers;
  private readonly bound: WorkerPool[] = [];
  private readonly unbound = new Map<string, WorkerPool>();
  private readonly perCpu: (WorkerPool | undefined)[];
  private readonly perCpuHighPri: (WorkerPool | undefined)[];
  private readonly nodeOf: (cpu: Cpu) => number;

  constructor(
    private readonly machine: Machine,
    private readonly costs: WorkqueueCosts,
  ) {
    this.timers = Timers.of(machine);
    this.perCpu = new Array<WorkerPool | undefined>(machine.cpus.length).fill(undefined);
    this.perCpuHighPri = this.perCpu.slice();
    this.nodeOf = costs.nodeOf ?? (() => 0);
  }

  /** Pools that exist, bound ones first. */
  *pools(): Iterable<WorkerPool> {
    yield* this.bound;
    yield* this.unbound.values();
  }

  /** Workers of bound pools that run. */
  get running(): number {
    let sum = 0;
    for (const { nrRunning } of this.bound) sum += nrRunning;
    return sum;
  }

  /** Workers of bound pools that sleep inside a work item. */
  get blocked(): number {
    let sum = 0;
    for (const { blocked } of this.bound) sum += blocked;
    return sum;
  }

  /** The same in the bound pool where it is most. */
  get blockedInFullest(): number {
    let max = 0;
    for (const { blocked } of this.bound) if (blocked > max) max = blocked;
    return max;
  }

  /** alloc_workqueue(): a bound queue; 0 is the kernel's default of 256 active items per CPU. */
  alloc(maxActive: number, options: WorkqueueOptions = {}): Workqueue {
    const highPri = options.highPri === true;
    const pools = highPri ? this.perCpuHighPri : this.perCpu;
    const poolOf = (cpu: Cpu): WorkerPool => (pools[cpu.index] ??= this.boundPool(cpu, highPri));
    return this.queue(poolOf, maxActive, options);
  }

  /** alloc_workqueue(WQ_UNBOUND): a pool per node, without concurrency management; max_active counts per node. */
  allocUnbound(maxActive: number, options: WorkqueueOptions = {}): Workqueue {
    const nice = options.highPri === true ? HIGHPRI_NICE : 0;
    const poolOf = (cpu: Cpu): WorkerPool => {
      const node = this.nodeOf(cpu);
      return this.unboundPool(`${node}:${nice}`, nice, () => this.maskOf(node));
    };
    return this.queue(poolOf, maxActive, options);
  }

  /** alloc_ordered_workqueue(): one item at a time, in order, on a worker bound to no CPU. */
  allocOrdered(name: string, options: WorkqueueOptions = {}): Workqueue {
    return this.queue(() => this.unboundPool('all', 0, () => undefined), 1, { name, ...options });
  }

  /** queue_delayed_work_on(), in ns: rounded up to whole jiffies, and by the timer wheel. */
  queueDelayed(queue: Workqueue, cpu: Cpu, work: Work, delayNs: number): boolean {
    return queue.queueDelayedOn(cpu, work, this.timers.jiffiesOf(delayNs));
  }

  /**
   * `yield* workqueues.flushWork(work)`, flush_work(): returns when the last execution that was queued or under way has
   * ended; at once when only its timer runs.
   */
  *flushWork(work: Work): TaskBody {
    const barriers = work.queue !== undefined ? work.barriers : work.workers[work.workers.length - 1]?.barriers;
    if (barriers === undefined) return;
    yield* this.waitFor(work, barriers);
  }

  /** `yield* workqueues.flushDelayedWork(work)`: does not wait for the timer. */
  *flushDelayedWork(work: Work): TaskBody {
    if (work.timer !== undefined && this.timers.delete(work.timer)) work.delayedQueue!.insert(work.delayedCpu!, work);
    yield* this.flushWork(work);
  }

  /** cancel_work(), cancel_delayed_work(): true when it was pending. It may be running. */
  cancel(work: Work): boolean {
    if (!grabPending(this.timers, work)) return false;
    work.pending = false;
    return true;
  }

  /**
   * `yield* workqueues.cancelSync(work)`, cancel_work_sync() and cancel_delayed_work_sync(): on return it is neither
   * pending nor running. While this waits it cannot be queued, by itself either.
   */
  *cancelSync(work: Work): Generator<number, boolean, void> {
    const wasPending = grabPending(this.timers, work);
    work.pending = true;
    while (work.workers.length > 0) yield* this.waitFor(work, work.workers[work.workers.length - 1]!.barriers);
    work.pending = false;
    return wasPending;
  }

  workerCreateNs(): number {
    return this.costs.workerCreateNs + (this.costs.createStallNs?.() ?? 0);
  }

  get workerIdleTimeoutNs(): number {
    return this.costs.workerIdleTimeoutNs;
  }

  workerCreated(): void {
    this.workersCreated++;
    this.workers++;
    if (this.workers > this.workersMax) this.workersMax = this.workers;
  }

  workerDied(): void {
    this.workers--;
  }

  private boundPool(cpu: Cpu, highPri: boolean): WorkerPool {
    const name = `${cpu.index}${highPri ? 'H' : ''}`;
    const pool = new WorkerPool(this.machine, this, name, cpu, highPri ? HIGHPRI_NICE : 0);
    this.bound.push(pool);
    return pool;
  }

  private queue(poolOf: (cpu: Cpu) => WorkerPool, maxActive: number, options: WorkqueueOptions): Workqueue {
    const rescuer = options.memReclaim === true ? new Rescuer(this.machine, options.name ?? 'wq') : undefined;
    if (rescuer !== undefined) this.rescuers = true;
    const cpuIntensive = options.cpuIntensive ?? false;
    return new Workqueue(this.machine, poolOf, { maxActive: maxActive || DEFAULT_ACTIVE, cpuIntensive, rescuer });
  }

  /** Queues of the same attributes share a pool (get_unbound_pool()). */
  private unboundPool(key: string, nice: number, mask: () => CpuMask | undefined): WorkerPool {
    let pool = this.unbound.get(key);
    if (pool === undefined) {
      pool = new WorkerPool(this.machine, this, `u${this.unbound.size}`, undefined, nice, mask());
      this.unbound.set(key, pool);
    }
    return pool;
  }

  /** The CPUs of a node; undefined when there is one node only. */
  private maskOf(node: number): CpuMask | undefined {
    if (this.costs.nodeOf === undefined) return undefined;
    const { cpus } = this.machine;
    const members = cpus.filter((cpu) => this.nodeOf(cpu) === node).map(({ index }) => index);
    return new CpuMask(cpus.length, members);
  }

  private *waitFor(work: Work, barriers: WorkBarrier[]): TaskBody {
    const task = this.machine.current;
    invariant(!work.workers.some((worker) => worker.task === task), 'workqueue: an item waits for itself');
    const barrier = new WorkBarrier(this.machine, task);
    barriers.push(barrier);
    yield* barrier.wait();
  }
}
