// Who waits for which CPU: taking tasks off queues, and finding the next one for a CPU.
import { Bursts } from './bursts.js';
import { type Cpu, CpuPhase } from './cpu.js';
import { Queue, SchedClass, type Task, TaskState } from './task.js';

export abstract class RunQueues extends Bursts {
  /** Whether the task's group keeps it from running here; asks the group for CPU time if need be. */
  protected mustStop(cpu: Cpu, task: Task): boolean {
    const { group } = task;
    if (group === undefined) return false;
    if (!group.throttledOn(cpu)) {
      const { now } = this.events;
      if (now < cpu.grantEndNs) return false;
      const grantNs = group.grant(cpu, now);
      if (grantNs > 0) {
        cpu.grantEndNs = now + grantNs;
        return false;
      }
    }
    cpu.grantEndNs = Infinity;
    return this.stopsHere(task);
  }

  protected stopsHere(task: Task): boolean {
    return task.userMode || !this.throttleAtReturn;
  }

  /** Keeps a task of a throttled group aside. */
  protected hold(cpu: Cpu, task: Task): void {
    task.state = TaskState.Ready;
    task.queue = Queue.Aside;
    cpu.aside.push(task);
    task.group!.taskHeld(cpu);
  }

  /** The current task leaves its CPU, or a waiting one its queue: it is of no class then. */
  protected detach(cpu: Cpu, task: Task, moved: boolean): void {
    const { queue } = task;
    if (queue !== Queue.None) this.takeFrom(queue, cpu, task);
    if (task.runClass !== SchedClass.Fair) return;
    if (queue !== Queue.Aside) {
      if (cpu.phase !== CpuPhase.Acting) this.settle(cpu);
      cpu.fairQueue.leave(task, moved);
    }
    task.group?.taskRemoved(cpu);
    this.balancer.changed();
  }

  private takeFrom(queue: Queue, cpu: Cpu, task: Task): void {
    this.balancer.noLongerWaits(cpu, task);
    task.queue = Queue.None;
    if (queue === Queue.Softirq) cpu.softirqQueue.remove(task);
    else if (queue === Queue.Fifo) cpu.fifoQueue.remove(task);
    else if (queue === Queue.Aside) cpu.aside.splice(cpu.aside.indexOf(task), 1);
    else if (queue === Queue.Interrupted) cpu.interrupted = undefined;
  }

  /** A task under a softirq loses its CPU for good. */
  protected uninterrupt(cpu: Cpu, task: Task): void {
    if (task.queue !== Queue.Interrupted) return;
    task.state = TaskState.Ready;
    cpu.switchCut = false;
    task.watcher?.leftCpu();
  }

  /** Takes a waiting task from another CPU, to run here next. */
  private take(cpu: Cpu, task: Task): Task {
    const from = task.cpu;
    this.uninterrupt(from, task);
    this.detach(from, task, true);
    this.changeCpu(from, task, cpu);
    return task;
  }

  protected changeCpu(from: Cpu, task: Task, to: Cpu): void {
    task.cpu = to;
    task.migratedNs = this.events.now;
    from.fairQueue.handOver(task, to.fairQueue);
    this.probe?.migrate(task, from, to);
  }

  /** Of the FIFO and fair classes. */
  protected next(cpu: Cpu): Task | undefined {
    const { balancer } = this;
    let task: Task | undefined;
    if (balancer.fifoWaiting > 0 || cpu.fifoQueue.length > 0) task = this.nextFifo(cpu);
    if (task === undefined && cpu.fairQueue.length > 0) task = this.nextFair(cpu);
    if (task === undefined && balancer.overloaded.count > 0) task = this.pull(cpu);
    return task;
  }

  private nextFifo(cpu: Cpu): Task | undefined {
    if (this.balancer.fifoWaiting > 0) {
      const better = this.balancer.findFifoFor(cpu, cpu.fifoQueue.priority);
      if (better !== undefined) return this.take(cpu, better);
    }
    if (cpu.fifoQueue.length === 0) return undefined;
    const task = cpu.fifoQueue.shift()!;
    this.balancer.noLongerWaits(cpu, task);
    return task;
  }

  private nextFair(cpu: Cpu): Task | undefined {
    for (let task = cpu.fairQueue.pick(); task !== undefined; task = cpu.fairQueue.pick()) {
      this.balancer.noLongerWaits(cpu, task);
      if (task.group === undefined) return task;
      cpu.grantEndNs = 0;
      if (!this.mustStop(cpu, task)) return task;
      cpu.fairQueue.leave(task, true);
      this.hold(cpu, task);
    }
    return undefined;
  }

  /** newidle_balance() */
  private pull(cpu: Cpu): Task | undefined {
    for (let task = this.balancer.findFor(cpu); task !== undefined; task = this.balancer.findFor(cpu)) {
      this.take(cpu, task);
      if (task.runClass !== SchedClass.Fair) return task;
      task.group?.taskAdded(cpu);
      cpu.grantEndNs = 0;
      if (!this.mustStop(cpu, task)) {
        cpu.fairQueue.begin(task, false);
        return task;
      }
      this.hold(cpu, task);
    }
    return undefined;
  }
}
