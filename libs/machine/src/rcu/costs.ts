// What a machine says about its RCU.
import type { Machine } from '../machine.js';

export interface RcuCosts {
  /**
   * Length of a grace period on a machine whose CPUs all pass a quiescent state at once: what the grace-period kthread's
   * set-up, scans and clean-up take, as measured. Not given: the time to its first scan.
   */
  readonly gpNs?: number;
  /** Uniform variation of gpNs, plus or minus. */
  readonly gpJitterRatio: number;
  /** An expedited grace period when every CPU answers its interrupt at once. */
  readonly expeditedNs: number;
  readonly callbackNs: number;
  readonly blimit: number;
  readonly divisor: number;
  readonly qhimark: number;
  readonly qlowmark: number;
  /**
   * CONFIG_PREEMPT_RCU: readers may be preempted, and a CPU outside of any section quiesces at its tick. By default so on a
   * machine of full preemption, which selects it.
   */
  readonly preemptRcu?: boolean;
  /** rcutree.jiffies_till_first_fqs: 1, 2 above HZ 250 and 3 above HZ 500, and one more for every 256 CPUs. */
  readonly jiffiesTillFirstFqs?: number;
  /**
   * rcutree.jiffies_till_sched_qs: age at which cond_resched(), might_sleep() under voluntary preemption, and the return to
   * user mode become quiescent states; a tenth of a second or more.
   */
  readonly jiffiesTillSchedQs?: number;
  /** rcupdate.rcu_cpu_stall_timeout: 21 s. */
  readonly stallTimeoutNs?: number;
}

export const hasPreemptRcu = (costs: RcuCosts, machine: Machine): boolean =>
  costs.preemptRcu ?? machine.scheduler.preemption === 'full';

/** RCU_JIFFIES_FQS_DIV. */
const FQS_DIVISOR = 256;

/** rcu_init_geometry(): RCU_JIFFIES_TILL_FORCE_QS and its share per CPU. */
export const jiffiesTillFirstFqs = (costs: RcuCosts, hz: number, cpus: number): number =>
  costs.jiffiesTillFirstFqs ?? 1 + (hz > 250 ? 1 : 0) + (hz > 500 ? 1 : 0) + Math.floor(cpus / FQS_DIVISOR);

/** adjust_jiffies_till_sched_qs(): three scans, and at least HZ / 10. */
export const jiffiesTillSchedQs = (costs: RcuCosts, hz: number, cpus: number): number =>
  costs.jiffiesTillSchedQs ??
  Math.max(3 * jiffiesTillFirstFqs(costs, hz, cpus), Math.floor(hz / 10) + Math.floor(cpus / FQS_DIVISOR));
