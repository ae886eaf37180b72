// A cgroup as the cpu controller sees it: a node of a tree, with or without a quota of its own, that counts the CPU time of
// its tasks and of everything below it. What a task runs is charged at every level; it may run for as long as the tightest
// level lets it, so a child stops when an ancestor is exhausted. Only fair tasks are charged and throttled (CFS bandwidth).
// Weights of groups are not modelled: tasks of all groups share a CPU as if they stood side by side.
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import type { BandwidthGroup } from './bandwidth-group.js';
import { LocalRuntime, TOKEN_NS } from './bandwidth-local.js';
import { type BandwidthLimits, BandwidthPool, type DebtModel } from './bandwidth-pool.js';
import { BandwidthTimer } from './bandwidth-timer.js';
import { type Cpu, CpuPhase } from './cpu.js';
import { SchedClass } from './task.js';

export interface CpuGroupOptions extends Partial<BandwidthLimits> {
  /** The group above; none is the root group, which has no quota. */
  readonly parent?: CpuGroup;
  /** When its first period ends, after `periodNs` by default; a phase for groups that shall not refill at one instant. */
  readonly firstEdgeNs?: number;
  /** `field` by default. */
  readonly debtModel?: DebtModel;
  /** A remote charge that leaves debt takes the CPUs' slices as well, so that the group stops at once; false by default. */
  readonly throttleAtCharge?: boolean;
  /** Whether remote charges count as the group's usage; true by default. */
  readonly statRemoteCharges?: boolean;
}

/** cpu.stat, in ns; CPU time and throttled time with what is under way. */
export interface CpuStat {
  readonly usageNs: number;
  readonly nrPeriods: number;
  readonly nrThrottled: number;
  /** Summed over CPUs. */
  readonly throttledNs: number;
  readonly nrBursts: number;
  readonly burstNs: number;
}

/** The group on one CPU (struct cfs_rq). */
class GroupCpu extends LocalRuntime {
  /** Tasks of the group, or of one below it, that run, wait or are kept aside there. */
  runnable = 0;
  /** Since when one of them is kept aside; -1 when none is. */
  heldSinceNs = -1;

  constructor(readonly cpu: Cpu) {
    super();
  }
}

export class CpuGroup implements BandwidthGroup {
  readonly parent: CpuGroup | undefined;
  readonly pool: BandwidthPool;
  /** CPU time of its tasks and of everything below, without bursts under way ({@link stat} has them). */
  usageNs = 0;
  /** The group itself, and all above it. */
  private readonly levels: readonly CpuGroup[];
  private readonly timer: BandwidthTimer<GroupCpu>;
  /** By CPU; made when the group first runs there. */
  private readonly locals: (GroupCpu | undefined)[];
  private readonly revokeActor: number;
  private throttledNs = 0;

  constructor(
    private readonly machine: Machine,
    readonly name: string,
    private readonly options: CpuGroupOptions = {},
  ) {
    const { quotaNs = Infinity, periodNs, burstNs } = options;
    this.parent = options.parent;
    this.levels = [this, ...(this.parent?.levels ?? [])];
    this.pool = new BandwidthPool(
      { quotaNs, ...(periodNs !== undefined && { periodNs }), ...(burstNs !== undefined && { burstNs }) },
      options.debtModel,
    );
    this.locals = new Array<GroupCpu | undefined>(machine.cpus.length).fill(undefined);
    const firstEdgeNs = options.firstEdgeNs ?? machine.nowNs + this.pool.periodNs;
    this.timer = new BandwidthTimer<GroupCpu>(
      machine,
      this.pool,
      firstEdgeNs,
      ({ cpu }) => machine.scheduler.settle(cpu),
      (local) => this.unthrottle(local),
    );
    this.revokeActor = machine.addActor(() => this.revokeSlices());
  }

  grant(cpu: Cpu): number {
    let grantNs = Infinity;
    for (const level of this.levels) {
      if (!level.pool.limited) continue;
      grantNs = Math.min(grantNs, level.grantHere(level.local(cpu)));
      // What is above need not hand out a slice that nobody can use.
      if (grantNs <= 0) return 0;
    }
    return grantNs;
  }

  charge(cpu: Cpu, ranNs: number): void {
    for (const level of this.levels) {
      level.usageNs += ranNs;
      if (level.pool.limited) level.local(cpu).runtimeNs -= ranNs;
    }
  }

  throttledOn(cpu: Cpu): boolean {
    for (const level of this.levels) {
      if (level.locals[cpu.index]?.throttled === true) return true;
    }
    return false;
  }

  taskHeld(cpu: Cpu): void {
    for (const level of this.levels) {
      const local = level.locals[cpu.index];
      if (local?.throttled === true && local.heldSinceNs < 0) local.heldSinceNs = this.machine.nowNs;
    }
  }

  taskAdded(cpu: Cpu): void {
    for (const level of this.levels) level.local(cpu).runnable++;
  }

  taskRemoved(cpu: Cpu): void {
    for (const level of this.levels) {
      const local = level.local(cpu);
      local.runnable--;
      invariant(local.runnable >= 0, `group ${level.name}: a task left CPU ${cpu.index} that was not there`);
      if (local.runnable > 0 || !level.pool.limited || local.throttled) continue;
      local.giveBackSlack(level.pool);
      level.timer.slackReturned();
    }
  }

  /** Sets quota, period and burst: debt is forgiven, the pool refilled, and whoever was throttled goes on. */
  configure(limits: BandwidthLimits): void {
    const { scheduler } = this.machine;
    // What ran so far belongs to the old quota.
    for (const local of this.locals) if (local !== undefined) scheduler.settle(local.cpu);
    this.pool.configure(limits);
    for (const local of this.locals) if (local !== undefined) local.runtimeNs = 0;
    this.timer.reconfigure();
    for (const local of this.locals) if (local !== undefined) scheduler.regrant(local.cpu);
  }

  /**
   * Charges `ns` that a task outside of the group ran on its behalf, here and at every level above: each pays what its pool
   * has, the rest is debt of that level. Throttles nobody by itself.
   */
  chargeRemote(ns: number): void {
    for (const level of this.levels) {
      if (this.options.statRemoteCharges !== false) level.usageNs += ns;
      level.pool.charge(ns);
      if (level.options.throttleAtCharge === true && level.pool.debtNs > 0) {
        this.machine.schedule(0, level.revokeActor, 0);
      }
    }
  }

  stat(): CpuStat {
    let { usageNs, throttledNs } = this;
    for (const local of this.locals) {
      if (local === undefined) continue;
      usageNs += this.underWayNs(local.cpu);
      if (local.heldSinceNs >= 0) throttledNs += this.machine.nowNs - local.heldSinceNs;
    }
    const { nrPeriods, nrThrottled } = this.timer;
    const { nrBursts, burstUsedNs } = this.pool;
    return { usageNs, nrPeriods, nrThrottled, throttledNs, nrBursts, burstNs: burstUsedNs };
  }

  /** Of a burst that has not been charged yet. Whoever looks must not charge it: that would change how it is rounded. */
  private underWayNs({ current, phase, burstStartNs }: Cpu): number {
    if (phase !== CpuPhase.Burst || current!.runClass !== SchedClass.Fair) return 0;
    for (let group = current!.group as CpuGroup | undefined; group !== undefined; group = group.parent) {
      if (group === this) return this.machine.nowNs - burstStartNs;
    }
    return 0;
  }

  private local(cpu: Cpu): GroupCpu {
    return (this.locals[cpu.index] ??= new GroupCpu(cpu));
  }

  private grantHere(local: GroupCpu): number {
    if (local.throttled) return 0;
    if (local.runtimeNs <= TOKEN_NS) {
      this.timer.start();
      if (!local.extend(this.pool)) this.timer.throttle(local);
    }
    return local.runtimeNs;
  }

  private unthrottle(local: GroupCpu): void {
    const { scheduler, nowNs } = this.machine;
    if (local.heldSinceNs >= 0) this.throttledNs += nowNs - local.heldSinceNs;
    local.heldSinceNs = -1;
    scheduler.unthrottle(local.cpu, this);
    // A task that could not be stopped runs on borrowed time; from now on it is asked again.
    scheduler.regrant(local.cpu);
  }

  /** Takes the slices of all CPUs for the debt; whoever runs on must ask again. */
  private revokeSlices(): void {
    const { scheduler } = this.machine;
    for (const local of this.locals) {
      if (local === undefined) continue;
      scheduler.settle(local.cpu);
      local.revoke(this.pool);
    }
    this.pool.payDebt();
    for (const local of this.locals) if (local !== undefined) scheduler.regrant(local.cpu);
  }
}
