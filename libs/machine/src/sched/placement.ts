// Which CPU a task is queued on: where it ran last if that is idle, else an idle one that it may use, else the least loaded
// (select_task_rq). Idle CPUs are a bitmap, so that finding one does not depend on how many there are.
import { type Cpu, CpuPhase } from './cpu.js';
import { CpuMask } from './cpu-mask.js';
import { invariant } from '../invariant.js';
import { SchedClass, type Task } from './task.js';

/** As the kernel does, a wakeup looks at so many busy CPUs at most; the balance does the rest. */
const SCAN_LIMIT = 64;

export class Placement {
  readonly idle: CpuMask;

  constructor(private readonly cpus: readonly Cpu[]) {
    this.idle = new CpuMask(cpus.length, cpus.keys());
  }

  /** An idle CPU other than `not`, the nearest above it, around the end; undefined when there is none. */
  idleAbove(not: Cpu, among?: CpuMask): Cpu | undefined {
    const index = this.idle.nextFrom(not.index + 1, among);
    return index < 0 || index === not.index ? undefined : this.cpus[index];
  }

  select(task: Task): Cpu {
    const previous = task.cpu;
    if (task.pinned) return previous;
    const { affinity } = task;
    const mayStay = affinity === undefined || affinity.has(previous.index);
    if (mayStay && previous.phase === CpuPhase.Idle) return previous;
    const idle = this.idleAbove(previous, affinity);
    if (idle !== undefined) return idle;
    const start = mayStay ? previous : this.cpus[affinity.nextFrom(previous.index)]!;
    if (start === undefined) invariant(false, `${task.name} may run nowhere`);
    return task.schedClass === SchedClass.Fifo ? this.lowest(task, start) : this.leastLoaded(start, affinity);
  }

  /** The least loaded of the next CPUs, `start` itself among equals. */
  leastLoaded(start: Cpu, among: CpuMask | undefined, limit = SCAN_LIMIT): Cpu {
    let best = start;
    let { load } = start;
    let cpu = start;
    for (let i = 1; i < limit; i++) {
      cpu = this.next(cpu, among);
      if (cpu === start) break;
      const other = cpu.load;
      if (other >= load) continue;
      load = other;
      best = cpu;
    }
    return best;
  }

  /** find_lowest_rq(): the CPU whose task a FIFO task may preempt, the least important one first. */
  private lowest(task: Task, start: Cpu): Cpu {
    let best = start;
    let priority = fifoPriority(start);
    for (let cpu = this.next(start, task.affinity); cpu !== start; cpu = this.next(cpu, task.affinity)) {
      if (priority === 0) break;
      const other = fifoPriority(cpu);
      if (other >= priority) continue;
      priority = other;
      best = cpu;
    }
    return best;
  }

  private next(cpu: Cpu, among: CpuMask | undefined): Cpu {
    const index = cpu.index + 1;
    if (among !== undefined) return this.cpus[among.nextFrom(index)]!;
    return this.cpus[index === this.cpus.length ? 0 : index]!;
  }
}

/** Of the most important FIFO task that runs or waits on a CPU; 0: none. */
function fifoPriority(cpu: Cpu): number {
  const task = cpu.interrupted ?? cpu.current;
  const running = task !== undefined && task.runClass === SchedClass.Fifo ? task.rtPriority : 0;
  return Math.max(running, cpu.fifoQueue.priority);
}
