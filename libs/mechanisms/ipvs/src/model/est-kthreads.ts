// struct netns_ipvs, the part of the kthreads: who exists, which limits hold, who is placed where. When their tasks run is in
// est-tasks.ts.
import type { CpuMask, TaskBody } from '@kworkbench/machine';
import { ideas } from '../idea.js';
import { BroughtRows } from './brought-rows.js';
import type { EstKtData } from './est-kt-data.js';
import { type EstLimits, estLimits, estTickJiffies, tickChains, v1Limits } from './est-limits.js';
import type { EstimationStatus, Estimation, EstParts } from './est-parts.js';
import { Enqueued, EstPlacement, INITIAL_DELAY } from './est-placement.js';
import { EstTasks } from './est-tasks.js';
import type { EstRunner } from './kthread.js';

export class EstKthreads implements Estimation {
  readonly placement: EstPlacement;
  readonly tasks: EstTasks;
  readonly tickJiffies: number;
  readonly chains: number;
  /** Estimator of the namespace's total, kept in kthread 0. */
  total = -1;
  enabled = false;
  /** est_chain_max: 0 while nobody has calculated it. */
  chainLength = 0;
  calcPhase = false;
  /** CPU time of kthreads that are gone. */
  private pastCpuNs = 0;
  private pastWakeups = 0;
  private pastBacklogs = 0;
  readonly limitsFixed: boolean;

  constructor(
    readonly parts: EstParts,
    readonly index: number,
  ) {
    const { kernel, build, timers } = parts;
    this.limitsFixed = kernel.limits === 'fixed';
    const idea = ideas.of(kernel);
    const rows = idea && new BroughtRows(idea.placement());
    this.placement = new EstPlacement(parts.estimators, kernel.rowPolicy, rows);
    this.tickJiffies = estTickJiffies(timers.hz);
    this.chains = this.limitsFixed ? 1 : tickChains(build.preemptRcu);
    this.tasks = new EstTasks(this);
  }

  /** ip_vs_start_estimator() */
  *start(est: number): TaskBody {
    const { placement, tasks } = this;
    if (tasks.maxThreads === 0 && this.enabled) tasks.limitThreads();
    if (this.limitsFixed) {
      // v1 has no list to leave it in.
      yield* this.enqueueAt(est);
      return;
    }
    const first = placement.kthreads[0];
    if (first === undefined && !(yield* this.addKthread())) return;
    if (first?.needed === false) yield* this.need(first, true);
    placement.addTemp(est, INITIAL_DELAY, this.parts.machine.nowNs);
  }

  /** Whether kthread 0, whose data is kept, shall have a task. */
  private *need(first: EstKtData, needed: boolean): TaskBody {
    yield* this.tasks.lock();
    first.needed = needed;
    this.tasks.reloadStart();
    this.tasks.unlock();
    if (!needed) this.placement.addKtid = 0;
  }

  private *enqueueAt(est: number): TaskBody {
    this.parts.estimators.ktrow[est] = INITIAL_DELAY;
    if (this.placement.needsKthread && !(yield* this.addKthread())) return;
    this.enqueue(est);
  }

  /** Places an estimator; false when there is no row, where the kernel would write behind its arrays. */
  enqueue(est: number): boolean {
    const { observer, memory } = this.parts;
    const done = this.placement.enqueue(est);
    if (done === Enqueued.Overrun) {
      observer.overruns++;
      return false;
    }
    if (done === Enqueued.NewTick) memory.addTick();
    this.noteFill(est);
    return true;
  }

  private noteFill(est: number): void {
    const { observer, estimators } = this.parts;
    const kd = this.placement.kthreads[estimators.ktid[est]!]!;
    const row = estimators.ktrow[est]!;
    const length = kd.ticks[row]!.chains[estimators.ktcid[est]!]!.length;
    if (length > observer.chainLenMax) observer.chainLenMax = length;
    if (kd.tickLen[row]! > observer.tickLenMax) observer.tickLenMax = kd.tickLen[row]!;
  }

  /** ip_vs_stop_estimator() */
  *stop(est: number): TaskBody {
    const idle = this.unlink(est);
    if (idle === undefined) return;
    if (idle.id === 0 && this.parts.kernel.kthread0 === 'kept') yield* this.need(idle, false);
    else yield* this.destroy(idle);
  }

  /** Out of whichever list it is in; the kthread that has nothing to do any more, if any. */
  unlink(est: number): EstKtData | undefined {
    const { rcu, memory, machine } = this.parts;
    return this.placement.unlink(est, () => {
      rcu.callRcu(machine.current.cpu, 1, rcu.callbackNs, () => memory.freeTick());
    });
  }

  private *destroy(kd: EstKtData): TaskBody {
    yield* this.tasks.lock();
    yield* this.tasks.stopTask(kd);
    this.drop(kd);
    this.tasks.unlock();
  }

  /** A kthread without estimators and without a task. */
  drop(kd: EstKtData): void {
    this.pastCpuNs += kd.cpuNs;
    this.pastWakeups += kd.wakeups;
    this.pastBacklogs += kd.droppedBacklogs;
    this.placement.dropKthread(kd);
    this.parts.memory.freeKthread();
  }

  /** The first service: tasks start. */
  enable(): void {
    this.enabled = true;
    if (this.parts.kernel.kthread0 === 'kept') this.tasks.limitThreads();
    this.tasks.reloadStart();
  }

  disable(): void {
    this.enabled = false;
  }

  /** ip_vs_estimator_net_cleanup(): nobody else is left, so that no mutex is needed. */
  *cleanup(): TaskBody {
    yield* this.tasks.cancelReload();
    for (let id = this.placement.ktCount - 1; id >= 0; id--) {
      const kd = this.placement.kthreads[id];
      if (kd === undefined) continue;
      yield* this.tasks.stopTask(kd);
      this.drop(kd);
    }
  }

  setNice(nice: number): void {
    this.tasks.setNice(nice);
  }

  setCpulist(list: CpuMask): void {
    this.tasks.setCpulist(list);
  }

  setRunEstimation(run: boolean): void {
    this.tasks.setRunEstimation(run);
  }

  limits(): EstLimits {
    return this.limitsFixed ? v1Limits : estLimits(this.chainLength, this.chains);
  }

  /** ip_vs_est_add_kthread(); false when there are as many as there may be, or kthread 0 that asks is to stop. */
  *addKthread(asking?: EstRunner): Generator<number, boolean, void> {
    const { placement, tasks } = this;
    if (this.enabled && tasks.maxThreads > 0 && placement.ktCount >= tasks.maxThreads) return false;
    if (!(yield* tasks.lock(asking))) return false;
    const kd = placement.addKthread(this.parts.timers.jiffies, this.limits());
    this.parts.memory.addKthread();
    yield* tasks.startNew(kd);
    tasks.unlock();
    return true;
  }

  get status(): EstimationStatus {
    const { placement } = this;
    const limits = this.limits();
    let running = 0;
    let cpuNs = this.pastCpuNs;
    let wakeups = this.pastWakeups;
    let droppedBacklogs = this.pastBacklogs;
    let kthreads = 0;
    for (const kd of placement.kthreads) {
      if (kd === undefined) continue;
      kthreads++;
      if (kd.task !== undefined && !kd.task.exited) running++;
      cpuNs += kd.cpuNs;
      wakeups += kd.wakeups;
      droppedBacklogs += kd.droppedBacklogs;
    }
    return {
      placed: placement.placed,
      unplaced: placement.temp.length,
      waitingMaxNs: placement.tempAgeNs(this.parts.machine.nowNs),
      kthreads,
      kthreadsRunning: running,
      kthreadsLimit: this.tasks.maxThreads,
      chainMax: limits.chainMax,
      maxCount: limits.maxCount,
      cpuNs,
      wakeups,
      droppedBacklogs,
      kthreadCpuNs: placement.kthreads.map((kd) => kd?.cpuNs ?? 0),
    };
  }
}
