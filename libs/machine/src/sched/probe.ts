// What an observer of the scheduler is told. Nothing is called, and nothing costs, while no probe is set.
import type { Cpu } from './cpu.js';
import type { Task, TaskState } from './task.js';

export interface SchedProbe {
  /** `cpu` begins to switch to `task` (sched_switch: next). */
  switchIn(cpu: Cpu, task: Task): void;
  /** `cpu` leaves `task`, which is then ready (preempted), blocked or dead (sched_switch: prev). */
  switchOut(cpu: Cpu, task: Task, state: TaskState): void;
  /** `task` was blocked and is woken onto `target` (sched_wakeup). */
  wake(task: Task, target: Cpu): void;
  /** A task that is ready, or asks for it, goes to another CPU (sched_migrate_task). */
  migrate(task: Task, from: Cpu, to: Cpu): void;
}
