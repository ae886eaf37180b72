// A thread of control: a generator that yields what it wants next.
//
//   n > 0     n ns of CPU time on the CPU it has, rounded to whole ones
//   0         nothing; it goes on at once
//   PARK      to sleep until somebody wakes it; a wakeup that came first is remembered, so none is lost
//   YIELD     cond_resched(): let an equal that waits for this CPU run first
//   MIGRATE   to run on `task.cpu`, which it has just changed
//
// Between two yields a task acts at one instant and nothing else runs, so model code needs no locks of its own.
// A wakeup may come for another reason than the one waited for: whoever parks looks at its condition in a loop.
import type { Cpu } from './cpu.js';

export const PARK = -1;
export const YIELD = -2;
export const MIGRATE = -3;

export type TaskBody = Generator<number, void, void>;

/** Higher classes run first and preempt lower ones. */
export const enum SchedClass {
  Softirq = 0,
  Fair = 1,
}

export const enum TaskState {
  /** On a run queue, waiting for its CPU. */
  Ready,
  /** On a CPU, also while it is being switched in. */
  Running,
  Blocked,
  Dead,
}

/** What the workqueue code hangs into the scheduler (wq_worker_running, wq_worker_sleeping). */
export interface TaskHooks {
  /** The task got its CPU after it had been blocked. */
  running(): void;
  /** The task is about to block. */
  sleeping(): void;
}

export class Task {
  state: TaskState = TaskState.Blocked;
  /** CPU time that the task still wants of what it yielded last. */
  remainingNs = 0;
  /** A wakeup arrived while the task was not blocked. */
  wakePending = false;
  /** Whether hooks.running() is due at the next switch-in. */
  wokenUp = true;
  /** In PARK: blocked, or woken and not yet acting again. */
  parked = false;
  /** What it had used of its slice when a softirq interrupted it. */
  sliceUsedNs = 0;
  sleepVersion = 0;
  cpuTimeNs = 0;
  /** Set once, right after construction: a body wants to know its task. */
  body!: TaskBody;

  constructor(
    /** What its sleep timer is addressed to; another task may have it once this one has ended. */
    readonly target: number,
    readonly name: string,
    /** Where the task runs or ran last; only there if {@link pinned}. */
    public cpu: Cpu,
    readonly pinned: boolean,
    public schedClass: SchedClass,
    public hooks: TaskHooks | undefined,
  ) {}
}
