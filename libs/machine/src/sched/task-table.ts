// The tasks by the index that their events carry. The slot of a task that has ended is given to the next one, so the
// table is as large as the most tasks that there were at once. An event of the former task may still be under way
// then: the newcomer goes on counting where the former stopped, so that such an event is out of date for it too.
import { indexOf, TargetKind, targetOf } from '../events/target.js';
import type { Task } from './task.js';

export class TaskTable {
  private readonly slots: Task[] = [];
  private readonly free: number[] = [];

  /** How many slots there are: the most tasks that there were at once. */
  get size(): number {
    return this.slots.length;
  }

  /** The event target for the next task; {@link add} follows. */
  reserve(): number {
    return targetOf(TargetKind.Sleep, this.free.pop() ?? this.slots.length);
  }

  add(task: Task): void {
    const slot = indexOf(task.target);
    const former = this.slots[slot];
    if (former !== undefined) task.sleepVersion = (former.sleepVersion + 1) | 0;
    this.slots[slot] = task;
  }

  at(slot: number): Task {
    return this.slots[slot]!;
  }

  /** The task has ended. It stays where it is until another takes its slot. */
  release(task: Task): void {
    this.free.push(indexOf(task.target));
  }
}
