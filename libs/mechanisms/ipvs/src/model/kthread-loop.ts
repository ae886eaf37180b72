// The loop of a kthread: kthread 0 places what is new; a row is estimated when it is due; two seconds are fifty rows.
//
// est_timer is absolute, so that a late tick delays no other: up to eight are made up for at once, later ones are lost. To
// give way between chains it leaves its read-side section; whoever is deleted meanwhile is freed a grace period later.
import { invariant, type TaskBody, YIELD } from '@kworkbench/machine';
import { CalcPhase } from './calc-phase.js';
import type { EstKtData } from './est-kt-data.js';
import { IPVS_EST_NTICKS } from './est-limits.js';
import type { EstKthreads } from './est-kthreads.js';
import { EstState, NIL } from './estimators.js';
import { type EstWork, NO_MORE } from './est-work.js';
import type { EstRunner } from './kthread.js';

/** Estimators that drain_temp_list() places without releasing the config mutex. */
const DRAIN_BATCH = 16;
/** Ticks that may be made up for. */
const BACKLOG_TICKS = 8;
/**
 * Estimators of one burst: so many are sampled at one instant, for speed. A stop waits for the rest of a burst, not of one
 * estimator; a chain of 100 us is two bursts at most.
 */
const BURST = 32;

export class KthreadLoop {
  private readonly burst: number;

  private readonly calc: CalcPhase;

  constructor(private readonly owner: EstKthreads) {
    this.calc = new CalcPhase(owner);
    this.burst = owner.parts.kernel.reschedule === 'estimator' ? 1 : BURST;
  }

  /** ip_vs_estimation_kthread(): until it is to stop. */
  *run(kd: EstKtData, self: EstRunner): TaskBody {
    const { owner } = this;
    if (!(yield* this.enter(kd, self))) return;
    const { timers, costs } = owner.parts;
    const wakeupNs = costs.of('tickWakeupNs');
    for (;;) {
      if (kd.id === 0 && owner.placement.temp.length > 0) yield* this.drain(self);
      if (self.shouldStop) return;
      const gap = this.gap(kd);
      if (gap > 0) {
        yield* timers.scheduleTimeout(gap);
        kd.wakeups++;
        yield wakeupNs;
      }
      yield* this.row(kd, self);
    }
  }

  /** One turn of what stands in place of a kthread; jiffies until the next. */
  *turn(kd: EstKtData, self: EstWork): Generator<number, number, void> {
    const { owner } = this;
    if (self.turns === 0 && !(yield* this.enter(kd, self))) return NO_MORE;
    const { timers, costs } = owner.parts;
    kd.wakeups++;
    if (kd.id === 0 && owner.placement.temp.length > 0) yield* this.drain(self);
    if (self.shouldStop) return NO_MORE;
    const early = this.gap(kd);
    if (early > 0) return early;
    yield costs.of('tickWakeupNs');
    yield* this.row(kd, self);
    return Math.max(0, kd.estTimer - timers.jiffies);
  }

  /** What is done once, at the start; false when there is nothing to estimate by. */
  private *enter(kd: EstKtData, self: EstRunner): Generator<number, boolean, void> {
    const { owner } = this;
    if (owner.limitsFixed) return true;
    if (kd.id > 0) return owner.chainLength > 0;
    if (owner.chainLength === 0) owner.calcPhase = true;
    if (!owner.calcPhase) return true;
    yield* this.calc.run(self);
    // Cut short, it may have left limits of zero behind (CVE-2026-74670).
    return owner.parts.kernel.teardownRace === 'open' || (owner.enabled && !self.shouldStop);
  }

  /** Jiffies until its row is due. */
  private gap(kd: EstKtData): number {
    const { tickJiffies, parts } = this.owner;
    const { timers, observer } = parts;
    const { jiffies } = timers;
    const gap = kd.estTimer - jiffies;
    if (gap > tickJiffies) kd.estTimer = jiffies - tickJiffies;
    if (gap > 0) {
      const sleep = Math.min(gap, tickJiffies);
      observer.sleepNs.record(Math.round((sleep * 1e9) / timers.hz));
      return sleep;
    }
    const lateNs = Math.round((-gap * 1e9) / timers.hz);
    observer.lateNs.record(lateNs);
    if (lateNs > kd.lateMaxNs) kd.lateMaxNs = lateNs;
    if (gap < -BACKLOG_TICKS * tickJiffies) {
      kd.estTimer = jiffies;
      kd.droppedBacklogs++;
    }
    return gap;
  }

  private *row(kd: EstKtData, self: EstRunner): TaskBody {
    if (kd.tickLen[kd.estRow]! > 0) yield* this.tick(kd, kd.estRow, self);
    kd.estRow = (kd.estRow + 1) % IPVS_EST_NTICKS;
    kd.estTimer += this.owner.tickJiffies;
  }

  /** ip_vs_tick_estimation() */
  private *tick(kd: EstKtData, row: number, self: EstRunner): TaskBody {
    const { machine, rcu, build, costs, kernel, observer, estimators } = this.owner.parts;
    const { next } = estimators;
    const startNs = machine.nowNs;
    const oneSection = build.preemptRcu && !build.full && kernel.reschedule === 'chain';
    const reschedules = kernel.reschedule === 'estimator';
    const condReschedNs = costs.of('condReschedNs');
    rcu.readLock();
    // No might_sleep() inside: the machine would take the end of each burst for one.
    if (oneSection) machine.preemptDisable();
    let sectionNs = startNs;
    let tick = kd.ticks[row];
    for (let cid = 0; tick !== undefined; cid++) {
      cid = tick.present.next(cid);
      if (cid >= tick.present.size || self.shouldStop) break;
      let est = tick.chains[cid]!.first;
      while (est !== NIL && !self.shouldStop) {
        const first = est;
        let ns = 0;
        let count = 0;
        for (; count < this.burst && est !== NIL; count++, est = next[est]!) {
          ns += kernel.skipIdle && observer.isIdle(est) ? costs.skipNs : costs.sampleNs;
        }
        // cond_resched_rcu() after a chain, where that is more than nothing; in v1 after each.
        const givesWay = est === NIL ? !build.preemptRcu : reschedules;
        yield givesWay ? ns + condReschedNs : ns;
        // Taken out meanwhile, it still leads on; and nobody can have freed it.
        for (let at = first, i = 0; i < count; i++, at = next[at]!) this.estimate(at);
        if (!givesWay) continue;
        observer.section(sectionNs);
        rcu.readUnlock();
        yield YIELD;
        rcu.readLock();
        sectionNs = machine.nowNs;
      }
      tick = kd.ticks[row];
    }
    if (oneSection) {
      observer.section(startNs);
      machine.preemptEnable();
    } else if (build.full) observer.sectionMaxNs = Math.max(observer.sectionMaxNs, costs.of('statsLockNs'));
    rcu.readUnlock();
    const tookNs = machine.nowNs - startNs;
    observer.tickNs.record(tookNs);
    if (tookNs > kd.tickMaxNs) kd.tickMaxNs = tookNs;
  }

  private estimate(est: number): void {
    const { estimators, observer, kernel } = this.owner.parts;
    invariant(estimators.state[est] !== EstState.Free, 'ipvs: a kthread estimates what has been freed');
    if (kernel.skipIdle && observer.isIdle(est)) observer.passOver(est);
    else observer.sample(est);
  }

  /** ip_vs_est_drain_temp_list() */
  private *drain(self: EstRunner): TaskBody {
    const { owner } = this;
    const { configMutex, costs, build, machine, observer } = owner.parts;
    const { temp } = owner.placement;
    const enqueueNs = costs.of('enqueueNs');
    for (;;) {
      yield* configMutex.lock();
      const startNs = machine.nowNs;
      let count = 0;
      let more = true;
      while (more && count < DRAIN_BATCH) {
        more = temp.length > 0 && !self.shouldStop && (yield* this.place(self));
        if (more) count++;
      }
      if (count > 0) yield count * enqueueNs;
      configMutex.unlock();
      if (!build.full && count > 0) observer.section(startNs);
      if (!more) return;
      yield costs.of('condReschedNs');
      yield YIELD;
    }
  }

  /** The next of est_temp_list; what cannot be placed goes back, and waits there for a later attempt. */
  private *place(self: EstRunner): Generator<number, boolean, void> {
    const { owner } = this;
    const { placement } = owner;
    const est = placement.takeTemp();
    const placed = (!placement.needsKthread || (yield* owner.addKthread(self))) && owner.enqueue(est);
    if (!placed) placement.putBack(est);
    return placed;
  }
}
