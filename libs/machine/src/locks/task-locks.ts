// What the locks keep about a task: its wait, for it waits for one thing at a time, and who spins because it runs.
//
// One record per task, made when it first waits, so that waiting allocates nothing. The records are also the nodes of
// the wait lists.
import { ZERO } from '../double.js';
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import { SPIN, type Task, type TaskWatcher } from '../sched/task.js';

/** An assert whose message is put together only when it is due. */
function broken({ task }: TaskLocks, how: string): never {
  return invariant(false, `${task.name} ${how}`) as never;
}

/** Wants to know that the owner of a lock has lost its CPU. */
export interface OwnerWatcher {
  ownerLeftCpu(): void;
}

/** Has spinning tasks that give up when they lose their CPU (need_resched() in the kernel's loops). */
export interface SpinPlace {
  spinnerLeftCpu(spinner: TaskLocks): void;
}

export class TaskLocks implements TaskWatcher {
  waitsFor: object | undefined = undefined;
  /** Where in the lock's slow path the task is; the numbers are the lock's. */
  stage = 0;
  list: WaitList | undefined = undefined;
  next: TaskLocks | undefined = undefined;
  previous: TaskLocks | undefined = undefined;
  /** When it began to wait. */
  startNs = ZERO;
  /** In SPIN, and nobody has ended that yet. */
  inSpin = false;
  /** Nothing is left to spin for. */
  spinFailed = false;
  /** Where it gives up when it loses its CPU; undefined: it goes on spinning when it is back. */
  place: SpinPlace | undefined = undefined;
  private watching: OwnerWatcher | undefined = undefined;
  /** Hardly ever does anybody spin for more than one lock of a task. */
  private readonly alsoWatching: OwnerWatcher[] = [];
  /** When a timeout is due. */
  deadlineNs = ZERO;
  /** The waiter has asked for the lock to be handed to it (struct rwsem_waiter: handoff_set). */
  handoffSet = false;

  private constructor(
    private readonly machine: Machine,
    readonly task: Task,
  ) {}

  static of(machine: Machine, task: Task): TaskLocks {
    let locks = task.locks;
    if (locks === undefined) {
      locks = task.locks = new TaskLocks(machine, task);
      task.watcher = locks;
    }
    return locks;
  }

  begin(lock: object): void {
    if (this.waitsFor !== undefined) broken(this, 'waits for two locks at a time');
    this.waitsFor = lock;
    this.startNs = this.machine.nowNs;
  }

  end(): void {
    this.waitsFor = undefined;
    this.place = undefined;
    this.inSpin = false;
  }

  /** `return locks.spin()` out of a lock's function: the task burns CPU time until {@link endSpin}. */
  spin(): number {
    this.inSpin = true;
    return SPIN;
  }

  endSpin(): void {
    if (!this.inSpin) return;
    this.inSpin = false;
    this.machine.scheduler.endSpin(this.task);
  }

  /** Whether it spins on its CPU at this instant, and nobody has ended that. */
  get burns(): boolean {
    return this.inSpin && this.machine.scheduler.burns(this.task);
  }

  /** Ends the spin of a task that {@link burns}, after work of so many ns. */
  endSpinIn(workNs: number): void {
    this.inSpin = false;
    this.machine.scheduler.endSpinIn(this.task, workNs);
  }

  watch(watcher: OwnerWatcher): void {
    if (this.watching === undefined) this.watching = watcher;
    else this.alsoWatching.push(watcher);
  }

  unwatch(watcher: OwnerWatcher): void {
    const { alsoWatching } = this;
    const next = alsoWatching.pop();
    if (this.watching === watcher) {
      this.watching = next;
    } else if (next !== watcher) {
      const at = alsoWatching.indexOf(watcher);
      if (at < 0) broken(this, 'is not watched');
      alsoWatching[at] = next!;
    }
  }

  leftCpu(): void {
    this.place?.spinnerLeftCpu(this);
    // Each call removes its watcher.
    for (let i = this.alsoWatching.length - 1; i >= 0; i--) this.alsoWatching[i]!.ownerLeftCpu();
    this.watching?.ownerLeftCpu();
  }
}

/** A list of waiting tasks, first come first. Adding and removing anywhere takes constant time and no memory. */
export class WaitList {
  first: TaskLocks | undefined = undefined;
  last: TaskLocks | undefined = undefined;
  length = 0;

  push(node: TaskLocks): void {
    if (node.list !== undefined) broken(node, 'is on two wait lists');
    node.list = this;
    node.previous = this.last;
    node.next = undefined;
    if (this.last === undefined) this.first = node;
    else this.last.next = node;
    this.last = node;
    this.length++;
  }

  remove(node: TaskLocks): void {
    if (node.list !== this) broken(node, 'is not on this wait list');
    if (node.previous === undefined) this.first = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.last = node.previous;
    else node.next.previous = node.previous;
    node.list = node.next = node.previous = undefined;
    this.length--;
  }

  shift(): TaskLocks | undefined {
    const node = this.first;
    if (node !== undefined) this.remove(node);
    return node;
  }
}
