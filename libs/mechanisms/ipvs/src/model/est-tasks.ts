// When the kthreads of a namespace have tasks: the sysctls, the reload work, start and stop (ip_vs_est_reload_start(),
// est_reload_work_handler(), ip_vs_est_kthread_start()).
//
// Order of locks: the config mutex, then est_mutex. Kthread 0 takes both. The merged code stops it under est_mutex, and can lock
// itself up there; here kthread 0 gives up when it is to stop while it waits for that mutex. Since 2026 (`kthread0: kept`) the
// reload work lets go of est_mutex to stop it, starts all tasks, and kthread 0 waits as everybody does.
import { type CpuMask, Mutex, type TaskBody, Work } from '@kworkbench/machine';
import type { EstKtData } from './est-kt-data.js';
import { KTHREADS_PER_CPU } from './est-limits.js';
import type { EstKthreads } from './est-kthreads.js';
import type { EstParts } from './est-parts.js';
import { EstWork } from './est-work.js';
import { type EstRunner, Kthread } from './kthread.js';
import { KthreadLoop } from './kthread-loop.js';

/** A kthread that waits for est_mutex looks so often whether it should stop. */
const RETRY_JIFFIES = 1;

export class EstTasks {
  /** est_genid: the configuration that tasks shall have. */
  genid = 0;
  maxThreads = 0;
  private genidDone = 0;
  private stopped = false;
  private runEstimation = true;
  private nice = 0;
  private cpulist: CpuMask | undefined;
  private readonly estMutex: Mutex;
  private readonly reloadWork: Work;
  private readonly loop: KthreadLoop;
  private readonly parts: EstParts;

  constructor(private readonly owner: EstKthreads) {
    const { parts, index } = owner;
    this.parts = parts;
    this.estMutex = new Mutex(parts.machine, `ipvs/${index}/est_mutex`);
    this.reloadWork = new Work(() => this.reload());
    this.loop = new KthreadLoop(owner);
  }

  /** Only what is new restarts the kthreads (ipvs_proc_est_nice(), ipvs_proc_run_estimation()); any list does. */
  setNice(nice: number): void {
    if (nice === this.nice) return;
    this.nice = nice;
    this.reloadStart();
  }

  setCpulist(list: CpuMask): void {
    this.cpulist = list;
    this.limitThreads();
    this.owner.calcPhase = true;
    this.reloadStart();
  }

  setRunEstimation(run: boolean): void {
    if (run === this.runEstimation) return;
    this.runEstimation = run;
    this.reloadStart();
  }

  /** ip_vs_est_max_threads() */
  limitThreads(): void {
    const { kernel, machine } = this.parts;
    this.maxThreads =
      kernel.maxThreads === 'rlimit'
        ? Math.min(kernel.rlimitNproc, 32_767)
        : Math.max(1, KTHREADS_PER_CPU * (this.cpulist?.count ?? machine.cpus.length));
  }

  /** ip_vs_est_reload_start(): ignored before the first service. `restart`: tasks that run are stopped first. */
  reloadStart(restart = true): void {
    if (!this.owner.enabled) return;
    this.stopped = !this.runEstimation || this.cpulist?.count === 0;
    if (restart) this.genid++;
    const { longWq, machine } = this.parts;
    longWq.queueOn(machine.scheduler.current?.cpu ?? machine.cpus[0]!, this.reloadWork);
  }

  /** Tasks may run now. */
  get mayRun(): boolean {
    return this.owner.enabled && !this.stopped;
  }

  /** est_reload_work_handler() */
  private *reload(): TaskBody {
    const { owner } = this;
    yield* this.estMutex.lock();
    const { genid } = this;
    const { kthreads } = owner.placement;
    for (let id = 0; id < kthreads.length; id++) {
      if (!owner.enabled) break;
      const kd = kthreads[id];
      if (kd === undefined) continue;
      if (genid !== this.genidDone) yield* this.stopForReload(kd);
      if (kd.task === undefined && this.mayRun && this.wanted(kd)) yield* this.startTask(kd);
    }
    if (owner.enabled) this.genidDone = genid;
    this.estMutex.unlock();
  }

  /** Kthread 0 may wait for est_mutex; its data is never freed where nobody holds that while stopping it. */
  private *stopForReload(kd: EstKtData): TaskBody {
    const release = kd.id === 0 && this.parts.kernel.kthread0 === 'kept';
    if (release) this.estMutex.unlock();
    yield* this.stopTask(kd);
    if (release) yield* this.estMutex.lock();
  }

  /** No kthread above 0 in the calculation phase. */
  private wanted(kd: EstKtData): boolean {
    return kd.id === 0 ? kd.needed : !this.owner.calcPhase;
  }

  /** Of a new kthread, by who added it under est_mutex; since 2026 by the reload work. */
  *startNew(kd: EstKtData): TaskBody {
    if (this.parts.kernel.kthread0 === 'kept') this.reloadStart(false);
    else if (this.mayRun) yield* this.startTask(kd);
  }

  /** ip_vs_est_kthread_start() */
  private *startTask(kd: EstKtData): TaskBody {
    const { machine, costs, timers, kernel, workqueues, unboundWq } = this.parts;
    if (kd.task !== undefined) return;
    const { owner, loop } = this;
    const { jiffies } = timers;
    if (Math.abs(kd.estTimer - jiffies) > 4 * owner.tickJiffies) kd.estTimer = jiffies;
    if (kernel.runner === 'workqueue') {
      kd.task = new EstWork(machine, workqueues, unboundWq, (self) => loop.turn(kd, self));
      return;
    }
    yield costs.of('kthreadCreateNs');
    kd.task = new Kthread(machine, `ipvs-e:${owner.index}:${kd.id}`, (self) => loop.run(kd, self), {
      nice: this.nice,
      affinity: this.cpulist,
      near: machine.current.cpu,
    });
  }

  /** ip_vs_est_kthread_stop() */
  *stopTask(kd: EstKtData): TaskBody {
    const { task } = kd;
    if (task === undefined) return;
    yield* task.stop();
    if (kd.task !== task) return;
    kd.pastCpuNs += task.cpuNs;
    kd.task = undefined;
  }

  /** `yield* cancelReload()`: on return it does not run, and will not. */
  *cancelReload(): TaskBody {
    yield* this.parts.workqueues.cancelSync(this.reloadWork);
  }

  /** Takes est_mutex; false when kthread 0, which asks, is to stop and gave up. */
  *lock(asking?: EstRunner): Generator<number, boolean, void> {
    if (asking === undefined || this.parts.kernel.kthread0 === 'kept') {
      yield* this.estMutex.lock();
      return true;
    }
    while (!this.estMutex.tryLock()) {
      if (asking.shouldStop) return false;
      yield* this.parts.timers.scheduleTimeout(RETRY_JIFFIES);
    }
    return true;
  }

  unlock(): void {
    this.estMutex.unlock();
  }
}
