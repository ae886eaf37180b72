// Several observers of one scheduler.
import type { Cpu } from '../sched/cpu.js';
import type { SchedProbe } from '../sched/probe.js';
import type { Task, TaskState } from '../sched/task.js';

class SchedProbes implements SchedProbe {
  constructor(private readonly probes: readonly SchedProbe[]) {}

  switchIn(cpu: Cpu, task: Task): void {
    for (const probe of this.probes) probe.switchIn(cpu, task);
  }

  switchOut(cpu: Cpu, task: Task, state: TaskState): void {
    for (const probe of this.probes) probe.switchOut(cpu, task, state);
  }

  wake(task: Task, target: Cpu): void {
    for (const probe of this.probes) probe.wake(task, target);
  }

  migrate(task: Task, from: Cpu, to: Cpu): void {
    for (const probe of this.probes) probe.migrate(task, from, to);
  }
}

/** One more observer, after those that there are. */
export function addSchedProbe(scheduler: { probe: SchedProbe | undefined }, probe: SchedProbe): void {
  scheduler.probe = scheduler.probe === undefined ? probe : new SchedProbes([scheduler.probe, probe]);
}
