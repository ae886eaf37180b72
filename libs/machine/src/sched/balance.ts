// Moving tasks that wait: a CPU that falls idle pulls one at once; where CPUs are busy but unequal, a periodic balance moves
// them.
//
// Nothing is polled: the balance has an event pending only while movable tasks wait, and has none once they wait
// as well as they could; it is armed again when something changes. One balance looks at the whole machine, where the
// kernel has one for each CPU and domain.
import { type Cpu, CpuPhase } from './cpu.js';
import { CpuMask } from './cpu-mask.js';
import type { EventQueue } from '../events/event-queue.js';
import type { Placement } from './placement.js';
import { Queue, SchedClass, type Task } from './task.js';

/** sysctl_sched_nr_migrate: waiters of one CPU that a balance looks at. */
const NR_MIGRATE = 32;
/** After so many balances in vain, each of which accepts a worse move, the machine counts as balanced. */
const MAX_FAILED = 2;

export class Balancer {
  /** CPUs with movable waiters. */
  readonly overloaded: CpuMask;
  /** Movable waiters of the FIFO class. */
  fifoWaiting = 0;
  /** Set by the machine: what the event of the balance is addressed to. */
  target = -1;
  private armed = false;
  private failed = 0;
  private intervalNs: number;

  constructor(
    private readonly cpus: readonly Cpu[],
    private readonly placement: Placement,
    private readonly events: EventQueue,
    private readonly minNs: number,
    private readonly maxNs: number,
    /** False when the task runs and may not be preempted. */
    private readonly move: (task: Task, to: Cpu) => boolean,
  ) {
    this.overloaded = new CpuMask(cpus.length);
    this.intervalNs = minNs;
  }

  /** A task waits for `cpu` from now on. */
  waits(cpu: Cpu, task: Task): void {
    if (!task.movable) return;
    this.count(cpu, task);
    this.changed();
  }

  /** A task lies under a softirq: a CPU that falls idle may have it, but no balance is made for it. */
  interrupted(cpu: Cpu, task: Task): void {
    if (task.movable) this.count(cpu, task);
  }

  noLongerWaits(cpu: Cpu, task: Task): void {
    if (!task.counted) return;
    task.counted = false;
    if (task.runClass === SchedClass.Fifo) this.fifoWaiting--;
    if (--cpu.movableWaiting === 0) this.overloaded.remove(cpu.index);
  }

  /** Loads have changed: if somebody waits, perhaps better placement is possible now. */
  changed(): void {
    if (this.armed || this.overloaded.count === 0 || this.cpus.length === 1) return;
    this.armed = true;
    this.failed = 0;
    this.intervalNs = this.minNs;
    this.events.push(this.intervalNs, this.target, 0);
  }

  /** newidle_balance(): a waiting task that may run on `cpu`, of the nearest CPU above that has one. */
  findFor(cpu: Cpu): Task | undefined {
    return this.search(cpu, candidate);
  }

  /** pull_rt_task(): the same for a FIFO task above this priority. */
  findFifoFor(cpu: Cpu, priority: number): Task | undefined {
    return this.search(cpu, (from, to) => {
      const task = fifoCandidate(from, to, priority);
      // One that is more important than what its CPU runs is about to run there.
      const running = from.interrupted ?? from.current;
      const stuck = running !== undefined && running.runClass === SchedClass.Fifo;
      return stuck && task !== undefined && task.rtPriority <= running.rtPriority ? task : undefined;
    });
  }

  /** The event: load_balance(). */
  balance(): void {
    // Still armed: what is moved changes loads, too.
    const moved = this.moveSome();
    this.armed = moved || (this.failed < MAX_FAILED && this.overloaded.count > 0);
    if (!this.armed) return;
    this.failed = moved ? 0 : this.failed + 1;
    this.intervalNs = moved ? this.minNs : Math.min(2 * this.intervalNs, this.maxNs);
    this.events.push(this.intervalNs, this.target, 0);
  }

  private count(cpu: Cpu, task: Task): void {
    task.counted = true;
    if (task.runClass === SchedClass.Fifo) this.fifoWaiting++;
    if (cpu.movableWaiting++ === 0) this.overloaded.add(cpu.index);
  }

  private search(cpu: Cpu, find: (from: Cpu, to: Cpu) => Task | undefined): Task | undefined {
    const { overloaded } = this;
    const first = overloaded.nextFrom(cpu.index + 1);
    let at = first;
    while (at >= 0) {
      const task = find(this.cpus[at]!, cpu);
      if (task !== undefined) return task;
      at = overloaded.nextFrom(at + 1);
      if (at === first) break;
    }
    return undefined;
  }

  private moveSome(): boolean {
    if (this.failed > 0) return this.rotate();
    let moved = false;
    for (const index of this.overloaded) {
      const from = this.cpus[index]!;
      for (let i = 0, looked = 0; i < from.fairQueue.length && looked < NR_MIGRATE; looked++) {
        const task = from.fairQueue.at(i);
        const to = task.counted ? this.betterFor(task, from) : undefined;
        if (to === undefined) i++;
        else moved = this.move(task, to) || moved;
      }
    }
    return moved;
  }

  /**
   * A move that only turns an imbalance around, so that not the same tasks have less for ever: that of the task which has
   * been in its place the longest, also when it runs (active balance).
   */
  private rotate(): boolean {
    let oldest: Task | undefined;
    let target: Cpu | undefined;
    for (const index of this.overloaded) {
      const from = this.cpus[index]!;
      const { current } = from.fairQueue;
      for (let i = -1; i < Math.min(from.fairQueue.length, NR_MIGRATE); i++) {
        const task = i < 0 ? current : from.fairQueue.at(i);
        if (task === undefined || !(i < 0 ? task.movable : task.counted)) continue;
        if (oldest !== undefined && task.migratedNs >= oldest.migratedNs) continue;
        const to = this.betterFor(task, from);
        if (to === undefined) continue;
        oldest = task;
        target = to;
      }
    }
    return oldest !== undefined && this.move(oldest, target!);
  }

  /** A CPU to which moving this task evens out the load (detach_tasks); after balances in vain, less is asked for. */
  private betterFor(task: Task, from: Cpu): Cpu | undefined {
    const to = this.placement.leastLoaded(from, task.affinity, this.cpus.length);
    const imbalance = (from.load - to.load) / 2;
    const willing = imbalance > 0 && task.weight <= imbalance * 2 ** this.failed;
    return willing && !(task.group?.throttledOn(to) ?? false) ? to : undefined;
  }
}

function mayHave(to: Cpu, task: Task): boolean {
  return task.counted && task.allowedOn(to) && !(task.group?.throttledOn(to) ?? false);
}

function fifoCandidate(from: Cpu, to: Cpu, above: number): Task | undefined {
  const { fifoQueue } = from;
  for (let i = 0; i < fifoQueue.length; i++) {
    const task = fifoQueue.at(i);
    if (task.rtPriority > above && mayHave(to, task)) return task;
  }
  return undefined;
}

function candidate(from: Cpu, to: Cpu): Task | undefined {
  const fifo = fifoCandidate(from, to, 0);
  if (fifo !== undefined) return fifo;
  const { fairQueue, interrupted } = from;
  for (let i = 0; i < fairQueue.length; i++) {
    const task = fairQueue.at(i);
    if (mayHave(to, task)) return task;
  }
  const free = interrupted !== undefined && interrupted.queue === Queue.Interrupted && from.phase !== CpuPhase.Idle;
  return free && mayHave(to, interrupted) ? interrupted : undefined;
}
