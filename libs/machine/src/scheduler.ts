// Who runs where. Softirq class above fair; among fair tasks no wakeup preemption (equals), round robin by slice.
// Bound tasks wait for their CPU; others go to their last CPU if it is idle, else to an idle one, and an idle CPU
// pulls a waiting one from elsewhere.
//
// A CPU has at most one pending event: the end of a switch or of a burst. Alone on its CPU, a task costs one event per
// burst whatever its length; slices exist only while somebody waits.
import { Cpu, CpuPhase } from './cpu.js';
import type { EventQueue } from './event-queue.js';
import { invariant } from './invariant.js';
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
  private readonly idle: Uint32Array;
  private idleCount: number;
  /** Waiting tasks that may move to another CPU. */
  private movable = 0;

  constructor(
    private readonly events: EventQueue,
    cpuCount: number,
    private readonly costs: SchedulerCosts,
    addActor: (fire: (version: number) => void) => number,
  ) {
    for (let index = 0; index < cpuCount; index++) {
      const cpu: Cpu = new Cpu(
        index,
        addActor((version) => this.fire(cpu, version)),
      );
      this.cpus.push(cpu);
    }
    this.idle = new Uint32Array((cpuCount + 31) >> 5);
    for (let index = 0; index < cpuCount; index++) this.idle[index >> 5]! |= 1 << (index & 31);
    this.idleCount = cpuCount;
  }

  /** Makes a blocked task ready; for any other, remembers the wakeup for its next PARK. */
  wake(task: Task): void {
    if (task.state === TaskState.Dead) return;
    if (task.state !== TaskState.Blocked) {
      task.wakePending = true;
      return;
    }
    task.sleepVersion++;
    this.enqueue(task, task.pinned ? task.cpu : this.selectCpu(task.cpu));
  }

  /** An idle CPU other than `not`, the nearest above it; undefined when all are busy. */
  findIdle(not: Cpu): Cpu | undefined {
    if (this.idleCount === 0) return undefined;
    const words = this.idle.length;
    const start = not.index + 1;
    for (let step = 0; step <= words; step++) {
      const word = ((start >> 5) + step) % words;
      let bits = this.idle[word]!;
      if (step === 0) bits &= -1 << (start & 31);
      if (word === not.index >> 5) bits &= ~(1 << (not.index & 31));
      if (bits !== 0) return this.cpus[(word << 5) + (31 - Math.clz32(bits & -bits))];
    }
    return undefined;
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

  /** Puts the current fair task back at the head of its queue. */
  private preempt(cpu: Cpu): void {
    const task = cpu.current!;
    if (cpu.phase === CpuPhase.Burst) this.chargeBurst(cpu);
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

  private switchTo(cpu: Cpu, task: Task): void {
    if (cpu.phase === CpuPhase.Idle) {
      this.idle[cpu.index >> 5]! &= ~(1 << (cpu.index & 31));
      this.idleCount--;
    }
    const free = task.schedClass === SchedClass.Softirq || task === cpu.lastFair;
    const costNs = free && !task.wokenUp ? 0 : task.schedClass === SchedClass.Softirq ? 0 : this.costs.contextSwitchNs;
    cpu.phase = CpuPhase.Switching;
    cpu.current = task;
    task.state = TaskState.Running;
    cpu.busyNs += costNs;
    cpu.sliceStartNs = this.events.now + costNs;
    this.events.push(costNs, cpu.actorId, ++cpu.version);
  }

  private fire(cpu: Cpu, version: number): void {
    if (version !== cpu.version) return;
    const task = cpu.current!;
    if (cpu.phase === CpuPhase.Switching) {
      if (task.schedClass === SchedClass.Fair) cpu.lastFair = task;
      if (task.wokenUp) {
        task.wokenUp = false;
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
    this.events.push(lengthNs, cpu.actorId, ++cpu.version);
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
      const request = step.value;
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
    task.hooks?.sleeping();
  }

  private exit(cpu: Cpu, task: Task): void {
    task.state = TaskState.Dead;
    this.liveTasks--;
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
    cpu.version++;
    this.idle[cpu.index >> 5]! |= 1 << (cpu.index & 31);
    this.idleCount++;
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
