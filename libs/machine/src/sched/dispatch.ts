// The steps of task bodies: what a CPU's event leads to, until its task wants CPU time or leaves.
import { type Cpu, CpuPhase } from './cpu.js';
import { invariant } from '../invariant.js';
import { Switching } from './switching.js';
import { Request, SchedClass, type Task, type TaskSteps, TaskState } from './task.js';

function nextOf(body: TaskSteps): number {
  const step = body.next();
  return step.done === true ? Request.Done : (step.value as number);
}

export abstract class Dispatcher extends Switching {
  /** The task whose body is being resumed. */
  current: Task | undefined = undefined;
  liveTasks = 0;

  /** The event of a CPU. */
  fire(cpu: Cpu, version: number): void {
    if (version !== cpu.version) return;
    cpu.eventNs = Infinity;
    const task = cpu.current!;
    if (cpu.phase === CpuPhase.Switching) this.switchedIn(cpu, task);
    else this.settle(cpu);
    if (cpu.fairQueue.length > 0 || task.group !== undefined) this.checkSlice(cpu, task);
    if (task.remainingNs === 0) this.resume(cpu, task);
    else if (!cpu.needResched || !this.preemptible(task) || !this.attend(cpu, task, true)) this.plan(cpu);
  }

  private switchedIn(cpu: Cpu, task: Task): void {
    this.chargeSwitch(cpu);
    if (task.wokenUp) {
      cpu.phase = CpuPhase.Acting;
      task.wokenUp = false;
      task.parked = false;
      task.hooks?.running();
    }
    this.beginBurst(cpu);
  }

  private checkSlice(cpu: Cpu, task: Task): void {
    if (task.runClass !== SchedClass.Fair) return;
    if (cpu.fairQueue.length > 0 && cpu.fairQueue.sliceOver()) cpu.needResched = true;
    if (task.group !== undefined && this.events.now >= cpu.grantEndNs) cpu.needResched = true;
  }

  /** Lets a task act, until it wants CPU time or leaves. */
  private resume(cpu: Cpu, task: Task): void {
    cpu.phase = CpuPhase.Acting;
    this.current = task;
    const { routine } = task;
    for (;;) {
      let request = routine === undefined ? nextOf(task.body) : routine.advance();
      // Most are small integers, and Math.round() is slow on what it need not change.
      if (request !== (request | 0)) request = Math.round(request);
      if (request === 0) continue;
      if (request > 0 ? this.wantsCpu(cpu, task, request) : this.isDone(cpu, task, request)) return;
    }
  }

  private wantsCpu(cpu: Cpu, task: Task, workNs: number): true {
    if (workNs === Infinity) invariant(false, `task ${task.name} yielded ${workNs}`);
    task.remainingNs = workNs;
    if (this.voluntary && task.preemptDepth === 0) this.noteCondResched(cpu);
    if (cpu.rate !== 1 || cpu.fairQueue.length > 0 || task.group !== undefined || this.isDisturbed(cpu, task)) {
      this.startBurst(cpu, task);
      return true;
    }
    // Alone and at full speed: nothing comes before the end of the burst.
    this.current = undefined;
    this.beginBurst(cpu);
    this.expectIn(cpu, workNs);
    return true;
  }

  private startBurst(cpu: Cpu, task: Task): void {
    this.current = undefined;
    if (this.isDisturbed(cpu, task) && this.attend(cpu, task, task.userMode || this.voluntary)) return;
    this.beginBurst(cpu);
    this.plan(cpu);
  }

  /** Does what is no burst; false when the task goes on at once. */
  private isDone(cpu: Cpu, task: Task, request: number): boolean {
    switch (request) {
      case Request.Park:
        return this.park(cpu, task);
      case Request.Spin:
        if (task.spinEnded) {
          task.spinEnded = false;
          return false;
        }
        task.spinning = true;
        task.remainingNs = Infinity;
        this.startBurst(cpu, task);
        return true;
      case Request.Yield:
        this.mustNotBeAtomic(task);
        this.noteCondResched(cpu);
        if (!this.isDisturbed(cpu, task)) return false;
        this.current = undefined;
        if (this.attend(cpu, task, true)) return true;
        this.current = task;
        return false;
      case Request.Migrate:
        return this.migrate(cpu, task);
      case Request.Done:
        this.current = undefined;
        this.exit(cpu, task);
        return true;
      default:
        return invariant(false, `task ${task.name} yielded ${request}`) as never;
    }
  }

  private park(cpu: Cpu, task: Task): boolean {
    if (task.wakePending) {
      task.wakePending = false;
      // A sleep that ends before it began leaves no timer behind.
      task.sleepVersion = (task.sleepVersion + 1) | 0;
      return false;
    }
    this.mustNotBeAtomic(task);
    task.wokenUp = true;
    task.parked = true;
    task.hooks?.sleeping();
    this.current = undefined;
    this.detach(cpu, task, false);
    this.out(cpu, task, TaskState.Blocked);
    this.pickNext(cpu);
    return true;
  }

  private migrate(cpu: Cpu, task: Task): boolean {
    const to = task.cpu;
    if (to === cpu) return false;
    this.mustNotBeAtomic(task);
    const { affinity } = task;
    if (affinity !== undefined && !affinity.has(to.index)) {
      invariant(false, `${task.name} must not run on CPU ${to.index}`);
    }
    task.cpu = cpu;
    this.current = undefined;
    this.detach(cpu, task, true);
    this.out(cpu, task, TaskState.Ready);
    // A task that is bound is bound to its new CPU.
    this.enqueue(to, task, false);
    this.pickNext(cpu);
    return true;
  }

  private exit(cpu: Cpu, task: Task): void {
    this.mustNotBeAtomic(task);
    this.detach(cpu, task, false);
    this.liveTasks--;
    this.tasks.release(task);
    this.out(cpu, task, TaskState.Dead);
    this.pickNext(cpu);
  }

  private mustNotBeAtomic(task: Task): void {
    if (task.preemptDepth > 0) invariant(false, `scheduling while atomic: ${task.name}`);
  }
}
