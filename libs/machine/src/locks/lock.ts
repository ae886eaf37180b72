// What all locks have in common: how a task waits for one, the line that one lies in, and who looks on.
//
// Taking a lock may take several steps. A task calls the lock's function again and again and yields what it returns,
// until that is 0; then it has the lock:
//
//   for (let wait; (wait = mutex.acquire()) !== 0; ) yield wait;
//
// A free lock returns 0 at once: no event, no allocation. Routines keep the call in a state of its own. For code that
// is not hot every lock has the same as a generator (`yield* mutex.lock()`).
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import type { Task } from '../sched/task.js';
import type { LockClass } from './lock-class.js';
import { type LockProbe, LockProbes } from './lock-probe.js';
import { TaskLocks } from './task-locks.js';

/**
 * The cache line that a lock lies in. Every attempt to take the lock writes it, and waits until the CPU has it. The
 * release writes it too, without waiting: the store buffer does; but who comes next gets the line only after that.
 */
export interface LockLine {
  /** ns until the CPU of this index may write the line; 0 when it has it. */
  write(cpu: number): number;
  /** The CPU of this index looks at it: it gets a copy, which the next write has to take away. */
  read(cpu: number): number;
}

/** How a lock makes a task wait; lockdep knows by it what may be taken inside of what. */
export type LockKind = 'spin' | 'sleep' | 'map';

export interface LockOptions {
  /** The class for lockdep; by default locks of one name are one class. */
  readonly lockClass?: LockClass;
  readonly line?: LockLine;
  readonly probe?: LockProbe;
}

export abstract class Lock {
  abstract readonly kind: LockKind;
  readonly lockClass: LockClass | undefined;
  readonly line: LockLine | undefined;
  probe: LockProbe | undefined;

  constructor(
    protected readonly machine: Machine,
    readonly name: string,
    options: LockOptions = {},
  ) {
    this.lockClass = options.lockClass;
    this.line = options.line;
    this.probe = options.probe;
    if (machine.lockProbe !== undefined) this.addProbe(machine.lockProbe);
  }

  /** One more observer. */
  addProbe(probe: LockProbe): void {
    this.probe = this.probe === undefined ? probe : new LockProbes([this.probe, probe]);
  }

  /** An assert whose message is put together only when it is due. */
  protected misused(task: Task, how: string): never {
    return invariant(false, `${this.name}: ${task.name} ${how}`) as never;
  }

  /** The task's record of this wait, or undefined when it does not wait for this lock. */
  protected waitOf(task: Task): TaskLocks | undefined {
    const locks = task.locks;
    return locks !== undefined && locks.waitsFor === this ? locks : undefined;
  }

  /** Brings the line to the task's CPU: ns to yield before the attempt, in stage `arriving`; 0: at once. */
  protected fetchLine(task: Task, arriving: number): number {
    const ns = Math.round(this.line!.write(task.cpu.index));
    if (ns > 0) this.beginWait(task).stage = arriving;
    return ns;
  }

  protected releaseLine(task: Task): void {
    this.line?.write(task.cpu.index);
  }

  protected beginWait(task: Task): TaskLocks {
    const locks = TaskLocks.of(this.machine, task);
    locks.begin(this);
    return locks;
  }
}
