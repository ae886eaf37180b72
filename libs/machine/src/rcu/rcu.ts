// RCU: per-CPU callback lists, grace periods one after the other while anybody needs one, rcu_barrier().
// After kernel/rcu/tree.c and rcu_segcblist.c of Linux 5.10.
//
// - A callback posted at t may run after the first grace period that starts at or after t. The list of a CPU is FIFO
//   and its entries need grace periods in non-decreasing order, so the segments of the kernel (DONE, WAIT, NEXT_READY,
//   NEXT) are positions in one queue.
// - A CPU notices the end of a grace period at its next tick; it then invokes what is ready in softirq context, and
//   hands over to its ksoftirqd (a fair task) when that takes too long.
// - Grace periods, normal and expedited, are in their own files; here is who asks for them.
// Callbacks are posted in bulk: an entry stands for `count` callbacks with one common effect.
import type { Cpu } from '../sched/cpu.js';
import { Deque } from '../deque.js';
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import { PARK, SchedClass, type Task, type TaskBody } from '../sched/task.js';
import { hasPreemptRcu, type RcuCosts } from './costs.js';
import { ExpeditedGracePeriods } from './expedited.js';
import { GracePeriods } from './grace-periods.js';
import { Readers } from './readers.js';

/** Softirq work is restarted this often (MAX_SOFTIRQ_RESTART) and this long (MAX_SOFTIRQ_TIME) before ksoftirqd. */
const MAX_SOFTIRQ_RESTART = 10;
const MAX_SOFTIRQ_TIME_NS = 2_000_000;

interface Entry {
  /** Place in the order of all postings on all CPUs, from 1. */
  readonly serial: number;
  readonly count: number;
  readonly costNs: number;
  /** Grace period whose end it waits for. */
  readonly gp: number;
  /** What the last of these callbacks does. */
  readonly effect: (() => void) | undefined;
}

/** The callback list of one CPU (struct rcu_data). */
export class RcuCpu {
  readonly entries = new Deque<Entry>();
  queued = 0;
  /** Above qhimark the pass limit is lifted until the list falls below qlowmark. */
  unlimited = false;
  tickPending = false;
  softirq: Task | undefined = undefined;

  constructor(
    readonly cpu: Cpu,
    readonly tickPhaseNs: number,
    readonly tickActor: number,
  ) {}
}

export class Rcu {
  readonly perCpu: readonly RcuCpu[];
  readonly gracePeriods: GracePeriods;
  readonly expedited: ExpeditedGracePeriods;
  readonly readers: Readers;
  queuedMax = 0;
  /** Serial of the last callback that was posted. */
  lastSerial = 0;
  /** Everything up to here has run; may lag, never leads. */
  private invokedUpTo = 0;
  /** CPUs whose list is not empty; grace periods look only at these. */
  private readonly withCallbacks = new Set<RcuCpu>();

  constructor(
    private readonly machine: Machine,
    private readonly costs: RcuCosts,
  ) {
    this.readers = new Readers(machine, hasPreemptRcu(costs, machine));
    this.expedited = new ExpeditedGracePeriods(machine, costs, this.readers);
    this.gracePeriods = new GracePeriods(machine, costs, this.readers, {
      needed: () => this.needsGp(),
      ended: () => this.noticeEnd(),
    });
    const ticks = machine.random('ticks');
    this.perCpu = machine.cpus.map((cpu): RcuCpu => {
      const tickActor: number = machine.addActor(() => this.tick(rdp));
      const rdp: RcuCpu = new RcuCpu(cpu, ticks.below(machine.jiffyNs), tickActor);
      return rdp;
    });
  }

  /** CPU time of one callback that does little. */
  get callbackNs(): number {
    return this.costs.callbackNs;
  }

  /** Callbacks queued on all CPUs. */
  get queued(): number {
    let sum = 0;
    for (const rdp of this.withCallbacks) sum += rdp.queued;
    return sum;
  }

  get queuedOnFullest(): number {
    let max = 0;
    for (const rdp of this.withCallbacks) if (rdp.queued > max) max = rdp.queued;
    return max;
  }

  get gpStarted(): number {
    return this.gracePeriods.started;
  }

  get gpCompleted(): number {
    return this.gracePeriods.completed;
  }

  /** Sum of the lengths of all completed grace periods. */
  get gpTotalNs(): number {
    return this.gracePeriods.totalNs;
  }

  get gpInProgress(): boolean {
    return this.gracePeriods.inProgress;
  }

  /**
   * rcu_read_lock() of a task, or of the current one; sections nest. Until {@link readUnlock} it may not sleep, and, unless
   * the machine has PREEMPT_RCU, is not preempted.
   */
  readLock(task: Task = this.machine.current): void {
    this.readers.lock(task);
  }

  readUnlock(task: Task = this.machine.current): void {
    this.readers.unlock(task);
  }

  /**
   * What everything else on a host posts: single callbacks on CPUs drawn at random, at exponential intervals. A host
   * where nobody posts any does not exist, and on one every rcu_barrier() would return at once.
   */
  startBackground(perSecond: number): void {
    if (perSecond <= 0) return;
    const random = this.machine.random('rcu background');
    const meanNs = 1e9 / perSecond;
    const actor = this.machine.addActor(() => {
      this.callRcu(this.machine.cpus[random.below(this.machine.cpus.length)]!, 1, this.costs.callbackNs);
      this.machine.schedule(random.exponential(meanNs), actor, 0);
    });
    this.machine.schedule(random.exponential(meanNs), actor, 0);
  }

  /**
   * call_rcu(), `count` times at once on `cpu`; `effect` happens when the last of them is invoked.
   * @param costNs CPU time of all of them.
   */
  callRcu(cpu: Cpu, count: number, costNs: number, effect?: () => void): void {
    const gp = this.gpStarted + 1;
    this.enqueue(this.perCpu[cpu.index]!, { serial: ++this.lastSerial, count, costNs, gp, effect });
  }

  /** `yield* rcu.synchronize()`: returns after a grace period that began after the call. */
  *synchronize(): TaskBody {
    const task = this.machine.current;
    let over = false;
    this.callRcu(task.cpu, 1, this.costs.callbackNs, () => {
      over = true;
      this.machine.wake(task);
    });
    while (!over) yield PARK;
  }

  /** `yield* rcu.synchronizeExpedited()`: interrupts busy CPUs instead of waiting for their ticks. */
  synchronizeExpedited(): TaskBody {
    return this.expedited.synchronize();
  }

  /**
   * rcu_segcblist_entrain(): a callback behind all that is queued on a CPU, without asking for a grace period of its
   * own. The list must not be empty.
   */
  entrain(rdp: RcuCpu, effect: () => void): void {
    const last = rdp.entries.last();
    invariant(last !== undefined, 'rcu: entrain on a CPU without callbacks');
    this.enqueue(rdp, { serial: ++this.lastSerial, count: 1, costNs: this.costs.callbackNs, gp: last.gp, effect });
  }

  /**
   * Whether every callback up to this serial has been invoked. Lists are FIFO, so their heads tell; the answer only
   * ever grows, so most questions are answered without looking at them again.
   */
  haveRun(serial: number): boolean {
    if (serial <= this.invokedUpTo) return true;
    let oldest = this.lastSerial + 1;
    for (const rdp of this.withCallbacks) {
      const head = rdp.entries.peek();
      if (head !== undefined && head.serial < oldest) oldest = head.serial;
    }
    this.invokedUpTo = oldest - 1;
    return serial <= this.invokedUpTo;
  }

  private enqueue(rdp: RcuCpu, entry: Entry): void {
    rdp.entries.push(entry);
    rdp.queued += entry.count;
    if (rdp.queued > this.queuedMax) this.queuedMax = rdp.queued;
    if (rdp.queued > this.costs.qhimark) rdp.unlimited = true;
    this.withCallbacks.add(rdp);
    // An idle RCU learns of new callbacks at the tick of the CPU that posted them.
    this.scheduleTick(rdp);
  }

  private scheduleTick(rdp: RcuCpu): void {
    if (rdp.tickPending) return;
    rdp.tickPending = true;
    const { jiffyNs, nowNs } = this.machine;
    const sinceTickNs = (((nowNs - rdp.tickPhaseNs) % jiffyNs) + jiffyNs) % jiffyNs;
    this.machine.schedule(jiffyNs - sinceTickNs, rdp.tickActor, 0);
  }

  /** rcu_sched_clock_irq(): asks for a grace period if one is needed, and starts invoking what is ready. */
  private tick(rdp: RcuCpu): void {
    rdp.tickPending = false;
    const head = rdp.entries.peek();
    if (head === undefined) return;
    if (head.gp <= this.gpCompleted) this.raiseSoftirq(rdp);
    this.gracePeriods.request();
  }

  private needsGp(): boolean {
    for (const rdp of this.withCallbacks) {
      const last = rdp.entries.last();
      if (last !== undefined && last.gp > this.gpCompleted) return true;
    }
    return false;
  }

  /** Each CPU notices the end at its next tick (rcu_pending()). */
  private noticeEnd(): void {
    for (const rdp of this.withCallbacks) {
      const head = rdp.entries.peek();
      if (head !== undefined && head.gp <= this.gpCompleted) this.scheduleTick(rdp);
    }
  }

  private raiseSoftirq(rdp: RcuCpu): void {
    if (rdp.softirq === undefined) {
      rdp.softirq = this.machine.spawn(`rcu_softirq/${rdp.cpu.index}`, (task) => this.softirqLoop(rdp, task), {
        on: rdp.cpu,
        schedClass: SchedClass.Softirq,
        asleep: true,
      });
    }
    this.machine.wake(rdp.softirq);
  }

  /** rcu_core() in softirq context; what it cannot finish there it goes on with as ksoftirqd, a fair task. */
  private *softirqLoop(rdp: RcuCpu, task: Task): TaskBody {
    for (;;) {
      const startNs = this.machine.nowNs;
      let left = MAX_SOFTIRQ_RESTART * this.passLimit(rdp);
      for (;;) {
        const entry = rdp.entries.peek();
        if (entry === undefined || entry.gp > this.gpCompleted) break;
        yield entry.costNs;
        rdp.entries.shift();
        rdp.queued -= entry.count;
        if (rdp.queued < this.costs.qlowmark) rdp.unlimited = false;
        entry.effect?.();
        left -= entry.count;
        if (left <= 0 || this.machine.nowNs - startNs > MAX_SOFTIRQ_TIME_NS) {
          this.machine.scheduler.setClass(task, SchedClass.Fair);
        }
      }
      if (rdp.entries.length === 0) this.withCallbacks.delete(rdp);
      else this.scheduleTick(rdp);
      task.schedClass = SchedClass.Softirq;
      yield PARK;
    }
  }

  /** Callbacks of one pass: blimit, or a share of what is queued, or no limit after an overload. */
  private passLimit(rdp: RcuCpu): number {
    if (rdp.unlimited) return Infinity;
    return Math.max(this.costs.blimit, Math.floor(rdp.queued / 2 ** this.costs.divisor));
  }
}
