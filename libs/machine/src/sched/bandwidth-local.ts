// What one CPU holds of a group's CPU time (the bandwidth part of struct cfs_rq). It never expires: what a CPU keeps when
// it has nothing more to run is 1 ms at most, and so is the overrun per CPU over a window of any length. It goes below zero
// where a task could not be stopped in time; the group then pays that before the CPU gets anything.
import { BANDWIDTH_SLICE_NS, type BandwidthPool } from './bandwidth-pool.js';

/** min_cfs_rq_runtime: what a CPU keeps when it gives back. */
export const MIN_LOCAL_NS = 1_000_000;
/** What a CPU has after its deficit was paid: enough to run again and ask for a slice. */
export const TOKEN_NS = 1;

export class LocalRuntime {
  runtimeNs = 0;
  /** The group may not run here; the pool was empty when it asked. */
  throttled = false;

  /** __assign_cfs_rq_runtime(): up to a slice, from the pool; whether there is anything to run on now. */
  extend(pool: BandwidthPool, targetNs: number = BANDWIDTH_SLICE_NS): boolean {
    if (this.runtimeNs < targetNs) this.runtimeNs += pool.take(targetNs - this.runtimeNs);
    return this.runtimeNs > 0;
  }

  /** distribute_cfs_runtime(): the pool pays the deficit and a token. */
  repay(pool: BandwidthPool): boolean {
    return this.extend(pool, TOKEN_NS);
  }

  /** __return_cfs_rq_runtime() when the CPU has nothing of the group to run. */
  giveBackSlack(pool: BandwidthPool): void {
    const slackNs = this.runtimeNs - MIN_LOCAL_NS;
    if (slackNs <= 0) return;
    pool.giveBack(slackNs);
    this.runtimeNs -= slackNs;
  }

  /** Takes back what is left, in the variant that throttles at charge time. */
  revoke(pool: BandwidthPool): void {
    if (this.runtimeNs <= 0) return;
    pool.giveBack(this.runtimeNs);
    this.runtimeNs = 0;
  }
}
