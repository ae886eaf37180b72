// What a CPU is doing, and how long that takes: the state of all CPUs, the charging of what has run, the event that a CPU has
// pending.
//
// A CPU has at most one event that counts: the end of a switch or of a burst. Alone on its CPU, a task costs one event per
// burst whatever its length; slices exist only while somebody waits. An event may come early (the CPU has become slower
// since): then the burst goes on. Charging comes first: whatever reads or changes virtual times brings those of the
// running task up to date (settle).
import { Balancer } from './balance.js';
import { Cpu, CpuPhase } from './cpu.js';
import type { EventQueue } from '../events/event-queue.js';
import { Placement } from './placement.js';
import type { SchedProbe } from './probe.js';
import type { RateModel } from './rate-model.js';
import { newFairQueue, type Preemption, type SchedulerConfig, sliceNsOf } from './scheduler-config.js';
import { Queue, SchedClass, type Task, TaskState } from './task.js';
import { TaskTable } from './task-table.js';

/** Work that is less than this is a rounding error. */
const ROUNDING = 1e-5;

export abstract class Bursts {
  readonly cpus: Cpu[] = [];
  readonly tasks = new TaskTable();
  rates: RateModel | undefined = undefined;
  probe: SchedProbe | undefined = undefined;
  readonly sliceNs: number;
  readonly balancer: Balancer;
  protected readonly placement: Placement;
  protected readonly contextSwitchNs: number;
  protected readonly wakeupNs: number;
  readonly preemption: Preemption;
  /** Kernel code may be preempted anywhere; or between two bursts. */
  private readonly full: boolean;
  protected readonly voluntary: boolean;
  protected readonly throttleAtReturn: boolean;

  constructor(
    protected readonly events: EventQueue,
    cpuCount: number,
    config: SchedulerConfig,
    tickNs: number,
  ) {
    this.sliceNs = sliceNsOf(config, cpuCount);
    this.contextSwitchNs = Math.round(config.contextSwitchNs);
    this.wakeupNs = Math.round(config.wakeupNs ?? 0);
    this.preemption = config.preemption ?? 'full';
    this.full = this.preemption === 'full';
    this.voluntary = this.preemption !== 'none';
    this.throttleAtReturn = config.throttleAt === 'userReturn';
    for (let index = 0; index < cpuCount; index++) {
      this.cpus.push(new Cpu(index, newFairQueue(config, this.sliceNs, tickNs)));
    }
    this.placement = new Placement(this.cpus);
    const [minNs, maxNs] = [config.balanceMinNs ?? 4e6, config.balanceMaxNs ?? 64e6];
    this.balancer = new Balancer(this.cpus, this.placement, events, minNs, maxNs, (task, to) => this.move(task, to));
  }

  /** Moves a task that waits, or that runs and may be preempted; false when it may not. */
  protected abstract move(task: Task, to: Cpu): boolean;

  /**
   * Whether kernel code of this task, or its user code, may be preempted in the middle of a burst. Who spins outside of a
   * section looks at need_resched() all the time and gives way under every preemption model (mutex_spin_on_owner()).
   */
  protected preemptible(task: Task): boolean {
    if (task.preemptDepth > 0 || task.runClass === SchedClass.Softirq) return false;
    return task.userMode || this.full || task.spinning;
  }

  protected begin(cpu: Cpu, task: Task): void {
    cpu.current = task;
    task.state = TaskState.Running;
    task.queue = Queue.None;
    cpu.switchStartNs = this.events.now;
    if (this.probe !== undefined) this.probe.switchIn(cpu, task);
    if (this.rates !== undefined) this.rates.switchedIn(cpu, task);
  }

  protected out(cpu: Cpu, task: Task, state: TaskState): void {
    cpu.phase = CpuPhase.Acting;
    task.state = state;
    if (task.runClass !== SchedClass.Softirq) this.passQuiescentState(cpu);
    if (this.probe !== undefined) this.probe.switchOut(cpu, task, state);
    if (this.rates !== undefined) this.rates.switchedOut(cpu, task);
    if (task.watcher !== undefined) task.watcher.leftCpu();
  }

  /** rcu_all_qs() of cond_resched(), or of might_sleep() where that is one. */
  protected noteCondResched(cpu: Cpu): void {
    cpu.condResched++;
    if (cpu.quiescent !== undefined) cpu.quiescent();
  }

  /** rcu_note_context_switch(), and the extended quiescent state of an idle CPU. */
  protected passQuiescentState(cpu: Cpu): void {
    cpu.contextSwitches++;
    if (cpu.quiescent !== undefined) cpu.quiescent();
  }

  protected chargeSwitch(cpu: Cpu): void {
    const ranNs = this.events.now - cpu.switchStartNs;
    if (ranNs === 0) return;
    cpu.switchStartNs = this.events.now;
    cpu.busyNs += ranNs;
    cpu.switchNs += ranNs;
  }

  /** update_curr(): charges the burst, or the switch, under way up to now. */
  settle(cpu: Cpu): void {
    if (cpu.phase === CpuPhase.Switching) this.chargeSwitch(cpu);
    if (cpu.phase !== CpuPhase.Burst) return;
    const ranNs = this.events.now - cpu.burstStartNs;
    if (ranNs === 0) return;
    const task = cpu.current!;
    cpu.burstStartNs = this.events.now;
    const left = task.remainingNs - ranNs * cpu.rate;
    task.remainingNs = left < ROUNDING ? 0 : left;
    task.cpuTimeNs += ranNs;
    cpu.busyNs += ranNs;
    if (task.runClass !== SchedClass.Fair) return;
    cpu.fairQueue.charge(ranNs);
    if (task.group !== undefined) task.group.charge(cpu, ranNs);
  }

  /** From now on the current task consumes CPU time. */
  protected beginBurst(cpu: Cpu): void {
    cpu.phase = CpuPhase.Burst;
    cpu.burstStartNs = this.events.now;
  }

  /** Sees to it that the CPU has an event when the burst ends, or before, when the task must give way before that. */
  protected plan(cpu: Cpu): void {
    const task = cpu.current!;
    // Also at full speed: what a slower time has left over may have a fraction.
    let lengthNs = Math.ceil((cpu.rate === 1 ? task.remainingNs : task.remainingNs / cpu.rate) - ROUNDING);
    if (cpu.fairQueue.length > 0 || task.group !== undefined) {
      lengthNs = Math.min(lengthNs, this.mayRunNs(cpu, task));
    }
    if (this.events.now + lengthNs < cpu.eventNs) this.expectIn(cpu, lengthNs);
  }

  /** How long the current task may go on if it wants to. */
  private mayRunNs(cpu: Cpu, task: Task): number {
    if (task.runClass !== SchedClass.Fair || !this.preemptible(task)) return Infinity;
    const sliceNs = cpu.fairQueue.length > 0 ? cpu.fairQueue.sliceLeftNs() : Infinity;
    const grantedNs = task.group === undefined ? Infinity : Math.max(0, cpu.grantEndNs - this.events.now);
    return Math.min(sliceNs, grantedNs);
  }

  /** Sets the one event that the CPU waits for; an earlier one becomes void. */
  protected expectIn(cpu: Cpu, delayNs: number): void {
    cpu.version = (cpu.version + 1) | 0;
    const { events } = this;
    cpu.eventNs = events.dueNs = events.now + delayNs;
    events.pushDue(cpu.target, cpu.version);
  }
}
