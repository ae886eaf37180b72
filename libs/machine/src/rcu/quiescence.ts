// Quiescent states: what tells that a CPU is in no read-side section that began before.
//
// An idle CPU is in an extended quiescent state and is never looked at. A busy one passes one by a context switch or by
// falling idle (its counter has changed), in user mode, or, with PREEMPT_RCU, outside of any section. Counters are read
// when somebody wants to know (dyntick_save_progress_counter(), rcu_implicit_dynticks_qs()); nothing is done meanwhile.
import { type Cpu, CpuPhase } from '../sched/cpu.js';
import { SchedClass } from '../sched/task.js';
import type { Machine } from '../machine.js';

/** Whether the CPU is in a quiescent state at this instant, as an interrupt on it finds it. */
export function quiescentNow(cpu: Cpu, preemptRcu: boolean): boolean {
  if (cpu.phase === CpuPhase.Idle) return true;
  const task = cpu.current;
  if (task === undefined || task.runClass === SchedClass.Softirq) return false;
  if (task.userMode) return true;
  return preemptRcu && task.preemptDepth === 0 && task.rcuNesting === 0;
}

/** The CPUs that have yet to pass a quiescent state since a snapshot. */
export class Holdouts {
  private readonly indexes: Int32Array;
  private readonly switches: Float64Array;
  /** cond_resched() calls when the CPU was found urgent, -1 before. */
  private readonly condResched: Float64Array;
  count = 0;

  constructor(private readonly machine: Machine) {
    const cpus = machine.cpus.length;
    this.indexes = new Int32Array(cpus);
    this.switches = new Float64Array(cpus);
    this.condResched = new Float64Array(cpus);
  }

  /** Takes all CPUs that are busy now. */
  snapshot(): void {
    const { scheduler, cpus } = this.machine;
    this.count = 0;
    for (let at = scheduler.nextBusy(0); at >= 0; at = scheduler.nextBusy(at + 1)) {
      this.indexes[this.count++] = at;
      this.switches[at] = cpus[at]!.contextSwitches;
      this.condResched[at] = -1;
    }
  }

  /**
   * Drops those that have quiesced.
   * @param urgent rcu_urgent_qs: cond_resched() counts too, from the first scan on that said so.
   */
  scan(preemptRcu: boolean, urgent: boolean): void {
    let left = 0;
    for (let i = 0; i < this.count; i++) {
      const at = this.indexes[i]!;
      if (!this.hasQuiesced(this.machine.cpus[at]!, preemptRcu, urgent)) this.indexes[left++] = at;
    }
    this.count = left;
  }

  at(i: number): Cpu {
    return this.machine.cpus[this.indexes[i]!]!;
  }

  /** The CPU has said itself that it passed one. */
  report(cpu: Cpu): void {
    this.switches[cpu.index] = -1;
  }

  private hasQuiesced(cpu: Cpu, preemptRcu: boolean, urgent: boolean): boolean {
    if (cpu.contextSwitches !== this.switches[cpu.index] || quiescentNow(cpu, preemptRcu)) return true;
    if (!urgent) return false;
    const before = this.condResched[cpu.index]!;
    if (before < 0) this.condResched[cpu.index] = cpu.condResched;
    return before >= 0 && cpu.condResched !== before;
  }
}
