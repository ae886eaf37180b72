// SCHED_FIFO of one CPU: the highest priority first, in order of arrival within one. Few tasks are of this class, so a
// sorted array does.
import type { Task } from './task.js';

export class FifoQueue {
  private readonly tasks: Task[] = [];

  get length(): number {
    return this.tasks.length;
  }

  /** Priority of the first one; 0 when nobody waits. */
  get priority(): number {
    return this.tasks.length === 0 ? 0 : this.tasks[0]!.rtPriority;
  }

  at(index: number): Task {
    return this.tasks[index]!;
  }

  /** Behind its equals. */
  push(task: Task): void {
    this.insert(task, task.rtPriority);
  }

  /** Before its equals: a task that was preempted keeps its place. */
  unshift(task: Task): void {
    this.insert(task, task.rtPriority + 1);
  }

  shift(): Task | undefined {
    return this.tasks.shift();
  }

  remove(task: Task): void {
    this.tasks.splice(this.tasks.indexOf(task), 1);
  }

  /** Behind all of at least this priority. */
  private insert(task: Task, priority: number): void {
    let at = this.tasks.length;
    while (at > 0 && this.tasks[at - 1]!.rtPriority < priority) at--;
    this.tasks.splice(at, 0, task);
  }
}
