// Who gives way to whom: queueing a task, preemption, softirqs, and what comes next on a CPU.
//
// Softirqs interrupt whatever runs, at once, unless bottom halves or interrupts are off there; the interrupted task goes
// on after them without a switch. Everything else waits for a point where the current task may be preempted.
import { type Cpu, CpuPhase } from './cpu.js';
import { RunQueues } from './run-queues.js';
import { Queue, SchedClass, type Task, TaskState } from './task.js';

export abstract class Switching extends RunQueues {
  /** Queues a ready task on a CPU and sees to it that it runs when it is its turn. */
  protected enqueue(cpu: Cpu, task: Task, woken: boolean): void {
    const from = task.cpu;
    task.state = TaskState.Ready;
    task.runClass = task.schedClass;
    if (from !== cpu) {
      this.changeCpu(from, task, cpu);
    }
    if (task.runClass === SchedClass.Fair) this.enqueueFair(cpu, task, woken);
    else if (cpu.phase === CpuPhase.Idle) this.switchTo(cpu, task);
    else if (task.runClass === SchedClass.Fifo) this.enqueueFifo(cpu, task);
    else this.enqueueSoftirq(cpu, task);
  }

  private enqueueSoftirq(cpu: Cpu, task: Task): void {
    cpu.softirqQueue.push(task);
    task.queue = Queue.Softirq;
    if (cpu.phase === CpuPhase.Acting) return;
    const current = cpu.current!;
    const open = current.runClass !== SchedClass.Softirq && current.bhDepth === 0 && current.irqDepth === 0;
    if (open) this.interrupt(cpu);
  }

  private enqueueFifo(cpu: Cpu, task: Task): void {
    cpu.fifoQueue.push(task);
    task.queue = Queue.Fifo;
    this.balancer.waits(cpu, task);
    this.resched(cpu);
  }

  private enqueueFair(cpu: Cpu, task: Task, woken: boolean): void {
    const { fairQueue } = cpu;
    const { group } = task;
    if (group !== undefined) {
      group.taskAdded(cpu);
      if (group.throttledOn(cpu) && this.stopsHere(task)) {
        this.hold(cpu, task);
        return;
      }
    }
    if (cpu.phase === CpuPhase.Idle) {
      if (group !== undefined) {
        cpu.grantEndNs = 0;
        if (this.mustStop(cpu, task)) {
          this.hold(cpu, task);
          return;
        }
      }
      fairQueue.begin(task, woken);
      this.switchTo(cpu, task);
      return;
    }
    this.settle(cpu);
    fairQueue.enqueue(task, woken);
    task.queue = Queue.Fair;
    this.balancer.waits(cpu, task);
    if (fairQueue.preempts(task)) this.resched(cpu);
    // The running task had the CPU for itself; from now on it has a slice.
    else if (cpu.phase === CpuPhase.Burst) this.plan(cpu);
  }

  /** resched_curr(): somebody else should run, at once if the current task may be preempted. */
  protected resched(cpu: Cpu): void {
    cpu.needResched = true;
    if (cpu.phase !== CpuPhase.Burst) return;
    const task = cpu.current!;
    if (!this.preemptible(task)) return;
    this.settle(cpu);
    if (!this.attend(cpu, task, true)) this.plan(cpu);
  }

  /** Whether anything is there that {@link attend} may have to see to. */
  protected isDisturbed(cpu: Cpu, task: Task): boolean {
    return cpu.needResched || cpu.softirqQueue.length > 0 || task.runClass !== task.schedClass;
  }

  /** Gives the CPU to whom it is due, if the current task lets it; true when it has gone to something else. */
  protected attend(cpu: Cpu, task: Task, mayLeave: boolean): boolean {
    if (task.runClass !== task.schedClass && task.preemptDepth === 0) {
      this.changeClass(cpu, task);
      return true;
    }
    if (task.runClass === SchedClass.Softirq) return false;
    if (cpu.softirqQueue.length > 0 && task.bhDepth === 0 && task.irqDepth === 0) {
      this.interrupt(cpu);
      return true;
    }
    if (!cpu.needResched || task.preemptDepth > 0) return false;
    // The stopper of its CPU moves a task that must not be there, wherever it is.
    if (!mayLeave && task.allowedOn(cpu)) return false;
    cpu.needResched = false;
    if (!this.shouldLeave(cpu, task)) return false;
    this.leave(cpu, task);
    this.pickNext(cpu);
    return true;
  }

  /** A softirq that goes on as ksoftirqd, and the like. */
  private changeClass(cpu: Cpu, task: Task): void {
    this.detach(cpu, task, true);
    this.out(cpu, task, TaskState.Ready);
    this.enqueue(task.allowedOn(cpu) ? cpu : this.placement.select(task), task, true);
    this.pickNext(cpu);
  }

  private shouldLeave(cpu: Cpu, task: Task): boolean {
    if (!task.allowedOn(cpu)) return true;
    const fair = task.runClass === SchedClass.Fair;
    if (cpu.fifoQueue.length > 0 && (fair || cpu.fifoQueue.priority > task.rtPriority)) return true;
    return fair && (this.mustStop(cpu, task) || cpu.fairQueue.shouldYield());
  }

  /** The current task waits: elsewhere if an idle CPU will have it, else here. */
  private leave(cpu: Cpu, task: Task): void {
    this.out(cpu, task, TaskState.Ready);
    const fair = task.runClass === SchedClass.Fair;
    const stays = fair && task.allowedOn(cpu);
    if (stays && task.group !== undefined && task.group.throttledOn(cpu) && this.stopsHere(task)) {
      cpu.fairQueue.leave(task, true);
      this.hold(cpu, task);
      return;
    }
    const to = this.placeElsewhere(cpu, task);
    if (to !== undefined) {
      this.detach(cpu, task, true);
      this.enqueue(to, task, false);
      return;
    }
    if (fair) {
      cpu.fairQueue.putBack();
      task.queue = Queue.Fair;
    } else {
      cpu.fifoQueue.unshift(task);
      task.queue = Queue.Fifo;
    }
    this.balancer.waits(cpu, task);
  }

  private placeElsewhere(cpu: Cpu, task: Task): Cpu | undefined {
    const allowed = task.allowedOn(cpu);
    if (allowed && !task.movable) return undefined;
    if (allowed && task.runClass === SchedClass.Fair) return this.placement.idleAbove(cpu, task.affinity);
    const to = this.placement.select(task);
    return to === cpu ? undefined : to;
  }

  /** Moves a task that waits, or that runs and may be preempted; false when it may not. */
  protected move(task: Task, to: Cpu): boolean {
    const from = task.cpu;
    const runs = from.current === task;
    if (runs && (from.phase !== CpuPhase.Burst || !this.preemptible(task))) return false;
    if (task.queue === Queue.Interrupted && !this.preemptible(task)) return false;
    this.uninterrupt(from, task);
    if (runs) this.settle(from);
    if (runs) this.out(from, task, TaskState.Ready);
    this.detach(from, task, true);
    this.enqueue(to, task, false);
    if (runs) this.pickNext(from);
    return true;
  }

  /** Softirqs run on top of the current task. */
  private interrupt(cpu: Cpu): void {
    const task = cpu.current!;
    if (cpu.phase === CpuPhase.Switching) {
      this.chargeSwitch(cpu);
      cpu.switchCut = true;
    } else {
      this.settle(cpu);
    }
    cpu.phase = CpuPhase.Acting;
    cpu.interrupted = task;
    task.queue = Queue.Interrupted;
    this.probe?.switchOut(cpu, task, TaskState.Running);
    this.rates?.switchedOut(cpu, task);
    if (this.preemptible(task)) this.balancer.interrupted(cpu, task);
    this.switchTo(cpu, cpu.softirqQueue.shift()!);
  }

  private resumeInterrupted(cpu: Cpu, task: Task): void {
    cpu.interrupted = undefined;
    this.balancer.noLongerWaits(cpu, task);
    const mustSwitch = cpu.switchCut;
    cpu.switchCut = false;
    this.begin(cpu, task);
    if (mustSwitch) {
      cpu.phase = CpuPhase.Switching;
      this.expectIn(cpu, this.contextSwitchNs);
      return;
    }
    cpu.version = (cpu.version + 1) | 0;
    cpu.eventNs = Infinity;
    if (cpu.needResched && this.preemptible(task) && this.attend(cpu, task, true)) return;
    this.beginBurst(cpu);
    this.plan(cpu);
  }

  /** __schedule(): what comes next on a CPU whose task has left. */
  protected pickNext(cpu: Cpu): void {
    if (cpu.softirqQueue.length > 0) {
      this.switchTo(cpu, cpu.softirqQueue.shift()!);
      return;
    }
    if (cpu.interrupted !== undefined) {
      this.resumeInterrupted(cpu, cpu.interrupted);
      return;
    }
    cpu.needResched = false;
    const next = this.next(cpu);
    if (next !== undefined) {
      this.switchTo(cpu, next);
      return;
    }
    cpu.current = undefined;
    cpu.phase = CpuPhase.Idle;
    this.passQuiescentState(cpu);
    cpu.version = (cpu.version + 1) | 0;
    cpu.eventNs = Infinity;
    this.placement.idle.add(cpu.index);
  }

  private switchTo(cpu: Cpu, task: Task): void {
    let costNs = task.runClass === SchedClass.Softirq ? 0 : this.contextSwitchNs;
    if (cpu.phase === CpuPhase.Idle) {
      this.placement.idle.remove(cpu.index);
      costNs += this.wakeupNs;
    }
    cpu.phase = CpuPhase.Switching;
    this.begin(cpu, task);
    this.expectIn(cpu, costNs);
  }
}
