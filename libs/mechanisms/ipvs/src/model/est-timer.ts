// estimation_timer() up to 6.1: a timer per namespace whose function, in softirq, walks all estimators under est_lock and
// arms the timer for two seconds from then. The wheel rounds that up, so that the period is longer than what the
// arithmetic takes it for. Who adds or deletes an estimator meanwhile spins for the lock with bottom halves off.
import { SpinLock, type TaskBody, Timer } from '@kworkbench/machine';
import type { EstimationStatus, Estimation, EstParts } from './est-parts.js';
import { EstList, EstState, NIL } from './estimators.js';

/** Estimators of one burst: so many are sampled at one instant, for speed. */
const BURST = 32;

const NO_KTHREADS = {
  unplaced: 0,
  waitingMaxNs: 0,
  kthreads: 0,
  kthreadsRunning: 0,
  kthreadsLimit: 0,
  chainMax: 0,
  maxCount: 0,
  wakeups: 0,
  droppedBacklogs: 0,
  kthreadCpuNs: [],
};

export class EstTimer implements Estimation {
  private readonly list = new EstList();
  private readonly lock: SpinLock;
  private readonly timer: Timer;
  private runEstimation = true;
  private stopped = false;
  /** When it was armed by itself; -1 before that. */
  private armedNs = -1;
  private cpuNs = 0;

  constructor(
    private readonly parts: EstParts,
    index: number,
  ) {
    this.lock = new SpinLock(parts.machine, `ipvs/${index}/est_lock`);
    this.timer = new Timer(() => this.expire());
    // ip_vs_estimator_net_init()
    parts.timers.modOn(this.timer, parts.timerCpu, parts.timers.jiffies + 2 * parts.timers.hz);
  }

  *start(est: number): TaskBody {
    yield* this.spin();
    this.parts.estimators.addHead(this.list, est, EstState.Listed);
    this.lock.unlockBh();
  }

  *stop(est: number): TaskBody {
    yield* this.spin();
    this.parts.estimators.remove(this.list, est);
    this.lock.unlockBh();
  }

  private *spin(): TaskBody {
    const { machine, observer } = this.parts;
    const startNs = machine.nowNs;
    yield* this.lock.lockBh();
    observer.spinNs.record(machine.nowNs - startNs);
  }

  private arm(): void {
    const { timers, machine } = this.parts;
    this.armedNs = machine.nowNs;
    timers.mod(this.timer, timers.jiffies + 2 * timers.hz);
  }

  enable(): void {}

  /** The kthreads' sysctls do not exist here. */
  setNice(): void {}

  setCpulist(): void {}

  setRunEstimation(run: boolean): void {
    this.runEstimation = run;
  }

  disable(): void {}

  *cleanup(): TaskBody {
    this.stopped = true;
    yield* this.parts.timers.deleteSync(this.timer);
  }

  get status(): EstimationStatus {
    const placed = this.list.length;
    return { ...NO_KTHREADS, placed, cpuNs: this.cpuNs };
  }

  private *expire(): TaskBody {
    const { machine, observer } = this.parts;
    if (this.armedNs >= 0) observer.rearmNs.record(machine.nowNs - this.armedNs);
    if (this.runEstimation && !this.stopped) {
      const startNs = machine.nowNs;
      observer.walkingSinceNs = startNs;
      yield* this.lock.lock();
      yield* this.walk();
      this.lock.unlock();
      observer.walkingSinceNs = -1;
      const tookNs = machine.nowNs - startNs;
      this.cpuNs += tookNs;
      observer.stallNs.record(tookNs);
      observer.section(startNs);
    }
    if (!this.stopped) this.arm();
  }

  private *walk(): TaskBody {
    const { costs, estimators, observer } = this.parts;
    const { next } = estimators;
    let est = this.list.first;
    while (est !== NIL) {
      const burst = est;
      let count = 0;
      for (; count < BURST && est !== NIL; count++) est = next[est]!;
      yield count * costs.sampleNs;
      for (let at = burst, i = 0; i < count; i++, at = next[at]!) observer.sample(at);
    }
  }
}
