// The period timer of a group with a quota (sched_cfs_period_timer) and its slack timer: when the pool is refilled and who
// of the CPUs that wait gets it. Both run only while there is something to do: a group without activity for a whole
// period costs no events, and pays no debt.
import type { Machine } from '../machine.js';
import { Deque } from '../deque.js';
import type { LocalRuntime } from './bandwidth-local.js';
import { BANDWIDTH_SLICE_NS, type BandwidthPool } from './bandwidth-pool.js';

/** cfs_bandwidth_slack_period: how long slack that CPUs give back is gathered before it goes to others. */
const SLACK_PERIOD_NS = 5_000_000;
/** min_bandwidth_expiration: a refill that is nearer than this makes slack not worth distributing. */
const MIN_EXPIRATION_NS = 2_000_000;

const enum Timer {
  Slack = -1,
}

export class BandwidthTimer<Local extends LocalRuntime> {
  /** Periods that ended while the timer ran, and those at whose end some CPU was throttled. */
  nrPeriods = 0;
  nrThrottled = 0;
  /** CPUs that wait for the pool, in order. */
  private readonly waiting = new Deque<Local>();
  private readonly actor: number;
  private active = false;
  /** Nothing was taken from the pool since the last edge. */
  private idle = false;
  private slackStarted = false;
  /** The next edge, or the last one while the timer stands. */
  private edgeNs: number;
  private version = 0;

  constructor(
    private readonly machine: Machine,
    private readonly pool: BandwidthPool,
    /** The first edge; later ones follow at whole periods, also across pauses. */
    firstEdgeNs: number,
    /** Brings the accounting of a CPU up to date before its deficit is paid. */
    private readonly settle: (local: Local) => void,
    private readonly unthrottle: (local: Local) => void,
  ) {
    this.edgeNs = firstEdgeNs;
    this.actor = machine.addActor((version) => {
      if (version === Timer.Slack) this.onSlack();
      else if (version === this.version) this.onPeriod();
    });
  }

  get throttledCpus(): number {
    return this.waiting.length;
  }

  /** start_cfs_bandwidth(): somebody wants CPU time from the pool. */
  start(): void {
    this.idle = false;
    if (this.active || !this.pool.limited) return;
    this.active = true;
    this.arm();
  }

  throttle(local: Local): void {
    local.throttled = true;
    this.waiting.push(local);
  }

  /** tg_set_cfs_bandwidth(): whoever waits may go on, as nothing of the old quota counts any more. */
  reconfigure(): void {
    // Those for whom the new quota is too small as well wait again.
    for (let left = this.waiting.length; left > 0; left--) this.release(this.waiting.shift()!);
    if (this.pool.limited) return;
    this.active = false;
    this.version++;
  }

  /** A CPU gave back what it does not need: if others wait for it, they get it soon (start_cfs_slack_bandwidth). */
  slackReturned(): void {
    if (this.slackStarted || this.waiting.length === 0 || this.pool.runtimeNs <= BANDWIDTH_SLICE_NS) return;
    if (this.refillWithin(SLACK_PERIOD_NS + MIN_EXPIRATION_NS)) return;
    this.slackStarted = true;
    this.machine.schedule(SLACK_PERIOD_NS, this.actor, Timer.Slack);
  }

  private refillWithin(ns: number): boolean {
    return this.active && this.edgeNs - this.machine.nowNs < ns;
  }

  /** hrtimer_forward(): the next edge that lies ahead. */
  private arm(): void {
    const { nowNs } = this.machine;
    const { periodNs } = this.pool;
    if (this.edgeNs <= nowNs) this.edgeNs += (Math.floor((nowNs - this.edgeNs) / periodNs) + 1) * periodNs;
    this.machine.schedule(this.edgeNs - nowNs, this.actor, this.version);
  }

  /** do_sched_cfs_period_timer(). */
  private onPeriod(): void {
    this.nrPeriods++;
    this.pool.refill();
    const throttled = this.waiting.length > 0;
    if (this.idle && !throttled) {
      this.active = false;
      return;
    }
    this.arm();
    this.idle = !throttled;
    if (!throttled) return;
    this.nrThrottled++;
    this.distribute();
  }

  /** do_sched_cfs_slack_timer(). */
  private onSlack(): void {
    this.slackStarted = false;
    if (this.refillWithin(MIN_EXPIRATION_NS) || this.pool.runtimeNs <= BANDWIDTH_SLICE_NS) return;
    this.distribute();
  }

  /** distribute_cfs_runtime(): each CPU that waits, in order, gets its deficit paid; who is out of it may run. */
  private distribute(): void {
    for (let left = this.waiting.length; left > 0 && this.pool.runtimeNs > 0; left--) {
      const local = this.waiting.shift()!;
      this.settle(local);
      if (local.repay(this.pool)) this.release(local);
      else this.waiting.unshift(local);
    }
  }

  private release(local: Local): void {
    local.throttled = false;
    this.unthrottle(local);
  }
}
