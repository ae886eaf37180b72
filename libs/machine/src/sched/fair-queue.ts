// The fair class of one CPU: who waits, who runs, and whose turn it is. Two of them: EEVDF, and CFS for kernels before 6.6.
//
// `current` is the fair task that has the CPU, or lies under a softirq there; it is no waiter but counts in `load`.
// Whoever changes anything charges the current task first, so that its virtual time is up to date (update_curr).
import type { Task } from './task.js';

export interface FairQueue {
  readonly current: Task | undefined;
  /** Sum of the weights of the waiters and of the current task. */
  readonly load: number;
  /** Waiters. */
  readonly length: number;
  /** The i-th waiter in no order, except that the first ones are about the next to run. */
  at(index: number): Task;

  /** A task that was woken (or is new), or else was moved here from elsewhere, waits from now on. */
  enqueue(task: Task, woken: boolean): void;
  /** The same for one that need not wait: the CPU has no fair task. */
  begin(task: Task, woken: boolean): void;
  /** Takes the next task out of the waiters; it is current from now on. There must be no current task. */
  pick(): Task | undefined;
  /** The current task was preempted and waits. */
  putBack(): void;
  /** The current task or a waiter leaves: it blocks or ends, or else it is moved and goes on elsewhere. */
  leave(task: Task, moved: boolean): void;
  /** A task that is not queued, and last was here, will be queued on another CPU. */
  handOver(task: Task, to: this): void;

  /** The current task has had the CPU for `ranNs`. */
  charge(ranNs: number): void;
  /** CPU time until the slice of the current task is over, if anybody waits; a whole number. */
  sliceLeftNs(): number;
  sliceOver(): boolean;
  /** Begins a new slice if the present one is over, then says whether a waiter should run in place of the current task. */
  shouldYield(): boolean;
  /** Whether this waiter, just queued, should preempt the current task. */
  preempts(task: Task): boolean;
  /** Another weight for a task that is queued here or, if it is not queued, was last. */
  reweigh(task: Task, weight: number): void;
}

/** 1 + log2(min(cpus, 8)): how slices grow with the machine (sched_tunable_scaling = log). */
export function sliceScale(cpus: number): number {
  return 1 + Math.floor(Math.log2(Math.min(cpus, 8)));
}
