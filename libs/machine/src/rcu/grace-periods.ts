// Normal grace periods: one after the other while anybody needs one (rcu_gp_kthread()).
//
// A grace period ends when every CPU that was busy at its start has passed a quiescent state, and every reader that was in
// a section then has left it. The kthread looks for the first time after `gpNs` (what its scans cost on a machine that
// stands in nobody's way), or at jiffies_till_first_fqs; as long as anybody holds out, the ticks of those CPUs and the
// kthread look again each jiffy. A machine that is idle or switches often pays two events per grace period.
import type { Machine } from '../machine.js';
import type { RandomStream } from '../random.js';
import { hasPreemptRcu, jiffiesTillFirstFqs, jiffiesTillSchedQs, type RcuCosts } from './costs.js';
import { Holdouts } from './quiescence.js';
import { type Readers, ReaderWait } from './readers.js';

const STALL_TIMEOUT_NS = 21e9;
const START = 0;
const SCAN = 1;

export interface GracePeriodUser {
  /** Whether anybody waits for a grace period that has not ended. */
  needed(): boolean;
  ended(): void;
}

export class GracePeriods {
  started = 0;
  completed = 0;
  totalNs = 0;
  longestNs = 0;
  /** Stall warnings: at the time-out, and then after three times as long each. */
  stalls = 0;
  private startNs = 0;
  private requested = false;
  private nextStallNs = 0;
  private scanned = false;
  private readonly wait: ReaderWait;
  private readonly holdouts: Holdouts;
  private readonly actor: number;
  private readonly random: RandomStream;
  private readonly preemptRcu: boolean;
  private readonly tillFirstScan: number;
  private readonly urgentNs: number;
  private readonly stallNs: number;

  constructor(
    private readonly machine: Machine,
    private readonly costs: RcuCosts,
    private readonly readers: Readers,
    private readonly user: GracePeriodUser,
  ) {
    const hz = Math.round(1e9 / machine.jiffyNs);
    const cpus = machine.cpus.length;
    this.random = machine.random('rcu');
    this.holdouts = new Holdouts(machine);
    this.wait = new ReaderWait(() => this.readersGone());
    readers.add(this.wait);
    this.preemptRcu = hasPreemptRcu(costs, machine);
    this.tillFirstScan = jiffiesTillFirstFqs(costs, hz, cpus);
    this.urgentNs = jiffiesTillSchedQs(costs, hz, cpus) * machine.jiffyNs;
    this.stallNs = costs.stallTimeoutNs ?? STALL_TIMEOUT_NS;
    this.actor = machine.addActor((what) => {
      if (what === START) this.start();
      else if (what === this.scanOf(this.started)) this.scan();
    });
  }

  get inProgress(): boolean {
    return this.started > this.completed;
  }

  request(): void {
    if (this.requested || this.inProgress) return;
    this.requested = true;
    this.machine.schedule(0, this.actor, START);
  }

  /** rcu_read_unlock_special(): the last reader that was preempted reports. Others are noticed at a tick. */
  private readersGone(): void {
    if (this.preemptRcu && this.scanned && this.holdouts.count === 0) this.scanIn(0);
  }

  private start(): void {
    this.requested = false;
    if (this.inProgress || !this.user.needed()) return;
    this.started++;
    this.startNs = this.machine.nowNs;
    this.nextStallNs = this.startNs + this.stallNs;
    this.scanned = false;
    this.readers.begin(this.wait);
    this.holdouts.snapshot();
    const { gpNs, gpJitterRatio } = this.costs;
    this.scanIn(gpNs === undefined ? this.untilTick(this.tillFirstScan + 1) : this.random.jitter(gpNs, gpJitterRatio));
  }

  /** Each scan is for the grace period that asked for it. */
  private scanOf(gp: number): number {
    return ((gp & 0xffffff) << 1) | SCAN;
  }

  private scanIn(delayNs: number): void {
    this.machine.schedule(delayNs, this.actor, this.scanOf(this.started));
  }

  private untilTick(ticks: number): number {
    const { nowNs, jiffyNs } = this.machine;
    return (Math.floor(nowNs / jiffyNs) + ticks) * jiffyNs - nowNs;
  }

  /** rcu_gp_fqs(). */
  private scan(): void {
    if (!this.inProgress) return;
    this.scanned = true;
    const { nowNs } = this.machine;
    this.holdouts.scan(this.preemptRcu, nowNs - this.startNs >= this.urgentNs);
    if (this.holdouts.count === 0 && this.wait.blockers === 0) {
      this.end();
      return;
    }
    if (nowNs >= this.nextStallNs) {
      this.stalls++;
      this.nextStallNs = nowNs + 3 * this.stallNs;
    }
    this.scanIn(this.untilTick(1));
  }

  private end(): void {
    this.completed++;
    this.wait.since = 0;
    const tookNs = this.machine.nowNs - this.startNs;
    this.totalNs += tookNs;
    if (tookNs > this.longestNs) this.longestNs = tookNs;
    this.user.ended();
    // Back to back while anybody waits.
    if (this.user.needed()) this.request();
  }
}
