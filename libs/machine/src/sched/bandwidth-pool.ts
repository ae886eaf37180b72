// The group's pool of CPU time (struct cfs_bandwidth): what a quota allows in a period, and who may still have it.
// Pure arithmetic; it knows neither clock nor CPUs. CPU time leaves the pool in slices to the CPUs (bandwidth-local.ts) or as
// payment for what others ran on the group's behalf, and comes in by refills at period edges or back from CPUs.
//
// Invariants: debt is never negative; a refill leaves quota + burst at most; over any N refills what was taken, less
// what was given back, plus the debt that was paid, is N quotas at most, plus what the pool held before.
import { invariant } from '../invariant.js';

const MS = 1_000_000;
/** sched_cfs_bandwidth_slice_us: what a CPU takes from the pool at once. */
export const BANDWIDTH_SLICE_NS = 5 * MS;
export const DEFAULT_PERIOD_NS = 100 * MS;
/** min_cfs_quota_period and max_cfs_quota_period. */
const MIN_NS = 1 * MS;
const MAX_PERIOD_NS = 1_000 * MS;

export interface BandwidthLimits {
  /** CPU time a period, at least 1 ms; Infinity is no limit. */
  readonly quotaNs: number;
  /** 1 ms to 1 s; 100 ms by default. */
  readonly periodNs?: number;
  /** What the pool may hold beyond the quota, at most the quota; 0 by default. */
  readonly burstNs?: number;
}

/**
 * How the pool remembers CPU time that it owes: in a field of its own, paid at refills only, or as negative runtime, which
 * slices that CPUs give back pay off as well.
 */
export type DebtModel = 'field' | 'signed';

export class BandwidthPool {
  quotaNs!: number;
  periodNs!: number;
  burstNs!: number;
  /** What may still be taken; negative only with signed debt. */
  runtimeNs = 0;
  /** Owed for remote charges, in the field model. */
  private fieldDebtNs = 0;
  /** runtime_snap: the pool after the last refill, for the burst counters. */
  private snapNs = 0;

  nrBursts = 0;
  /** CPU time used beyond the quota of its period. */
  burstUsedNs = 0;
  /** Taken by CPUs, less what they gave back. */
  grantedNs = 0;
  chargedNs = 0;
  /** The part of charges that the pool had at once, and the part that became debt. */
  chargedFromPoolNs = 0;
  debtAddedNs = 0;
  debtPaidNs = 0;
  /** Refills of which debt left nothing. */
  refillsBlocked = 0;
  /** Debt that a change of the quota forgave. */
  debtForgivenNs = 0;

  constructor(
    limits: BandwidthLimits,
    private readonly debtModel: DebtModel = 'field',
  ) {
    this.configure(limits);
  }

  get limited(): boolean {
    return this.quotaNs < Infinity;
  }

  get debtNs(): number {
    return this.debtModel === 'field' ? this.fieldDebtNs : Math.max(0, -this.runtimeNs);
  }

  /** tg_set_cfs_bandwidth(): new limits zero the debt and refill. Throws what the kernel refuses with EINVAL. */
  configure({ quotaNs, periodNs = DEFAULT_PERIOD_NS, burstNs = 0 }: BandwidthLimits): void {
    const inRange = quotaNs >= MIN_NS && periodNs >= MIN_NS && periodNs <= MAX_PERIOD_NS && burstNs >= 0;
    invariant(inRange && burstNs <= quotaNs, `bandwidth: quota ${quotaNs}, period ${periodNs}, burst ${burstNs} ns`);
    this.quotaNs = quotaNs < Infinity ? Math.round(quotaNs) : Infinity;
    this.periodNs = Math.round(periodNs);
    this.burstNs = Math.round(burstNs);
    this.debtForgivenNs += this.debtNs;
    this.fieldDebtNs = 0;
    if (this.runtimeNs < 0) this.runtimeNs = 0;
    this.refill();
  }

  /** __refill_cfs_bandwidth_runtime(), with debt paid first. */
  refill(): void {
    if (!this.limited) return;
    const beyondQuotaNs = this.snapNs - (this.runtimeNs + this.quotaNs);
    if (beyondQuotaNs > 0) {
      this.burstUsedNs += beyondQuotaNs;
      this.nrBursts++;
    }
    const payNs = Math.min(this.quotaNs, this.debtNs);
    this.debtPaidNs += payNs;
    if (payNs === this.quotaNs) this.refillsBlocked++;
    let freshNs = this.quotaNs;
    if (this.debtModel === 'field') {
      this.fieldDebtNs -= payNs;
      freshNs -= payNs;
    }
    this.runtimeNs = Math.min(this.runtimeNs + freshNs, this.quotaNs + this.burstNs);
    this.snapNs = this.runtimeNs;
  }

  /** A CPU takes `wantNs`, or what there is. */
  take(wantNs: number): number {
    if (!this.limited) return wantNs;
    const amountNs = Math.min(Math.max(0, this.runtimeNs), wantNs);
    this.runtimeNs -= amountNs;
    this.grantedNs += amountNs;
    return amountNs;
  }

  /** __return_cfs_rq_runtime(): a CPU has no more use for it. The next refill caps what has come together. */
  giveBack(ns: number): void {
    if (!this.limited) return;
    this.debtPaidNs += Math.min(ns, Math.max(0, -this.runtimeNs));
    this.runtimeNs += ns;
    this.grantedNs -= ns;
  }

  /** Charges what somebody outside of the group ran for it: the pool pays what it has, the rest is debt. */
  charge(ns: number): void {
    if (!this.limited) return;
    const payNs = Math.min(Math.max(0, this.runtimeNs), ns);
    this.chargedNs += ns;
    this.chargedFromPoolNs += payNs;
    this.debtAddedNs += ns - payNs;
    if (this.debtModel === 'signed') {
      this.runtimeNs -= ns;
    } else {
      this.runtimeNs -= payNs;
      this.fieldDebtNs += ns - payNs;
    }
  }
  /** Pays debt with what came back, in the variant that throttles at charge time. */
  payDebt(): void {
    const payNs = Math.min(Math.max(0, this.runtimeNs), this.fieldDebtNs);
    this.runtimeNs -= payNs;
    this.fieldDebtNs -= payNs;
    this.debtPaidNs += payNs;
  }
}
