// The calculation phase of kthread 0: how many estimators make 100 us of work, and all estimators back to est_temp_list so
// that they are placed anew by the limits that follow from it (ip_vs_est_calc_limits(), ip_vs_est_calc_phase()).
import { SchedClass, type TaskBody, YIELD } from '@kworkbench/machine';
import type { EstKtData } from './est-kt-data.js';
import { chainLength, IPVS_EST_NTICKS } from './est-limits.js';
import type { EstKthreads } from './est-kthreads.js';
import { NIL } from './estimators.js';
import type { EstRunner } from './kthread.js';

/** Estimators that are relinked without releasing the config mutex. */
const RELINK_BATCH = 64;
/** The one object in the cache stands for one that is not. */
const CACHE_FACTOR = 4;
const TESTS = 12;
const TESTS_PER_PAUSE = 4;
/** Below this the clock is too coarse. */
const SHORTEST_TEST_NS = 1_000;
/** v4: a test that counts, how many of them, and the objects that it may allocate. */
const FRESH_TEST_NS = 50_000;
const FRESH_TESTS = 3;
const FRESH_OBJECTS = 128;
/** What the merged code takes when nothing could be measured; v4 took 2. */
const DEFAULT_LENGTH = { cached: 8, fresh: 2 } as const;

export class CalcPhase {
  constructor(private readonly owner: EstKthreads) {}

  *run(self: EstRunner): TaskBody {
    const { owner } = this;
    const { machine, configMutex, observer, kernel } = owner.parts;
    const startNs = machine.nowNs;
    const { genid } = owner.tasks;
    const length = yield* kernel.limits === 'fresh' ? this.measureFresh(self) : this.measureCached(self);
    if (length === 0) return;
    observer.calcPhaseNs = machine.nowNs - startNs;
    observer.calcPhases++;
    // Since 2026 the others are stopped before the config mutex is taken.
    const early = kernel.kthread0 === 'kept';
    if (early && !(yield* this.stopOthers(self))) return;
    yield* configMutex.lock();
    if ((early || (yield* this.stopOthers(self))) && (yield* this.relink(self))) this.apply(length, genid);
    configMutex.unlock();
  }

  private aborted(self: EstRunner): boolean {
    return !this.owner.enabled || self.shouldStop;
  }

  /** One object, hot in the cache, again and again with bottom halves off; 0 when it was cut short. */
  private *measureCached(self: EstRunner): Generator<number, number, void> {
    const { machine, timers, costs, rcu, observer } = this.owner.parts;
    let loops = 1;
    let least = Infinity;
    for (let test = 0; test < TESTS; test++) {
      // Time for the frequency to rise.
      if (test % TESTS_PER_PAUSE === 0) yield* timers.scheduleTimeout(Math.floor(timers.hz / 50));
      if (this.aborted(self)) return 0;
      const sectionNs = machine.nowNs;
      machine.localBhDisable();
      rcu.readLock();
      yield costs.hotNs;
      const startNs = machine.nowNs;
      yield loops * CACHE_FACTOR * costs.hotNs;
      const tookNs = machine.nowNs - startNs;
      rcu.readUnlock();
      machine.localBhEnable();
      observer.section(sectionNs);
      yield YIELD;
      if (tookNs <= SHORTEST_TEST_NS) loops *= 2;
      else least = Math.min(least, Math.floor(tookNs / loops));
    }
    return least === Infinity ? DEFAULT_LENGTH.cached : chainLength(least);
  }

  /** Chains of fresh objects, longer and longer, under SCHED_FIFO. What is fresh is in the cache too, and the least counts. */
  private *measureFresh(self: EstRunner): Generator<number, number, void> {
    const { machine, costs } = this.owner.parts;
    const task = machine.current;
    machine.scheduler.setClass(task, SchedClass.Fifo, 1);
    let objects = 0;
    let least = Infinity;
    for (let length = 1, counted = 0; counted < FRESH_TESTS;) {
      if (this.aborted(self) || objects + length > FRESH_OBJECTS) break;
      objects += length;
      yield length * costs.of('calcObjectNs');
      const startNs = machine.nowNs;
      yield length * costs.hotNs;
      const tookNs = machine.nowNs - startNs;
      least = Math.min(least, tookNs / length);
      if (tookNs >= FRESH_TEST_NS) counted++;
      else length *= 2;
    }
    machine.scheduler.setClass(task, SchedClass.Fair);
    yield YIELD;
    if (this.aborted(self)) return 0;
    return least === Infinity ? DEFAULT_LENGTH.fresh : chainLength(least);
  }

  /** So that estimators can be moved without a grace period. */
  private *stopOthers(self: EstRunner): Generator<number, boolean, void> {
    const { owner } = this;
    const { placement, tasks, parts } = owner;
    if (!(yield* tasks.lock(self))) return false;
    const aborted = (): boolean => (parts.kernel.kthread0 === 'kept' ? this.aborted(self) : !owner.enabled);
    for (let id = 1; id < placement.kthreads.length && !aborted(); id++) {
      const kd = placement.kthreads[id];
      if (kd !== undefined) yield* tasks.stopTask(kd);
    }
    tasks.unlock();
    return !aborted();
  }

  /** Everything but the last estimator of kthread 0; false when it was cut short. */
  private *relink(self: EstRunner): Generator<number, boolean, void> {
    return yield* this.owner.parts.kernel.rowPolicy === 'delay' ? this.byDelay(self) : this.byKthread(self);
  }

  /** So that the list ends in ascending order of the delays, which are kept. */
  private *byDelay(self: EstRunner): Generator<number, boolean, void> {
    const { placement } = this.owner;
    for (let delay = IPVS_EST_NTICKS - 1; delay >= 0; delay--) {
      for (let id = placement.ktCount - 1; id >= 0; id--) {
        const kd = placement.kthreads[id];
        if (kd !== undefined && !(yield* this.unlinkRow(kd, (kd.estRow + delay) % IPVS_EST_NTICKS, self))) return false;
      }
    }
    return true;
  }

  /** v4: kthread by kthread from the last, row by row. */
  private *byKthread(self: EstRunner): Generator<number, boolean, void> {
    const { placement } = this.owner;
    for (let id = placement.ktCount - 1; id >= 0; id--) {
      const kd = placement.kthreads[id];
      for (let row = 0; kd !== undefined && row < IPVS_EST_NTICKS; row++) {
        if (!(yield* this.unlinkRow(kd, row, self))) return false;
      }
    }
    return true;
  }

  private *unlinkRow(kd: EstKtData, row: number, self: EstRunner): Generator<number, boolean, void> {
    const { owner } = this;
    const { placement, parts } = owner;
    const { configMutex, costs, machine, observer, build } = parts;
    const delay = (row - kd.estRow + IPVS_EST_NTICKS) % IPVS_EST_NTICKS;
    let startNs = machine.nowNs;
    let steps = 0;
    // Others may delete while the mutex is released: kthread, tick and chains are looked up again every time.
    for (let est; (est = this.firstOf(kd, row)) !== NIL;) {
      if (this.aborted(self)) return false;
      const idle = owner.unlink(est);
      placement.addTemp(est, delay, machine.nowNs);
      // Its task was stopped before.
      if (idle !== undefined && idle.id > 0) owner.drop(idle);
      if (++steps % RELINK_BATCH !== 0) continue;
      yield RELINK_BATCH * costs.of('relinkNs');
      if (!build.full) observer.section(startNs);
      configMutex.unlock();
      yield YIELD;
      yield* configMutex.lock();
      startNs = machine.nowNs;
    }
    const left = steps % RELINK_BATCH;
    if (left > 0) yield left * costs.of('relinkNs');
    return !this.aborted(self);
  }

  private firstOf(kd: EstKtData, row: number): number {
    if (this.owner.placement.kthreads[kd.id] !== kd || (kd.id === 0 && kd.estCount <= 1)) return NIL;
    const tick = kd.ticks[row];
    if (tick === undefined) return NIL;
    const cid = tick.present.next(0);
    return cid < tick.present.size ? tick.chains[cid]!.first : NIL;
  }

  private apply(length: number, genid: number): void {
    const { owner } = this;
    const { placement, total } = owner;
    const first = placement.kthreads[0];
    if (first === undefined) return;
    first.addRow = first.estRow;
    owner.chainLength = length;
    first.relimit(owner.limits());
    const { estimators } = owner.parts;
    // The total is kept in kthread 0.
    if (total >= 0 && estimators.ktid[total] === -1) {
      estimators.remove(placement.temp, total);
      placement.putBack(total);
    }
    if (genid === owner.tasks.genid) owner.calcPhase = false;
  }
}
