// How fast CPUs work, as seen by the scheduler. What the rates depend on (SMT siblings, shared frequency, memory
// bandwidth) is the model's; the scheduler tells it who runs, and obeys.
import type { Cpu } from './cpu.js';
import type { Task } from './task.js';

export interface RateModel {
  /**
   * `cpu` begins to run `task` (its switch-in included). The model calls `scheduler.setRate()` for every CPU whose rate
   * this changes, also for this one; it must not wake, block or move anybody.
   */
  switchedIn(cpu: Cpu, task: Task): void;
  /** `cpu` no longer runs `task`; without a `switchedIn` at the same instant it is idle. The same rules. */
  switchedOut(cpu: Cpu, task: Task): void;
}
