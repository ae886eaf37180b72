// Earliest eligible virtual deadline first (kernel/sched/fair.c from 6.6 on).
//
// A task's virtual runtime grows by ran * 1024 / weight. Its lag is the weighted average V of all runnable tasks minus its
// own; the weighted lags of all sum up to 0. With a lag of at least 0 it is eligible: it has not had more than its
// share. Of the eligible ones the earliest deadline runs (pick_eevdf), a deadline being one slice of virtual time from
// where it was set. A task that leaves keeps its lag, within bounds, and comes back with it (PLACE_LAG).
//
// Waiters are in two heaps: by deadline those that were eligible when last looked at, by virtual runtime those that were
// not. V moves, so that the tops are looked at again whenever somebody is to be picked.
import { ZERO } from '../double.js';
import type { FairQueue } from './fair-queue.js';
import { TaskHeap } from './task-heap.js';
import type { Task } from './task.js';
import { Weight } from './weights.js';

/** Beyond this distance the average is taken as the new zero, so that sums stay small and exact. */
const REBASE_NS = 1e9;
/** What is less of a slice than this is a rounding error. */
const ROUNDING_NS = 0.5;

export class EevdfQueue implements FairQueue {
  current: Task | undefined = undefined;
  load = 0;
  length = 0;
  private readonly eligible = new TaskHeap();
  private readonly later = new TaskHeap();
  private arrivals = 0;
  /** V is zeroNs + weighted / load; `weighted` sums weight * (vruntime - zeroNs). */
  private zeroNs = ZERO;
  private weighted = ZERO;
  /** REBASE_NS, from the first rebase on. */
  private rebaseNs = ZERO;

  constructor(
    private readonly sliceNs: number,
    private readonly tickNs: number,
  ) {}

  /** avg_vruntime() */
  get averageNs(): number {
    return this.load === 0 ? this.zeroNs : this.zeroNs + this.weighted / this.load;
  }

  at(index: number): Task {
    const { eligible } = this;
    return index < eligible.length ? eligible.at(index) : this.later.at(index - eligible.length);
  }

  enqueue(task: Task): void {
    this.place(task);
    this.join(task);
    this.wait(task);
  }

  begin(task: Task): void {
    this.current = task;
    if (this.load > 0) {
      this.place(task);
      this.join(task);
      return;
    }
    // Alone, a task is the average: the same without sums.
    task.vruntime = this.zeroNs;
    task.deadline = task.vruntime + this.firstSlice(task);
    this.load = task.weight;
    this.weighted = 0;
  }

  pick(): Task | undefined {
    let task = this.best();
    if (task === undefined) {
      // Somebody always is eligible; when rounding says otherwise, it is the one that is furthest behind.
      task = this.later.pop();
    } else {
      this.eligible.remove(task);
    }
    if (task !== undefined) this.length--;
    this.current = task;
    return task;
  }

  putBack(): void {
    const task = this.current!;
    this.current = undefined;
    this.wait(task);
  }

  leave(task: Task, moved: boolean): void {
    if (task === this.current && this.load === task.weight) {
      this.leaveAlone(task, moved);
      return;
    }
    const lag = this.averageNs - task.vruntime;
    // update_entity_lag(): neither hoards nor owes more than about two slices.
    const limit = (Math.max(2 * this.sliceNs, this.tickNs) * Weight.Nice0) / task.weight;
    task.lag = lag > limit ? limit : lag < -limit ? -limit : lag;
    const left = task.deadline - task.vruntime;
    task.deadline = moved && left > 0 ? left : 0;
    if (task === this.current) this.current = undefined;
    else this.takeOut(task);
    this.part(task);
  }

  handOver(): void {}

  charge(ranNs: number): void {
    const task = this.current!;
    const scaled = ranNs * Weight.Nice0;
    // Exactly what the division gives at nice 0.
    task.vruntime += task.weight === Weight.Nice0 ? ranNs : scaled / task.weight;
    this.weighted += scaled;
    if (this.weighted > this.load * this.rebaseNs) this.rebase();
  }

  sliceLeftNs(): number {
    const task = this.current!;
    const leftNs = ((task.deadline - task.vruntime) * task.weight) / Weight.Nice0;
    return leftNs < ROUNDING_NS ? 0 : Math.ceil(leftNs - 1e-3);
  }

  sliceOver(): boolean {
    return this.sliceLeftNs() === 0;
  }

  shouldYield(): boolean {
    const task = this.current!;
    const renewed = this.sliceOver();
    // update_deadline()
    if (renewed) task.deadline = task.vruntime + this.virtualSlice(task);
    const best = this.best();
    if (best === undefined) return false;
    if (!this.isEligible(task)) return true;
    return best.deadline < task.deadline || (renewed && best.deadline === task.deadline);
  }

  preempts(task: Task): boolean {
    const { current } = this;
    return current !== undefined && task.deadline < current.deadline && this.isEligible(task);
  }

  reweigh(task: Task, weight: number): void {
    const ratio = task.weight / weight;
    const running = task === this.current;
    if (!running && task.heapIndex < 0) {
      task.lag *= ratio;
      task.deadline *= ratio;
      task.weight = weight;
      return;
    }
    // reweight_entity(): the weighted lag stays, so the average does.
    const averageNs = this.averageNs;
    const left = (task.deadline - task.vruntime) * ratio;
    if (!running) this.takeOut(task);
    this.part(task);
    task.vruntime = averageNs - (averageNs - task.vruntime) * ratio;
    task.deadline = task.vruntime + left;
    task.weight = weight;
    this.join(task);
    if (!running) this.wait(task);
  }

  /** place_entity() */
  private place(task: Task): void {
    const { load } = this;
    // The newcomer moves the average towards itself; it shall have its lag after that.
    const lag = load === 0 ? 0 : (task.lag * (load + task.weight)) / load;
    task.vruntime = this.averageNs - lag;
    task.deadline = task.vruntime + this.firstSlice(task);
  }

  /** Virtual time that a task which is placed has until its deadline. */
  private firstSlice(task: Task): number {
    // PLACE_REL_DEADLINE: one that was moved goes on with its slice.
    if (task.deadline > 0) return task.deadline;
    const slice = this.virtualSlice(task);
    if (!task.fresh) return slice;
    // PLACE_DEADLINE_INITIAL: newcomers get to run soon.
    task.fresh = false;
    return slice / 2;
  }

  private leaveAlone(task: Task, moved: boolean): void {
    const left = task.deadline - task.vruntime;
    task.lag = 0;
    task.deadline = moved && left > 0 ? left : 0;
    this.zeroNs = task.vruntime;
    this.load = 0;
    this.weighted = 0;
    this.current = undefined;
  }

  private virtualSlice(task: Task): number {
    return task.weight === Weight.Nice0 ? this.sliceNs : (this.sliceNs * Weight.Nice0) / task.weight;
  }

  private wait(task: Task): void {
    this.length++;
    task.arrival = this.arrivals++;
    if (this.isEligible(task)) this.eligible.push(task, task.deadline);
    else this.later.push(task, task.vruntime);
  }

  /** vruntime_eligible() */
  private isEligible(task: Task): boolean {
    return (task.vruntime - this.zeroNs) * this.load <= this.weighted;
  }

  private takeOut(task: Task): void {
    this.length--;
    (this.eligible.has(task) ? this.eligible : this.later).remove(task);
  }

  /** The eligible waiter with the earliest deadline. */
  private best(): Task | undefined {
    const { eligible, later } = this;
    for (let task = later.top; task !== undefined && this.isEligible(task); task = later.top) {
      later.pop();
      eligible.push(task, task.deadline);
    }
    for (let task = eligible.top; task !== undefined; task = eligible.top) {
      if (this.isEligible(task)) return task;
      eligible.pop();
      later.push(task, task.vruntime);
    }
    return undefined;
  }

  private join(task: Task): void {
    this.load += task.weight;
    this.weighted += task.weight * (task.vruntime - this.zeroNs);
  }

  private part(task: Task): void {
    const averageNs = this.averageNs;
    this.load -= task.weight;
    this.weighted -= task.weight * (task.vruntime - this.zeroNs);
    if (this.load > 0) return;
    this.zeroNs = averageNs;
    this.weighted = 0;
  }

  /**
   * The first time comes right away and changes nothing. When code that had never run runs for the first time, V8 throws away
   * the whole event loop that it had compiled around it; here that would be after a second of virtual time.
   */
  private rebase(): void {
    const { load, weighted } = this;
    const averageNs = weighted / load;
    const byNs = weighted > load * REBASE_NS ? averageNs : ZERO;
    this.rebaseNs = REBASE_NS;
    this.zeroNs += byNs;
    this.weighted = weighted - byNs * load;
  }
}
