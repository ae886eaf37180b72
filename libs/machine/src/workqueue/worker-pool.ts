// struct worker_pool: the workers of one CPU, or of a set of CPUs, and the items that they have to do.
//
// Concurrency management (bound pools): one worker runs at a time. When the running worker blocks and items are pending,
// another is woken. A worker goes from item to item without giving way while no other one of its pool runs; one that was
// woken counts as running only once it has its CPU. Unbound pools wake a worker for every item.
//
// Before a worker starts on an item it makes sure that another one is idle, so that somebody is there to be woken when it
// blocks: the last idle one creates a worker first (manage_workers()), which takes time.
import type { Cpu } from '../sched/cpu.js';
import type { CpuMask } from '../sched/cpu-mask.js';
import { Deque } from '../deque.js';
import type { Machine } from '../machine.js';
import { PARK, type TaskBody } from '../sched/task.js';
import { Timer } from '../timers/timer.js';
import type { Timers } from '../timers/timers.js';
import type { Work } from './work.js';
import { Worker } from './worker.js';

/** MAX_IDLE_WORKERS_RATIO: a quarter of the busy ones may be idle, and two more. */
const MAX_IDLE_WORKERS_RATIO = 4;

/** A host that has been up for a while has one to work and one to stand by in every pool; culling leaves these. */
const WORKERS_AT_START = 2;

export interface PoolOwner {
  readonly timers: Timers;
  /** CPU time and waiting that the creation of a worker takes from its creator. */
  workerCreateNs(): number;
  readonly workerIdleTimeoutNs: number;
  /** Some workqueue has a rescuer. */
  readonly rescuers: boolean;
  workerCreated(): void;
  workerDied(): void;
}

export class WorkerPool {
  readonly worklist = new Deque<Work>();
  nrRunning = 0;
  /** Workers that sleep inside an item. */
  blocked = 0;
  workers = 0;
  created = 0;
  private readonly idle = new Deque<Worker>();
  private managing = false;
  private readonly idleTimer: Timer;
  private readonly maydayTimer: Timer;

  constructor(
    private readonly machine: Machine,
    private readonly owner: PoolOwner,
    readonly name: string,
    /** undefined: an unbound pool, without concurrency management. */
    readonly cpu: Cpu | undefined,
    private readonly nice = 0,
    /** Of an unbound pool: where its workers may run; everywhere if undefined. */
    private readonly mask: CpuMask | undefined = undefined,
  ) {
    this.idleTimer = new Timer(() => this.cullIdle());
    this.maydayTimer = new Timer(() => this.sendMaydays());
    for (let i = 0; i < WORKERS_AT_START; i++) this.createWorker(true);
  }

  /** need_more_worker(), wake_up_worker(): items are pending and nobody runs. */
  wakeIfNeeded(): void {
    if (!this.needsWorker) return;
    // The worker that went idle last; it leaves the idle list itself once it runs, so that a second call before that
    // wakes nobody else.
    const worker = this.idle.last();
    if (worker !== undefined) this.machine.wake(worker.task);
  }

  /** Takes an item that has not begun away from whoever was to do it; false when it is not here. */
  take(work: Work): boolean {
    if (this.worklist.remove(work)) return true;
    for (const worker of work.workers) if (worker.pool === this && worker.scheduled.remove(work)) return true;
    return false;
  }

  /** assign_work(): the item, unless a worker of this pool is at it already; that one does it again after. */
  assign(work: Work): Work | undefined {
    for (const worker of work.workers) {
      if (worker.pool !== this) continue;
      worker.scheduled.push(work);
      return undefined;
    }
    return work;
  }

  private get needsWorker(): boolean {
    return this.worklist.length > 0 && this.nrRunning === 0;
  }

  /** keep_working(). */
  private get keepsWorking(): boolean {
    return this.worklist.length > 0 && this.nrRunning <= 1;
  }

  private createWorker(asleep: boolean): void {
    const worker = new Worker(this);
    const place = this.cpu !== undefined ? { on: this.cpu } : { near: this.machine.cpus[0]! };
    const name = `kworker/${this.name}:${this.created++}`;
    this.workers++;
    this.owner.workerCreated();
    worker.task = this.machine.spawn(name, () => this.workerLoop(worker), { hooks: worker, asleep: true, ...place });
    const { scheduler } = this.machine;
    if (this.nice !== 0) scheduler.renice(worker.task, this.nice);
    if (this.mask !== undefined) scheduler.setAffinity(worker.task, this.mask);
    // As if it slept in PARK: several wakeups before it first acts are one, and none is left for the item that it does.
    worker.task.parked = true;
    this.enterIdle(worker);
    if (!asleep) this.machine.wake(worker.task);
  }

  /** worker_thread(). */
  private *workerLoop(worker: Worker): TaskBody {
    while (!worker.dying) {
      this.leaveIdle(worker);
      while (this.needsWorker && this.idle.length === 0 && !this.managing) yield* this.manage();
      if (this.needsWorker) {
        worker.startWorking();
        do {
          let work = this.assign(this.worklist.shift()!);
          // process_scheduled_works(): and what collided with it meanwhile.
          for (; work !== undefined; work = worker.scheduled.shift()) {
            worker.begin(work);
            yield* work.run();
            worker.end(work);
          }
        } while (this.keepsWorking);
        worker.stopWorking();
      }
      this.enterIdle(worker);
      yield PARK;
    }
  }

  /** manage_workers(), maybe_create_worker(). If it takes long, rescuers are asked for help. */
  private *manage(): TaskBody {
    const { machine, owner } = this;
    this.managing = true;
    const { timers } = owner;
    // MAYDAY_INITIAL_TIMEOUT: 10 ms, two jiffies at least.
    if (owner.rescuers) timers.mod(this.maydayTimer, timers.jiffies + Math.max(2, Math.floor(timers.hz / 100)));
    const endNs = machine.nowNs + Math.round(owner.workerCreateNs());
    while (machine.nowNs < endNs) yield machine.sleep(endNs - machine.nowNs);
    timers.delete(this.maydayTimer);
    this.managing = false;
    this.createWorker(false);
  }

  private sendMaydays(): void {
    if (!this.needsWorker || this.idle.length > 0) return;
    for (let i = 0; i < this.worklist.length; i++) {
      const queue = this.worklist.at(i).queue!;
      queue.workqueue.rescuer?.mayday(queue);
    }
    // MAYDAY_INTERVAL: 100 ms.
    const { timers } = this.owner;
    timers.mod(this.maydayTimer, timers.jiffies + Math.max(1, Math.floor(timers.hz / 10)));
  }

  private leaveIdle(worker: Worker): void {
    if (this.idle.last() === worker) this.idle.pop();
    else this.idle.remove(worker);
  }

  private enterIdle(worker: Worker): void {
    const { timers } = this.owner;
    worker.lastActiveJiffy = timers.jiffies;
    this.idle.push(worker);
    if (this.tooManyWorkers && !this.idleTimer.pending) {
      this.armIdleTimer(timers.jiffies + timers.jiffiesOf(this.owner.workerIdleTimeoutNs));
    }
  }

  /** too_many_workers(). */
  private get tooManyWorkers(): boolean {
    const idle = this.idle.length + (this.managing ? 1 : 0);
    const busy = this.workers - idle;
    return idle > 2 && (idle - 2) * MAX_IDLE_WORKERS_RATIO >= busy;
  }

  private armIdleTimer(jiffy: number): void {
    this.owner.timers.modOn(this.idleTimer, this.cpu ?? this.machine.cpus[0]!, jiffy);
  }

  /** idle_worker_timeout(): those that were idle longest end, if there are too many. */
  private cullIdle(): void {
    const { timers, workerIdleTimeoutNs } = this.owner;
    while (this.tooManyWorkers) {
      const oldest = this.idle.peek()!;
      const endsJiffy = oldest.lastActiveJiffy + timers.jiffiesOf(workerIdleTimeoutNs);
      if (timers.jiffies < endsJiffy) {
        this.armIdleTimer(endsJiffy);
        return;
      }
      // set_worker_dying().
      this.idle.shift();
      oldest.dying = true;
      this.workers--;
      this.owner.workerDied();
      this.machine.wake(oldest.task);
    }
  }
}
