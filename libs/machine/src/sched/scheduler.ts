// Who runs where. Softirq class above fair; among fair tasks no wakeup preemption (equals), round robin by slice.
// Bound tasks wait for their CPU; others go to their last CPU if it is idle, else to an idle one, and an idle CPU
// pulls a waiting one from elsewhere. A task that is alone may run past its slice; it gives way to the next that comes.
//
// A CPU has at most one pending event: the end of a switch or of a burst. Alone on its CPU, a task costs one event per
// burst whatever its length; slices exist only while somebody waits.
import { Cpu, CpuPhase } from './cpu.js';
import type { EventQueue } from '../events/event-queue.js';
import { IdleCpus } from './idle-cpus.js';
import { invariant } from '../invariant.js';
import { TaskTable } from './task-table.js';
import { MIGRATE, PARK, SchedClass, Task, TaskState, YIELD } from './task.js';

export interface SchedulerCosts {
  readonly contextSwitchNs: number;
  readonly schedSliceNs: number;
}

export class Scheduler {
  readonly cpus: Cpu[] = [];
  /** The task whose generator is being resumed. */
  current: Task | undefined;
  liveTasks = 0;
  readonly tasks = new TaskTable();
  private readonly idle: IdleCpus;
  /** Waiting tasks that may move to another CPU. */
  private movable = 0;

  constructor(
    private readonly events: EventQueue,
    cpuCount: number,
    private readonly costs: SchedulerCosts,
  ) {
    for (let index = 0; index < cpuCount; index++) this.cpus.push(new Cpu(index));
    this.idle = new IdleCpus(this.cpus);
  }

  /**
   * Makes a blocked task ready; one that goes about its business remembers the wakeup for its next PARK. A task that was
   * woken and has not acted since gets one wakeup, not two: it has yet to look at what it was woken for, and the second
   * would cut short whatever it waits for next.
   */
  wake(task: Task): void {
    if (task.state === TaskState.Dead) return;
    if (task.state !== TaskState.Blocked) {
      if (!task.parked) task.wakePending = true;
      return;
    }
    task.sleepVersion = (task.sleepVersion + 1) | 0;
    this.enqueue(task, task.pinned ? task.cpu : this.selectCpu(task.cpu));
  }

  /** The event of a task that sleeps; void when it was woken meanwhile. */
  sleepOver(task: Task, version: number): void {
    if (version === task.sleepVersion) this.wake(task);
  }

  /** An idle CPU other than `not`, the nearest above it; undefined when all are busy. */
  findIdle(not: Cpu): Cpu | undefined {
    return this.idle.nearestAbove(not);
  }

  /** Raises a task that runs or waits to another class; takes effect when it next waits for a CPU. */
  setClass(task: Task, schedClass: SchedClass): void {
    invariant(task.state === TaskState.Running || task.state === TaskState.Blocked, 'setClass: task is on a queue');
    task.schedClass = schedClass;
  }

  private selectCpu(previous: Cpu): Cpu {
    return previous.phase === CpuPhase.Idle ? previous : (this.findIdle(previous) ?? previous);
  }

  private enqueue(task: Task, cpu: Cpu): void {
    task.state = TaskState.Ready;
    task.cpu = cpu;
    if (cpu.phase === CpuPhase.Idle) {
      this.switchTo(cpu, task);
      return;
    }
    const current = cpu.current;
    if (task.schedClass === SchedClass.Softirq) {
      if (current !== undefined && current.schedClass === SchedClass.Fair && cpu.phase !== CpuPhase.Acting) {
        this.preempt(cpu);
        this.switchTo(cpu, task);
      } else {
        cpu.softirqQueue.push(task);
      }
      return;
    }
    this.pushFair(cpu, task);
    // The running task had the CPU for itself; from now on it has a slice.
    if (cpu.fairQueue.length === 1 && cpu.phase === CpuPhase.Burst && current!.schedClass === SchedClass.Fair) {
      this.chargeBurst(cpu);
      this.startBurst(cpu);
    }
  }

  private pushFair(cpu: Cpu, task: Task): void {
    cpu.fairQueue.push(task);
    if (!task.pinned) this.movable++;
  }

  /** Puts the current fair task back at the head of its queue, with what is left of its slice. */
  private preempt(cpu: Cpu): void {
    const task = cpu.current!;
    if (cpu.phase === CpuPhase.Burst) this.chargeBurst(cpu);
    else if (cpu.phase === CpuPhase.Switching) this.chargeSwitch(cpu);
    task.sliceUsedNs = Math.max(0, this.events.now - cpu.sliceStartNs);
    task.state = TaskState.Ready;
    cpu.fairQueue.unshift(task);
    if (!task.pinned) this.movable++;
  }

  private chargeBurst(cpu: Cpu): void {
    const ranNs = this.events.now - cpu.burstStartNs;
    const task = cpu.current!;
    task.remainingNs -= ranNs;
    task.cpuTimeNs += ranNs;
    cpu.busyNs += ranNs;
    cpu.burstStartNs = this.events.now;
  }

  private chargeSwitch(cpu: Cpu): void {
    cpu.busyNs += this.events.now - cpu.switchStartNs;
  }

  private switchTo(cpu: Cpu, task: Task): void {
    if (cpu.phase === CpuPhase.Idle) this.idle.remove(cpu);
    // Free: interrupt context, and going on with the fair task that was interrupted.
    const free = task.schedClass === SchedClass.Softirq || (task === cpu.lastFair && !task.wokenUp);
    const costNs = free ? 0 : this.costs.contextSwitchNs;
    cpu.phase = CpuPhase.Switching;
    cpu.current = task;
    task.state = TaskState.Running;
    cpu.switchStartNs = this.events.now;
    cpu.sliceStartNs = this.events.now + costNs - task.sliceUsedNs;
    task.sliceUsedNs = 0;
    this.expectIn(cpu, costNs);
  }

  /** Sets the one event that the CPU waits for; an earlier one becomes void. */
  private expectIn(cpu: Cpu, delayNs: number): void {
    cpu.version = (cpu.version + 1) | 0;
    this.events.push(delayNs, cpu.target, cpu.version);
  }

  /** The event of a CPU. */
  fire(cpu: Cpu, version: number): void {
    if (version !== cpu.version) return;
    const task = cpu.current!;
    if (cpu.phase === CpuPhase.Switching) {
      this.chargeSwitch(cpu);
      if (task.schedClass === SchedClass.Fair) cpu.lastFair = task;
      if (task.wokenUp) {
        task.wokenUp = false;
        task.parked = false;
        task.hooks?.running();
      }
    } else {
      this.chargeBurst(cpu);
    }
    if (task.remainingNs === 0) this.resume(cpu, task);
    else if (cpu.phase === CpuPhase.Switching) this.startBurst(cpu);
    else this.sliceEnd(cpu, task);
  }

  private sliceEnd(cpu: Cpu, task: Task): void {
    // Another CPU may have pulled whoever it was that waited.
    if (cpu.fairQueue.length === 0) {
      this.startBurst(cpu);
      return;
    }
    this.giveWay(cpu, task);
    this.pickNext(cpu);
  }

  /** A running task goes to the back of the queue, or to an idle CPU if it may. */
  private giveWay(cpu: Cpu, task: Task): void {
    const target = task.pinned ? undefined : this.findIdle(cpu);
    task.state = TaskState.Ready;
    if (target !== undefined) this.enqueue(task, target);
    else this.pushFair(cpu, task);
  }

  private startBurst(cpu: Cpu): void {
    const task = cpu.current!;
    let lengthNs = task.remainingNs;
    if (cpu.fairQueue.length > 0 && task.schedClass === SchedClass.Fair) {
      const sliceLeftNs = cpu.sliceStartNs + this.costs.schedSliceNs - this.events.now;
      if (sliceLeftNs < lengthNs) lengthNs = sliceLeftNs > 0 ? sliceLeftNs : 0;
    }
    cpu.phase = CpuPhase.Burst;
    cpu.burstStartNs = this.events.now;
    this.expectIn(cpu, lengthNs);
  }

  private resume(cpu: Cpu, task: Task): void {
    cpu.phase = CpuPhase.Acting;
    this.current = task;
    for (;;) {
      const step = task.body.next();
      if (step.done === true) {
        this.current = undefined;
        this.exit(cpu, task);
        return;
      }
      const request = Math.round(step.value as number);
      if (request > 0) {
        task.remainingNs = request;
        this.current = undefined;
        if (cpu.softirqQueue.length > 0 && task.schedClass === SchedClass.Fair) {
          this.preempt(cpu);
          this.pickNext(cpu);
        } else {
          this.startBurst(cpu);
        }
        return;
      }
      if (request === 0) continue;
      if (request === PARK) {
        if (task.wakePending) {
          task.wakePending = false;
          // A sleep that ends before it began leaves no timer behind.
          task.sleepVersion = (task.sleepVersion + 1) | 0;
          continue;
        }
        this.block(cpu, task);
      } else if (request === YIELD) {
        if (cpu.fairQueue.length === 0 && cpu.softirqQueue.length === 0) continue;
        this.giveWay(cpu, task);
      } else if (request === MIGRATE) {
        if (task.cpu === cpu) continue;
        this.enqueue(task, task.cpu);
      } else {
        invariant(false, `task ${task.name} yielded ${request}`);
      }
      this.current = undefined;
      this.pickNext(cpu);
      return;
    }
  }

  private block(cpu: Cpu, task: Task): void {
    invariant(cpu.current === task, `task ${task.name} blocks on a CPU that it does not have`);
    task.state = TaskState.Blocked;
    task.wokenUp = true;
    task.parked = true;
    task.hooks?.sleeping();
  }

  private exit(cpu: Cpu, task: Task): void {
    task.state = TaskState.Dead;
    this.liveTasks--;
    this.tasks.release(task);
    if (cpu.lastFair === task) cpu.lastFair = undefined;
    this.pickNext(cpu);
  }

  private pickNext(cpu: Cpu): void {
    let next = cpu.softirqQueue.shift();
    if (next === undefined) {
      next = cpu.fairQueue.shift();
      if (next !== undefined && !next.pinned) this.movable--;
    }
    if (next === undefined && this.movable > 0) next = this.pull(cpu);
    if (next !== undefined) {
      next.cpu = cpu;
      this.switchTo(cpu, next);
      return;
    }
    cpu.current = undefined;
    cpu.phase = CpuPhase.Idle;
    cpu.version = (cpu.version + 1) | 0;
    this.idle.add(cpu);
  }

  /** newidle balance: takes a waiting, movable task from the nearest CPU above that has one. */
  private pull(cpu: Cpu): Task | undefined {
    const count = this.cpus.length;
    for (let step = 1; step < count; step++) {
      const from = this.cpus[(cpu.index + step) % count]!;
      for (let i = 0; i < from.fairQueue.length; i++) {
        const task = from.fairQueue.at(i);
        if (task.pinned) continue;
        from.fairQueue.remove(task);
        this.movable--;
        return task;
      }
    }
    return undefined;
  }
}
