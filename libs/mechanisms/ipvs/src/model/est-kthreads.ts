// struct netns_ipvs, the part of the kthreads: who exists, which limits hold, when tasks start and stop.
//
// Order of locks: the config mutex, then est_mutex. Kthread 0 takes both, and is stopped by the reload work under est_mutex;
// so that the two never wait for each other, kthread 0 gives up when it is to stop while it waits for est_mutex (the merged
// code can lock itself up there).
import { type CpuMask, Mutex, type TaskBody, Work } from '@kworkbench/machine';
import { CalcPhase } from './calc-phase.js';
import { EstKtData } from './est-kt-data.js';
import { type EstLimits, estLimits, estTickJiffies, KTHREADS_PER_CPU, tickChains, v1Limits } from './est-limits.js';
import { KthreadLoop } from './kthread-loop.js';
import type { EstimationStatus, Estimation, EstParts } from './est-parts.js';
import { Enqueued, EstPlacement, INITIAL_DELAY } from './est-placement.js';
import { EstWork, NO_MORE } from './est-work.js';
import { type EstRunner, Kthread } from './kthread.js';

/** A kthread that waits for est_mutex looks so often whether it should stop. */
const RETRY_JIFFIES = 1;

export class EstKthreads implements Estimation {
  readonly placement: EstPlacement;
  readonly tickJiffies: number;
  readonly chains: number;
  /** Estimator of the namespace's total, kept in kthread 0. */
  total = -1;
  enabled = false;
  /** est_chain_max: 0 while nobody has calculated it. */
  chainLength = 0;
  calcPhase = false;
  genid = 0;
  private genidDone = 0;
  private maxThreads = 0;
  private stopped = false;
  private runEstimation = true;
  private nice = 0;
  private cpulist: CpuMask | undefined;
  private readonly estMutex: Mutex;
  private readonly reloadWork: Work;
  private readonly calc: CalcPhase;
  private readonly loop: KthreadLoop;
  /** CPU time of kthreads that are gone. */
  private pastCpuNs = 0;
  private readonly limitsFixed: boolean;

  constructor(
    readonly parts: EstParts,
    readonly index: number,
  ) {
    const { kernel, build, timers } = parts;
    this.limitsFixed = kernel.limits === 'fixed';
    this.placement = new EstPlacement(parts.estimators, kernel.rowPolicy);
    this.tickJiffies = estTickJiffies(timers.hz);
    this.chains = this.limitsFixed ? 1 : tickChains(build.preemptRcu);
    this.estMutex = new Mutex(parts.machine, `ipvs/${index}/est_mutex`);
    this.reloadWork = new Work(() => this.reload());
    this.calc = new CalcPhase(this);
    this.loop = new KthreadLoop(this);
  }

  /** ip_vs_start_estimator() */
  *start(est: number): TaskBody {
    const { placement } = this;
    if (this.maxThreads === 0 && this.enabled) this.maxThreads = this.threadsAllowed();
    if (this.limitsFixed) {
      // v1 has no list to leave it in.
      yield* this.enqueueAt(est);
      return;
    }
    if (placement.kthreads[0] === undefined && !(yield* this.addKthread())) return;
    placement.addTemp(est, INITIAL_DELAY);
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
    if (idle !== undefined) yield* this.destroy(idle);
  }

  /** Out of whichever list it is in; the kthread that has nothing to do any more, if any. */
  unlink(est: number): EstKtData | undefined {
    const { rcu, memory, machine } = this.parts;
    const idle = this.placement.unlink(est, () => {
      rcu.callRcu(machine.current.cpu, 1, rcu.callbackNs, () => memory.freeTick());
    });
    return idle !== undefined && idle.id === 0 && this.parts.kernel.teardownRace === 'fixed' ? undefined : idle;
  }

  private *destroy(kd: EstKtData): TaskBody {
    yield* this.estMutex.lock();
    yield* this.stopTask(kd);
    this.drop(kd);
    this.estMutex.unlock();
  }

  /** A kthread without estimators and without a task. */
  drop(kd: EstKtData): void {
    this.pastCpuNs += kd.cpuNs;
    this.placement.dropKthread(kd);
    this.parts.memory.freeKthread();
  }

  /** The first service: tasks start. */
  enable(): void {
    this.enabled = true;
    this.reloadStart();
  }

  disable(): void {
    this.enabled = false;
  }

  *cleanup(): TaskBody {
    yield* this.parts.workqueues.cancelSync(this.reloadWork);
    yield* this.estMutex.lock();
    for (let id = this.placement.ktCount - 1; id >= 0; id--) {
      const kd = this.placement.kthreads[id];
      if (kd === undefined) continue;
      yield* this.stopTask(kd);
      this.drop(kd);
    }
    this.estMutex.unlock();
  }

  setNice(nice: number): void {
    this.nice = nice;
    this.reloadStart();
  }

  setCpulist(list: CpuMask): void {
    this.cpulist = list;
    this.maxThreads = this.threadsAllowed();
    this.calcPhase = true;
    this.reloadStart();
  }

  setRunEstimation(run: boolean): void {
    this.runEstimation = run;
    this.reloadStart();
  }

  /** ip_vs_est_max_threads() */
  private threadsAllowed(): number {
    const { kernel, machine } = this.parts;
    if (kernel.maxThreads === 'rlimit') return Math.min(kernel.rlimitNproc, 32_767);
    return Math.max(1, KTHREADS_PER_CPU * (this.cpulist?.count ?? machine.cpus.length));
  }

  limits(): EstLimits {
    return this.limitsFixed ? v1Limits : estLimits(this.chainLength, this.chains);
  }

  /** ip_vs_est_add_kthread(); false when there are as many as there may be, or kthread 0 that asks is to stop. */
  *addKthread(asking?: EstRunner): Generator<number, boolean, void> {
    const { placement, maxThreads } = this;
    if (this.enabled && maxThreads > 0 && placement.ktCount >= maxThreads) return false;
    if (!(yield* this.lockEst(asking))) return false;
    const kd = placement.addKthread(this.parts.timers.jiffies, this.limits());
    this.parts.memory.addKthread();
    if (this.enabled && !this.stopped) yield* this.startTask(kd);
    this.unlockEst();
    return true;
  }

  *lockEst(asking: EstRunner | undefined): Generator<number, boolean, void> {
    if (asking === undefined) {
      yield* this.estMutex.lock();
      return true;
    }
    while (!this.estMutex.tryLock()) {
      if (asking.shouldStop) return false;
      yield* this.parts.timers.scheduleTimeout(RETRY_JIFFIES);
    }
    return true;
  }

  unlockEst(): void {
    this.estMutex.unlock();
  }

  /** ip_vs_est_kthread_start() */
  private *startTask(kd: EstKtData): TaskBody {
    const { machine, costs, timers } = this.parts;
    if (kd.task !== undefined) return;
    const { jiffies } = timers;
    if (Math.abs(kd.estTimer - jiffies) > 4 * this.tickJiffies) kd.estTimer = jiffies;
    if (this.parts.kernel.runner === 'workqueue') {
      const { workqueues, unboundWq } = this.parts;
      kd.task = new EstWork(machine, workqueues, unboundWq, (self) => this.turn(kd, self));
      return;
    }
    yield costs.of('kthreadCreateNs');
    kd.task = new Kthread(machine, `ipvs-e:${this.index}:${kd.id}`, (self) => this.main(kd, self), {
      nice: this.nice,
      affinity: this.cpulist,
      near: machine.current.cpu,
    });
  }

  *stopTask(kd: EstKtData): TaskBody {
    const { task } = kd;
    if (task === undefined) return;
    yield* task.stop();
    if (kd.task !== task) return;
    kd.pastCpuNs += task.cpuNs;
    kd.task = undefined;
  }

  /** ip_vs_estimation_kthread() */
  private *main(kd: EstKtData, self: Kthread): TaskBody {
    if (yield* this.enter(kd, self)) yield* this.loop.run(kd, self);
  }

  /** The same as one execution of a work item. */
  private *turn(kd: EstKtData, self: EstWork): Generator<number, number, void> {
    if (self.turns === 0 && !(yield* this.enter(kd, self))) return NO_MORE;
    return yield* this.loop.turn(kd, self);
  }

  /** What is done once, at the start; false when there is nothing to estimate by. */
  private *enter(kd: EstKtData, self: EstRunner): Generator<number, boolean, void> {
    if (this.limitsFixed) return true;
    if (kd.id > 0) return this.chainLength > 0;
    if (this.chainLength === 0) this.calcPhase = true;
    if (this.calcPhase) yield* this.calc.run(self);
    return true;
  }

  /** ip_vs_est_reload_start() */
  private reloadStart(): void {
    if (!this.enabled) return;
    this.stopped = !this.runEstimation || this.cpulist?.count === 0;
    this.genid++;
    const { longWq, machine } = this.parts;
    longWq.queueOn(machine.scheduler.current?.cpu ?? machine.cpus[0]!, this.reloadWork);
  }

  /** est_reload_work_handler() */
  private *reload(): TaskBody {
    yield* this.estMutex.lock();
    const { genid } = this;
    const { kthreads } = this.placement;
    for (let id = 0; id < kthreads.length; id++) {
      if (!this.enabled) break;
      const kd = kthreads[id];
      if (kd === undefined) continue;
      if (genid !== this.genidDone) yield* this.stopTask(kd);
      const mayStart = !this.stopped && (id === 0 || !this.calcPhase);
      if (kd.task === undefined && mayStart) yield* this.startTask(kd);
    }
    if (this.enabled) this.genidDone = genid;
    this.estMutex.unlock();
  }

  get status(): EstimationStatus {
    const { placement } = this;
    const limits = this.limits();
    let running = 0;
    let cpuNs = this.pastCpuNs;
    let kthreads = 0;
    for (const kd of placement.kthreads) {
      if (kd === undefined) continue;
      kthreads++;
      if (kd.task !== undefined && !kd.task.exited) running++;
      cpuNs += kd.cpuNs;
    }
    return {
      placed: placement.placed,
      unplaced: placement.temp.length,
      kthreads,
      kthreadsRunning: running,
      kthreadsLimit: this.maxThreads,
      chainMax: limits.chainMax,
      maxCount: limits.maxCount,
      cpuNs,
      kthreadCpuNs: placement.kthreads.map((kd) => kd?.cpuNs ?? 0),
    };
  }
}
