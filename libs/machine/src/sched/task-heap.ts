// A binary heap of waiting tasks by a key of type number, then by order of arrival. Tasks know their place, so that any
// of them can be taken out.
import type { Task } from './task.js';

export class TaskHeap {
  private readonly tasks: Task[] = [];
  private readonly keys: number[] = [];

  get length(): number {
    return this.tasks.length;
  }

  get top(): Task | undefined {
    return this.tasks.length === 0 ? undefined : this.tasks[0];
  }

  /** Any order but for the first, which is {@link top}. */
  at(index: number): Task {
    return this.tasks[index]!;
  }

  has(task: Task): boolean {
    return this.tasks[task.heapIndex] === task;
  }

  push(task: Task, key: number): void {
    this.tasks.push(task);
    this.keys.push(key);
    this.up(this.tasks.length - 1, task, key);
  }

  pop(): Task | undefined {
    const task = this.top;
    if (task !== undefined) this.remove(task);
    return task;
  }

  remove(task: Task): void {
    const { tasks, keys } = this;
    const at = task.heapIndex;
    const last = tasks.pop()!;
    const key = keys.pop()!;
    task.heapIndex = -1;
    if (last === task) return;
    if (at > 0 && this.before(last, key, (at - 1) >> 1)) this.up(at, last, key);
    else this.down(at, last, key);
  }

  private before(task: Task, key: number, at: number): boolean {
    const other = this.keys[at]!;
    return key < other || (key === other && task.arrival < this.tasks[at]!.arrival);
  }

  private put(at: number, task: Task, key: number): void {
    this.tasks[at] = task;
    this.keys[at] = key;
    task.heapIndex = at;
  }

  private up(from: number, task: Task, key: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.before(task, key, parent)) break;
      this.put(at, this.tasks[parent]!, this.keys[parent]!);
      at = parent;
    }
    this.put(at, task, key);
  }

  private down(from: number, task: Task, key: number): void {
    const { tasks, keys } = this;
    const { length } = tasks;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      const right = child + 1;
      if (right < length && this.before(tasks[right]!, keys[right]!, child)) child = right;
      if (this.before(task, key, child)) break;
      this.put(at, tasks[child]!, keys[child]!);
      at = child;
    }
    this.put(at, task, key);
  }
}
