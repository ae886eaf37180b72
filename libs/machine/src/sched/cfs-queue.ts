// The completely fair scheduler (kernel/sched/fair.c before 6.6), without its buddies.
//
// The smallest virtual runtime runs. In a latency target every waiter has its turn, by weight, but none for less than the
// minimum granularity. A task that slept comes back half a latency target behind the others at most, a new one a
// slice ahead of them; one that is woken preempts when it is behind by more than the wakeup granularity.
import type { FairQueue } from './fair-queue.js';
import { TaskHeap } from './task-heap.js';
import type { Task } from './task.js';
import { Weight } from './weights.js';

/** sched_nr_latency: so many tasks fit into the latency target. */
const TASKS_IN_LATENCY = 8;
const ROUNDING_NS = 0.5;

export class CfsQueue implements FairQueue {
  current: Task | undefined = undefined;
  load = 0;
  length = 0;
  private readonly waiters = new TaskHeap();
  private arrivals = 0;
  /** min_vruntime: never goes back. */
  private minNs = 0;
  /** What the current task has had since it was picked. */
  private ranNs = 0;
  private readonly latencyNs: number;
  private readonly wakeupGranularityNs: number;

  /** @param minGranularityNs 3 ms on 8 CPUs; the latency target is 8 of them, the wakeup granularity 4/3. */
  constructor(private readonly minGranularityNs: number) {
    this.latencyNs = TASKS_IN_LATENCY * minGranularityNs;
    this.wakeupGranularityNs = (4 / 3) * minGranularityNs;
  }

  at(index: number): Task {
    return this.waiters.at(index);
  }

  enqueue(task: Task, woken: boolean): void {
    this.load += task.weight;
    this.place(task, woken);
    this.wait(task);
  }

  begin(task: Task, woken: boolean): void {
    this.load += task.weight;
    this.place(task, woken);
    this.setCurrent(task);
  }

  pick(): Task | undefined {
    const task = this.waiters.pop();
    if (task !== undefined) this.length--;
    this.setCurrent(task);
    return task;
  }

  putBack(): void {
    const task = this.current!;
    this.current = undefined;
    this.wait(task);
  }

  leave(task: Task): void {
    this.load -= task.weight;
    if (task === this.current) this.current = undefined;
    else this.takeOut(task);
    this.advance();
  }

  handOver(task: Task, to: this): void {
    task.vruntime += to.minNs - this.minNs;
  }

  charge(ranNs: number): void {
    const task = this.current!;
    task.vruntime += (ranNs * Weight.Nice0) / task.weight;
    this.ranNs += ranNs;
    this.advance();
  }

  /** check_preempt_tick(), without the tick. */
  sliceLeftNs(): number {
    const task = this.current!;
    const idealNs = this.slice(task);
    let leftNs = idealNs - this.ranNs;
    const first = this.waiters.top;
    if (first !== undefined) {
      const aheadNs = task.vruntime - first.vruntime;
      const untilFarAheadNs = ((idealNs - aheadNs) * task.weight) / Weight.Nice0;
      leftNs = Math.min(leftNs, Math.max(this.minGranularityNs - this.ranNs, untilFarAheadNs));
    }
    return leftNs < ROUNDING_NS ? 0 : Math.ceil(leftNs - 1e-3);
  }

  sliceOver(): boolean {
    return this.sliceLeftNs() === 0;
  }

  shouldYield(): boolean {
    const task = this.current!;
    const over = this.sliceOver();
    if (over) this.ranNs = 0;
    const first = this.waiters.top;
    if (first === undefined) return false;
    return first.vruntime < task.vruntime || (over && first.vruntime === task.vruntime);
  }

  /** wakeup_preempt_entity() */
  preempts(task: Task): boolean {
    const { current } = this;
    if (current === undefined) return false;
    return current.vruntime - task.vruntime > (this.wakeupGranularityNs * Weight.Nice0) / task.weight;
  }

  reweigh(task: Task, weight: number): void {
    if (task === this.current || task.heapIndex >= 0) this.load += weight - task.weight;
    task.weight = weight;
  }

  /** place_entity() */
  private place(task: Task, woken: boolean): void {
    if (task.fresh) {
      // START_DEBIT: sched_vslice()
      task.vruntime = this.minNs + (this.slice(task) * Weight.Nice0) / task.weight;
      task.fresh = false;
    } else if (woken) {
      // GENTLE_FAIR_SLEEPERS
      task.vruntime = Math.max(task.vruntime, this.minNs - this.latencyNs / 2);
    }
  }

  /** sched_slice(): the share of a period in which everybody has a turn; `task` counts in the load. */
  private slice(task: Task): number {
    const joining = task !== this.current && task.heapIndex < 0 ? 1 : 0;
    const tasks = this.length + joining + (this.current === undefined ? 0 : 1);
    const periodNs = tasks > TASKS_IN_LATENCY ? tasks * this.minGranularityNs : this.latencyNs;
    return Math.max(this.minGranularityNs, (periodNs * task.weight) / this.load);
  }

  private setCurrent(task: Task | undefined): void {
    this.current = task;
    this.ranNs = 0;
  }

  private takeOut(task: Task): void {
    this.length--;
    this.waiters.remove(task);
  }

  private wait(task: Task): void {
    this.length++;
    task.arrival = this.arrivals++;
    this.waiters.push(task, task.vruntime);
  }

  /** update_min_vruntime() */
  private advance(): void {
    const first = this.waiters.top;
    let least = this.current === undefined ? Infinity : this.current.vruntime;
    if (first !== undefined && first.vruntime < least) least = first.vruntime;
    if (least < Infinity && least > this.minNs) this.minNs = least;
  }
}
