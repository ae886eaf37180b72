// A thread of control: something that yields what it wants next.
//
//   n > 0     n ns of work on the CPU it has, rounded to whole ones (at full speed: n ns of CPU time)
//   0         nothing; it goes on at once
//   PARK      to sleep until somebody wakes it; a wakeup that came first is remembered, so none is lost
//   YIELD     cond_resched(): gives way if somebody should run in its place by now (need_resched)
//   MIGRATE   to run on `task.cpu`, which it has just changed
//   SPIN      to keep its CPU busy until `scheduler.endSpin(task)`, which is remembered when it came first
//
// Between two yields a task acts at one instant and nothing else runs, so model code needs no locks of its own.
// A wakeup may come for another reason than the one waited for: whoever parks looks at its condition in a loop.
import { ZERO } from '../double.js';
import type { TaskLocks } from '../locks/task-locks.js';
import type { BandwidthGroup } from './bandwidth-group.js';
import type { CpuMask } from './cpu-mask.js';
import type { Cpu } from './cpu.js';
import { weightOf } from './weights.js';

/** The requests as the scheduler tells them apart: numbers in its code, and not what another module exports. */
export const enum Request {
  Park = -1,
  Yield = -2,
  Migrate = -3,
  Spin = -4,
  Done = -1e9,
}

export const PARK = Request.Park as number;
export const YIELD = Request.Yield as number;
export const MIGRATE = Request.Migrate as number;
export const SPIN = Request.Spin as number;

export type TaskBody = Generator<number, void, void>;

interface Step {
  readonly done?: boolean | undefined;
  readonly value: number | void;
}

/** What a task runs: a generator, or a {@link Routine}. */
export interface TaskSteps {
  next(): Step;
}

/** What {@link Routine.step} returns at its end. */
export const DONE = Request.Done as number;

/** A body written out as a state machine, for hot paths: it allocates nothing and resumes faster than a generator. */
export abstract class Routine implements TaskSteps {
  private readonly result = { done: false, value: 0 };

  /** What the scheduler calls instead of `next()`: the request itself. */
  advance(): number {
    return this.step();
  }

  next(): Step {
    const request = this.step();
    if (request === Request.Done) this.result.done = true;
    this.result.value = request;
    return this.result;
  }

  /** Acts, and returns what a generator would yield; DONE at the end. */
  protected abstract step(): number;
}

/** Higher classes run first and preempt lower ones. */
export const enum SchedClass {
  /** Interrupt context on top of whatever the CPU runs. */
  Softirq = 0,
  /** SCHED_FIFO by `rtPriority`; no slices. */
  Fifo = 1,
  /** SCHED_NORMAL by `nice`. */
  Fair = 2,
}

export const enum TaskState {
  /** Waiting for its CPU, or kept from it. */
  Ready,
  /** On a CPU, also while it is being switched in, and while softirqs interrupt it. */
  Running,
  Blocked,
  Dead,
}

/** Where a ready task waits. */
export const enum Queue {
  None,
  Softirq,
  Fifo,
  Fair,
  /** Under a softirq on its CPU. */
  Interrupted,
  /** Its bandwidth group is throttled on its CPU. */
  Aside,
}

/** What the workqueue code hangs into the scheduler (wq_worker_running, wq_worker_sleeping). */
export interface TaskHooks {
  /** The task got its CPU after it had been blocked. */
  running(): void;
  /** The task is about to block. */
  sleeping(): void;
}

/** What looks on when a task loses its CPU. */
export interface TaskWatcher {
  /**
   * By blocking, ending or preemption (not when softirqs interrupt it: on_cpu stays set): whoever spins for the task
   * learns that it is in vain. It may end spins and wake tasks.
   */
  leftCpu(): void;
}

export class Task {
  // What every switch, burst and wakeup reads comes first, in as few lines of the host's cache as will do.
  state: TaskState = TaskState.Blocked;
  /** The class that it is queued or runs under now; `schedClass` is the one that it shall have. */
  runClass: SchedClass = this.schedClass;
  queue: Queue = Queue.None;
  /** Work that the task still wants of what it yielded last; Infinity while it spins. */
  remainingNs = ZERO;
  /** Time that it had a CPU, also spinning or slowed down; without switches. */
  cpuTimeNs = ZERO;
  /** Fair class: virtual runtime and deadline, in ns at nice 0. While not queued: the lag, see the fair queues. */
  vruntime = ZERO;
  deadline = ZERO;
  lag = ZERO;
  weight = weightOf(0);
  /** What it runs, if that is a state machine. */
  routine: Routine | undefined = undefined;
  /** Sections that keep others off its CPU: preempt_disable(), local_bh_disable() and local_irq_disable() together. */
  preemptDepth = 0;
  /** Its bandwidth group; change it with `scheduler.setGroup()`. */
  group: BandwidthGroup | undefined = undefined;
  /** What the locks keep about it; made when it first waits. */
  locks: TaskLocks | undefined = undefined;
  watcher: TaskWatcher | undefined = undefined;
  sleepVersion = 0;
  /** A wakeup arrived while the task was not blocked. */
  wakePending = false;
  /** Whether hooks.running() is due at the next switch-in. */
  wokenUp = true;
  /** In PARK: blocked, or woken and not yet acting again. */
  parked = false;
  /** Never placed on a queue yet. */
  fresh = true;
  spinning = false;
  /** The end of a spin came before the spin. */
  spinEnded = false;

  /** User code may be preempted at any time; change it with `scheduler.setUserMode()`. */
  userMode = false;
  /** Sections that keep softirqs off its CPU, too. */
  bhDepth = 0;
  irqDepth = 0;
  /** Depth of rcu_read_lock(), and how many grace periods had begun at the outermost one. */
  rcuNesting = 0;
  rcuEntered = 0;
  /** -20..19; change it with `scheduler.renice()`. */
  nice = 0;
  /** 1..99, of the FIFO class; the higher one runs. Read when the task next waits for a CPU. */
  rtPriority = 1;
  /** Where it may run; undefined: anywhere. Change it with `scheduler.setAffinity()`. */
  affinity: CpuMask | undefined = undefined;
  /** Its CPU time at the last remote charge, while it runs for a group that it is not in. */
  remoteBaseNs = ZERO;
  /** Runs in a heap of a fair queue: where, and its place in the order of arrivals. */
  heapIndex = -1;
  arrival = 0;
  /** When it last changed its CPU. */
  migratedNs = ZERO;
  /** Counted as a waiter that may be moved. */
  counted = false;
  /** What it runs. Set once, right after construction: a body wants to know its task. */
  private steps!: TaskSteps;

  constructor(
    /** What its sleep timer is addressed to; another task may have it once this one has ended. */
    readonly target: number,
    readonly name: string,
    /** Where the task runs or ran last; only there if {@link pinned}. */
    public cpu: Cpu,
    public pinned: boolean,
    public schedClass: SchedClass,
    public hooks: TaskHooks | undefined,
  ) {}

  get body(): TaskSteps {
    return this.steps;
  }

  set body(steps: TaskSteps) {
    this.steps = steps;
    this.routine = steps instanceof Routine ? steps : undefined;
  }

  /** Whether it has a CPU at this instant. */
  get onCpu(): boolean {
    return this.state === TaskState.Running;
  }

  /** Whether it may be moved without being asked. */
  get movable(): boolean {
    return !this.pinned && (this.affinity === undefined || this.affinity.count > 1);
  }

  allowedOn(cpu: Cpu): boolean {
    if (this.pinned) return cpu === this.cpu;
    return this.affinity === undefined || this.affinity.has(cpu.index);
  }
}
