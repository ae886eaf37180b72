// Takes samples for the estimators, and notes what everybody wants to know afterwards: periods, first delays, ticks,
// sections without preemption.
import type { Machine } from '@kworkbench/machine';
import { durationHistogram } from '@kworkbench/telemetry';
import type { Estimators } from './estimators.js';
import { COUNTERS, estimateStats, INPKTS } from './ip-vs-stats.js';
import type { Traffic } from './traffic.js';

const PERIOD_NS = 2e9;

export class Observer {
  readonly periodNs = durationHistogram('estimation_period_seconds', 'From one sample of an estimator to its next');
  readonly errorNs = durationHistogram('estimation_period_error_seconds', 'Distance of that from two seconds');
  readonly firstNs = durationHistogram(
    'first_estimation_seconds',
    'From the start of an estimator to its first sample',
  );
  readonly addNs = durationHistogram('add_latency_seconds', 'Time that a process needs to add one rule');
  readonly tickNs = durationHistogram('tick_seconds', 'Duration of one tick of a kthread');
  readonly stallNs = durationHistogram('softirq_stall_seconds', 'Duration of one walk of the timer in softirq');
  readonly packetNs = durationHistogram('packet_latency_seconds', 'From the arrival of a packet to its end in softirq');
  readonly rearmNs = durationHistogram('timer_rearm_seconds', 'From arming the timer, after its walk, to its expiry');
  readonly sleepNs = durationHistogram(
    'kthread_gap_seconds',
    'Time until its next row is due, when a kthread goes to sleep',
  );
  readonly lateNs = durationHistogram(
    'kthread_late_seconds',
    'How late a row is, when a kthread does not sleep before it',
  );
  readonly mutexNs = durationHistogram('config_mutex_wait_seconds', 'Time that processes wait for the config mutex');
  readonly spinNs = durationHistogram(
    'est_lock_spin_seconds',
    'Time that processes spin for est_lock, bottom halves off',
  );
  /** Longest time in est_temp_list, of what was there at a sample. */
  tempAgeMaxNs = 0;
  /** Periods that passed without the sample that was due in them. */
  missed = 0;
  sectionMaxNs = 0;
  chainLenMax = 0;
  tickLenMax = 0;
  samples = 0;
  overruns = 0;
  packetsDropped = 0;
  /** Since when a timer walks in softirq; -1: none does. */
  walkingSinceNs = -1;
  calcPhaseNs = 0;
  calcPhases = 0;
  /** Periods count from here on. */
  warmupNs = 0;

  constructor(
    private readonly machine: Machine,
    private readonly estimators: Estimators,
    private readonly traffic: Traffic,
  ) {}

  /** One estimator is estimated now. */
  sample(est: number): void {
    const { estimators } = this;
    const { nowNs } = this.machine;
    const before = estimators.sampledNs[est]!;
    if (before < 0) this.noteFirst(est);
    else if (before >= this.warmupNs) this.notePeriod(nowNs - before);
    estimators.sampledNs[est] = nowNs;
    estimators.samples[est]!++;
    this.samples++;
    estimateStats(estimators.last, estimators.average, est * COUNTERS, this.traffic.read(est, nowNs));
  }

  /** Whether nothing has come since the last sample and all rates are 0. */
  isIdle(est: number): boolean {
    const { estimators } = this;
    const at = est * COUNTERS;
    if (estimators.samples[est] === 0) return false;
    for (let counter = 0; counter < COUNTERS; counter++) if (estimators.average[at + counter] !== 0) return false;
    return this.traffic.packets(est, this.machine.nowNs) === estimators.last[at + INPKTS];
  }

  /** An idle estimator is passed over: for the period it counts as done. */
  passOver(est: number): void {
    const before = this.estimators.sampledNs[est]!;
    const { nowNs } = this.machine;
    if (before >= this.warmupNs) this.notePeriod(nowNs - before);
    this.estimators.sampledNs[est] = nowNs;
  }

  /** Nobody else could have had the CPU since `startNs`. */
  section(startNs: number): void {
    const ns = this.machine.nowNs - startNs;
    if (ns > this.sectionMaxNs) this.sectionMaxNs = ns;
  }

  /** Of rules; a namespace's total is there long before anybody walks it. */
  private noteFirst(est: number): void {
    if (this.estimators.packetsPerSecond[est]! < 0) return;
    this.firstNs.record(this.machine.nowNs - this.estimators.startNs[est]!);
  }

  /** The longest walk in softirq, one that is under way included. */
  get stallMaxNs(): number {
    const underWay = this.walkingSinceNs < 0 ? 0 : this.machine.nowNs - this.walkingSinceNs;
    return Math.max(this.stallNs.max, underWay);
  }

  private notePeriod(ns: number): void {
    this.periodNs.record(ns);
    this.errorNs.record(Math.abs(ns - PERIOD_NS));
    if (ns > 1.5 * PERIOD_NS) this.missed += Math.round(ns / PERIOD_NS) - 1;
  }
}
