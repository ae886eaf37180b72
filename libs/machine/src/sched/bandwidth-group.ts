// CPU bandwidth as seen by the scheduler: it asks before it runs a fair task of a group, tells what the task ran, and
// keeps the group's tasks aside on a CPU where it is throttled. Quota, pools and periods are the group's own.
//
// The order for one task: taskAdded(cpu) when it becomes runnable there, then any number of [grant, charge...], then
// taskRemoved(cpu) when it blocks, ends or moves. All calls are made between the actions of tasks, never during one,
// except taskAdded and taskRemoved. None of them may wake, throttle or unthrottle anybody at once: that belongs into an
// event of the group's own (`machine.schedule(0, ...)`).
import type { Cpu } from './cpu.js';

export interface BandwidthGroup {
  /**
   * How many ns a fair task of the group may run on `cpu` from now until it must ask again; Infinity without quota.
   * Asked when a task is switched in and whenever what was granted is used up. With 0 or less the group is throttled on
   * `cpu` (`throttledOn` is true from then on), and its tasks there are kept aside until `scheduler.unthrottle()`.
   */
  grant(cpu: Cpu, nowNs: number): number;
  /** A task of the group has run on `cpu` for `ranNs`; more than was granted when it could not be stopped in time. */
  charge(cpu: Cpu, ranNs: number): void;
  /** Whether the group, or one above it, is throttled on `cpu`. */
  throttledOn(cpu: Cpu): boolean;
  /** A task of the group is kept aside on `cpu` from now on. */
  taskHeld(cpu: Cpu): void;
  /** One more task of the group is runnable on `cpu`: it runs, waits or is kept aside there. */
  taskAdded(cpu: Cpu): void;
  /** One fewer. After the last one the group may give back what the CPU holds. */
  taskRemoved(cpu: Cpu): void;
}

/**
 * Where a throttled task stops: `dequeue` at the next point where it could be preempted; `userReturn` not before it is
 * about to run in user mode, so that what holds kernel locks goes on (the task-based throttling of 6.18).
 */
export type ThrottleAt = 'dequeue' | 'userReturn';
