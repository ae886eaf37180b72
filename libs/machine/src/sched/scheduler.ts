// Who runs where, as seen by those who wake tasks and change how they are scheduled: nice, class, affinity, group, sections.
// Classes: softirq above FIFO above fair.
import type { BandwidthGroup } from './bandwidth-group.js';
import type { CpuMask } from './cpu-mask.js';
import { type Cpu, CpuPhase } from './cpu.js';
import { Dispatcher } from './dispatch.js';
import { invariant } from '../invariant.js';
import { Queue, SchedClass, type Task, TaskState } from './task.js';
import { weightOf } from './weights.js';

export class Scheduler extends Dispatcher {
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
    const cpu = this.placement.select(task);
    if (this.probe !== undefined) this.probe.wake(task, cpu);
    this.enqueue(cpu, task, true);
  }

  /** The event of a task that sleeps; void when it was woken meanwhile. */
  sleepOver(task: Task, version: number): void {
    if (version === task.sleepVersion) this.wake(task);
  }

  /** An idle CPU other than `not`, the nearest above it; undefined when all are busy. */
  findIdle(not: Cpu): Cpu | undefined {
    return this.placement.idleAbove(not);
  }

  /** Index of the first CPU from `start` on that is not idle; -1 when there is none up to the last. */
  nextBusy(start: number): number {
    return this.placement.idle.nextOutside(start);
  }

  /** Ends the spin (SPIN) of a task, or the next one if it does not spin. */
  endSpin(task: Task): void {
    if (task.state === TaskState.Dead) return;
    if (!task.spinning) {
      task.spinEnded = true;
      return;
    }
    if (this.burns(task)) {
      this.goOnAfter(task, 0);
      return;
    }
    task.spinning = false;
    task.remainingNs = 0;
  }

  /** Whether the task spins on its CPU at this instant, so that {@link endSpinIn} is possible. */
  burns(task: Task): boolean {
    const { cpu } = task;
    return task.spinning && cpu.current === task && cpu.phase === CpuPhase.Burst;
  }

  /** Ends the spin of a task that {@link burns} after `workNs` more: one event for what it sees and what it does then. */
  endSpinIn(task: Task, workNs: number): void {
    if (!this.burns(task)) invariant(false, 'endSpinIn: the task does not spin');
    this.goOnAfter(task, workNs);
  }

  private goOnAfter(task: Task, workNs: number): void {
    const { cpu } = task;
    this.settle(cpu);
    task.spinning = false;
    task.remainingNs = workNs;
    this.plan(cpu);
  }

  /** set_user_nice(); `nice` from -20 to 19. */
  renice(task: Task, nice: number): void {
    const weight = weightOf(nice);
    const later = nice > task.nice;
    task.nice = nice;
    const { cpu, state } = task;
    if (state === TaskState.Dead) return;
    if (task.runClass === SchedClass.Fair) this.settle(cpu);
    cpu.fairQueue.reweigh(task, weight);
    if (task.runClass !== SchedClass.Fair || state === TaskState.Blocked) return;
    if (state === TaskState.Running) {
      if (later) this.resched(cpu);
      else if (cpu.current === task && cpu.phase === CpuPhase.Burst) this.plan(cpu);
    } else if (task.queue === Queue.Fair) {
      if (cpu.fairQueue.preempts(task)) this.resched(cpu);
      else if (cpu.phase === CpuPhase.Burst) this.plan(cpu);
    }
    this.balancer.changed();
  }

  /** sched_setscheduler(): a task that acts or runs takes the class at its next yield, one that waits at once. */
  setClass(task: Task, schedClass: SchedClass, rtPriority = task.rtPriority): void {
    const waits = task.state === TaskState.Ready && task.queue !== Queue.Interrupted;
    const { cpu } = task;
    if (waits) this.detach(cpu, task, true);
    task.schedClass = schedClass;
    task.rtPriority = rtPriority;
    if (waits) this.enqueue(cpu, task, true);
  }

  /**
   * sched_setaffinity(): undefined is everywhere; a task that was bound is bound no more. One that may no longer be where it
   * runs leaves as soon as it may be preempted.
   * @throws InvariantViolation when the mask is empty.
   */
  setAffinity(task: Task, mask: CpuMask | undefined): void {
    invariant(mask === undefined || mask.count > 0, `${task.name}: an affinity without CPUs`);
    const { cpu } = task;
    const waits = task.state === TaskState.Ready && task.queue !== Queue.Aside;
    if (waits) this.detach(cpu, task, true);
    task.pinned = false;
    task.affinity = mask;
    if (waits) this.enqueue(this.placement.select(task), task, false);
    else if (task.queue === Queue.Aside && !task.allowedOn(cpu)) this.move(task, this.placement.select(task));
    else if (task.state === TaskState.Running && !task.allowedOn(cpu)) this.resched(cpu);
  }

  /** Moves a task to another bandwidth group, or out of any. */
  setGroup(task: Task, group: BandwidthGroup | undefined): void {
    const { cpu } = task;
    const runnable = task.runClass === SchedClass.Fair && (task.queue !== Queue.None || task.onCpu);
    const aside = task.queue === Queue.Aside;
    this.settle(cpu);
    if (aside) this.detach(cpu, task, true);
    else if (runnable) task.group?.taskRemoved(cpu);
    task.group = group;
    if (aside) this.enqueue(cpu, task, false);
    else if (runnable) this.groupChanged(cpu, task);
  }

  private groupChanged(cpu: Cpu, task: Task): void {
    task.group?.taskAdded(cpu);
    if (cpu.current !== task) return;
    cpu.grantEndNs = task.group === undefined ? Infinity : 0;
    if (task.group !== undefined) this.resched(cpu);
  }

  /** A group that is throttled on `cpu`: its tasks there stop, and are kept aside. */
  throttle(cpu: Cpu, group: BandwidthGroup): void {
    const { fairQueue } = cpu;
    this.settle(cpu);
    const held: Task[] = [];
    for (let i = 0; i < fairQueue.length; i++) {
      const task = fairQueue.at(i);
      if (task.group !== undefined && task.group.throttledOn(cpu) && this.stopsHere(task)) held.push(task);
    }
    for (const task of held) {
      this.balancer.noLongerWaits(cpu, task);
      fairQueue.leave(task, true);
      this.hold(cpu, task);
    }
    const running = cpu.interrupted ?? cpu.current;
    if (running?.group !== undefined && group.throttledOn(cpu)) this.resched(cpu);
  }

  /** A group may run on `cpu` again: its tasks come back, and those of groups below it that no longer are throttled. */
  unthrottle(cpu: Cpu, _group: BandwidthGroup): void {
    if (cpu.current?.group !== undefined && cpu.grantEndNs === Infinity) {
      // It went on in the kernel.
      cpu.grantEndNs = 0;
      this.resched(cpu);
    }
    if (cpu.aside.length === 0) return;
    const back = cpu.aside.filter((task) => !task.group!.throttledOn(cpu));
    for (const task of back) {
      this.detach(cpu, task, true);
      this.enqueue(cpu, task, false);
    }
  }

  /** What a group granted on `cpu` holds no more: its running task asks again as soon as it may be preempted. */
  regrant(cpu: Cpu): void {
    const running = cpu.interrupted ?? cpu.current;
    if (running?.group === undefined) return;
    cpu.grantEndNs = this.events.now;
    this.resched(cpu);
  }

  /**
   * The current task returns to user mode, or enters the kernel. Return is a point where every kernel preempts, at its next
   * yield.
   */
  setUserMode(task: Task, userMode: boolean): void {
    task.userMode = userMode;
    const { cpu } = task;
    if (!userMode || task.state !== TaskState.Running || cpu.current !== task) return;
    this.noteCondResched(cpu);
    if (task.group?.throttledOn(cpu) ?? false) cpu.needResched = true;
    if (cpu.phase !== CpuPhase.Burst) return;
    if (cpu.needResched) this.resched(cpu);
    else this.plan(cpu);
  }

  preemptDisable(task: Task): void {
    task.preemptDepth++;
  }

  preemptEnable(task: Task): void {
    if (task.preemptDepth <= task.bhDepth + task.irqDepth) {
      invariant(false, `${task.name}: preemption enabled more than disabled`);
    }
    task.preemptDepth--;
  }

  /** Keeps softirqs off the CPU, and everybody else. */
  localBhDisable(task: Task): void {
    task.bhDepth++;
    task.preemptDepth++;
  }

  localBhEnable(task: Task): void {
    if (task.bhDepth === 0) invariant(false, `${task.name}: bottom halves enabled more than disabled`);
    task.bhDepth--;
    task.preemptDepth--;
  }

  localIrqDisable(task: Task): void {
    task.irqDepth++;
    task.preemptDepth++;
  }

  localIrqEnable(task: Task): void {
    if (task.irqDepth === 0) invariant(false, `${task.name}: interrupts enabled more than disabled`);
    task.irqDepth--;
    task.preemptDepth--;
  }

  /** How much work `cpu` does per ns from now on; above 0. */
  setRate(cpu: Cpu, rate: number): void {
    if (rate === cpu.rate) return;
    if (!(rate > 0 && rate < Infinity)) invariant(false, `CPU ${cpu.index}: a rate of ${rate}`);
    if (cpu.phase !== CpuPhase.Burst) {
      cpu.rate = rate;
      return;
    }
    this.settle(cpu);
    cpu.rate = rate;
    this.plan(cpu);
  }

  /** Charges the burst under way and plans its end anew. */
  retime(cpu: Cpu): void {
    if (cpu.phase !== CpuPhase.Burst) return;
    this.settle(cpu);
    this.plan(cpu);
  }
}
