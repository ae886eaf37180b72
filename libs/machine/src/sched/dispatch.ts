// What a CPU does next: switching, bursts, the steps of task bodies, preemption.
//
// - A CPU has at most one event that counts: the end of a switch or of a burst. Alone on its CPU, a task costs one event
//   per burst whatever its length; slices exist only while somebody waits. An event may come early (the CPU has become
//   slower since): then the burst goes on.
// - Softirqs interrupt whatever runs, at once, unless bottom halves or interrupts are off there; the interrupted
//   task goes on after them without a switch. Everything else waits for a point where the current task may be preempted.
// - Charging comes first: whatever reads or changes virtual times brings those of the running task up to date.
import { Balancer } from './balance.js';
import { Cpu, CpuPhase } from './cpu.js';
import type { EventQueue } from '../events/event-queue.js';
import { invariant } from '../invariant.js';
import { Placement } from './placement.js';
import type { SchedProbe } from './probe.js';
import type { RateModel } from './rate-model.js';
import { newFairQueue, type Preemption, type SchedulerConfig, sliceNsOf } from './scheduler-config.js';
import { MIGRATE, PARK, Queue, SchedClass, SPIN, type Task, TaskState, YIELD } from './task.js';
import { TaskTable } from './task-table.js';

/** Work that is less than this is a rounding error. */
const ROUNDING = 1e-5;

export abstract class Dispatcher {
  readonly cpus: Cpu[] = [];
  /** The task whose body is being resumed. */
  current: Task | undefined;
  liveTasks = 0;
  readonly tasks = new TaskTable();
  rates: RateModel | undefined;
  probe: SchedProbe | undefined;
  readonly sliceNs: number;
  readonly balancer: Balancer;
  protected readonly placement: Placement;
  private readonly contextSwitchNs: number;
  private readonly wakeupNs: number;
  readonly preemption: Preemption;
  /** Kernel code may be preempted anywhere; or between two bursts. */
  private readonly full: boolean;
  private readonly voluntary: boolean;
  private readonly throttleAtReturn: boolean;

  constructor(
    protected readonly events: EventQueue,
    cpuCount: number,
    config: SchedulerConfig,
    tickNs: number,
  ) {
    this.sliceNs = sliceNsOf(config, cpuCount);
    this.contextSwitchNs = Math.round(config.contextSwitchNs);
    this.wakeupNs = Math.round(config.wakeupNs ?? 0);
    this.preemption = config.preemption ?? 'full';
    this.full = this.preemption === 'full';
    this.voluntary = this.preemption !== 'none';
    this.throttleAtReturn = config.throttleAt === 'userReturn';
    for (let index = 0; index < cpuCount; index++) {
      this.cpus.push(new Cpu(index, newFairQueue(config, this.sliceNs, tickNs)));
    }
    this.placement = new Placement(this.cpus);
    const [minNs, maxNs] = [config.balanceMinNs ?? 4e6, config.balanceMaxNs ?? 64e6];
    this.balancer = new Balancer(this.cpus, this.placement, events, minNs, maxNs, (task, to) => this.move(task, to));
  }

  /** The event of a CPU. */
  fire(cpu: Cpu, version: number): void {
    if (version !== cpu.version) return;
    cpu.eventNs = Infinity;
    const task = cpu.current!;
    if (cpu.phase === CpuPhase.Switching) this.switchedIn(cpu, task);
    else this.settle(cpu);
    if (task.runClass === SchedClass.Fair) this.checkSlice(cpu, task);
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
    cpu.phase = CpuPhase.Burst;
    cpu.burstStartNs = this.events.now;
  }

  private checkSlice(cpu: Cpu, task: Task): void {
    if (cpu.fairQueue.length > 0 && cpu.fairQueue.sliceOver()) cpu.needResched = true;
    if (task.group !== undefined && this.events.now >= cpu.grantEndNs) cpu.needResched = true;
  }

  /** Lets a task act, until it wants CPU time or leaves. */
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
      if (request === 0) continue;
      if (request > 0 ? this.wantsCpu(cpu, task, request) : this.isDone(cpu, task, request)) return;
    }
  }

  private wantsCpu(cpu: Cpu, task: Task, workNs: number): true {
    invariant(workNs < Infinity, `task ${task.name} yielded ${workNs}`);
    task.remainingNs = workNs;
    if (this.voluntary && task.preemptDepth === 0) this.noteCondResched(cpu);
    this.startBurst(cpu, task);
    return true;
  }

  private startBurst(cpu: Cpu, task: Task): void {
    this.current = undefined;
    if (this.isDisturbed(cpu, task) && this.attend(cpu, task, task.userMode || this.voluntary)) return;
    cpu.phase = CpuPhase.Burst;
    cpu.burstStartNs = this.events.now;
    this.plan(cpu);
  }

  /** Does what is no burst; false when the task goes on at once. */
  private isDone(cpu: Cpu, task: Task, request: number): boolean {
    switch (request) {
      case PARK:
        return this.park(cpu, task);
      case SPIN:
        if (task.spinEnded) {
          task.spinEnded = false;
          return false;
        }
        task.spinning = true;
        task.remainingNs = Infinity;
        this.startBurst(cpu, task);
        return true;
      case YIELD:
        this.mustNotBeAtomic(task);
        this.noteCondResched(cpu);
        if (!this.isDisturbed(cpu, task)) return false;
        this.current = undefined;
        if (this.attend(cpu, task, true)) return true;
        this.current = task;
        return false;
      case MIGRATE:
        return this.migrate(cpu, task);
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
    invariant(affinity === undefined || affinity.has(to.index), `${task.name} must not run on CPU ${to.index}`);
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
    invariant(task.preemptDepth === 0, `scheduling while atomic: ${task.name}`);
  }

  /** Whether anything is there that {@link attend} may have to see to. */
  private isDisturbed(cpu: Cpu, task: Task): boolean {
    return cpu.needResched || cpu.softirqQueue.length > 0 || task.runClass !== task.schedClass;
  }

  /** Gives the CPU to whom it is due, if the current task lets it; true when it has gone to something else. */
  private attend(cpu: Cpu, task: Task, mayLeave: boolean): boolean {
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

  /** Whether kernel code of this task, or its user code, may be preempted in the middle of a burst. */
  protected preemptible(task: Task): boolean {
    return task.preemptDepth === 0 && (task.userMode || this.full) && task.runClass !== SchedClass.Softirq;
  }

  private shouldLeave(cpu: Cpu, task: Task): boolean {
    if (!task.allowedOn(cpu)) return true;
    const fair = task.runClass === SchedClass.Fair;
    if (cpu.fifoQueue.length > 0 && (fair || cpu.fifoQueue.priority > task.rtPriority)) return true;
    return fair && (this.mustStop(cpu, task) || cpu.fairQueue.shouldYield());
  }

  /** Whether the task's group keeps it from running here; asks the group for CPU time if need be. */
  private mustStop(cpu: Cpu, task: Task): boolean {
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

  /** The current task waits: elsewhere if an idle CPU will have it, else here. */
  private leave(cpu: Cpu, task: Task): void {
    this.out(cpu, task, TaskState.Ready);
    const fair = task.runClass === SchedClass.Fair;
    if (fair && task.group !== undefined && task.group.throttledOn(cpu) && this.stopsHere(task)) {
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

  /** Keeps a task of a throttled group aside. */
  protected hold(cpu: Cpu, task: Task): void {
    task.state = TaskState.Ready;
    task.queue = Queue.Aside;
    cpu.aside.push(task);
    task.group!.taskHeld(cpu);
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

  /** The current task leaves its CPU, or a waiting one its queue: it is of no class then. */
  protected detach(cpu: Cpu, task: Task, moved: boolean): void {
    const { queue } = task;
    if (queue !== Queue.None) this.takeFrom(queue, cpu, task);
    if (task.runClass !== SchedClass.Fair) return;
    if (queue !== Queue.Aside) {
      this.settle(cpu);
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

  /** A task under a softirq loses its CPU for good. */
  private uninterrupt(cpu: Cpu, task: Task): void {
    if (task.queue !== Queue.Interrupted) return;
    task.state = TaskState.Ready;
    cpu.switchCut = false;
    task.offCpu?.();
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
    cpu.phase = CpuPhase.Burst;
    cpu.burstStartNs = this.events.now;
    this.plan(cpu);
  }

  /** __schedule(): what comes next on a CPU whose task has left. */
  private pickNext(cpu: Cpu): void {
    const softirq = cpu.softirqQueue.shift();
    if (softirq !== undefined) {
      this.switchTo(cpu, softirq);
      return;
    }
    if (cpu.interrupted !== undefined) {
      this.resumeInterrupted(cpu, cpu.interrupted);
      return;
    }
    cpu.needResched = false;
    const next = this.nextFifo(cpu) ?? this.nextFair(cpu) ?? this.pull(cpu);
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
    if (cpu.fairQueue.length === 0) return undefined;
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
    if (this.balancer.overloaded.count === 0) return undefined;
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

  /** Takes a waiting task from another CPU, to run here next. */
  private take(cpu: Cpu, task: Task): Task {
    const from = task.cpu;
    this.uninterrupt(from, task);
    this.detach(from, task, true);
    this.changeCpu(from, task, cpu);
    return task;
  }

  private changeCpu(from: Cpu, task: Task, to: Cpu): void {
    task.cpu = to;
    task.migratedNs = this.events.now;
    from.fairQueue.handOver(task, to.fairQueue);
    this.probe?.migrate(task, from, to);
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

  private begin(cpu: Cpu, task: Task): void {
    cpu.current = task;
    task.state = TaskState.Running;
    task.queue = Queue.None;
    cpu.switchStartNs = this.events.now;
    if (this.probe !== undefined) this.probe.switchIn(cpu, task);
    if (this.rates !== undefined) this.rates.switchedIn(cpu, task);
  }

  private out(cpu: Cpu, task: Task, state: TaskState): void {
    cpu.phase = CpuPhase.Acting;
    task.state = state;
    if (task.runClass !== SchedClass.Softirq) this.passQuiescentState(cpu);
    if (this.probe !== undefined) this.probe.switchOut(cpu, task, state);
    if (this.rates !== undefined) this.rates.switchedOut(cpu, task);
    if (task.offCpu !== undefined) task.offCpu();
  }

  /** rcu_all_qs() of cond_resched(), or of might_sleep() where that is one. */
  protected noteCondResched(cpu: Cpu): void {
    cpu.condResched++;
    if (cpu.quiescent !== undefined) cpu.quiescent();
  }

  /** rcu_note_context_switch(), and the extended quiescent state of an idle CPU. */
  private passQuiescentState(cpu: Cpu): void {
    cpu.contextSwitches++;
    if (cpu.quiescent !== undefined) cpu.quiescent();
  }

  private chargeSwitch(cpu: Cpu): void {
    const ranNs = this.events.now - cpu.switchStartNs;
    cpu.busyNs += ranNs;
    cpu.switchNs += ranNs;
  }

  /** update_curr(): charges the burst under way up to now. */
  settle(cpu: Cpu): void {
    if (cpu.phase !== CpuPhase.Burst) return;
    const ranNs = this.events.now - cpu.burstStartNs;
    if (ranNs === 0) return;
    const task = cpu.current!;
    cpu.burstStartNs = this.events.now;
    const left = task.remainingNs - ranNs * cpu.rate;
    task.remainingNs = left < ROUNDING ? 0 : left;
    task.cpuTimeNs += ranNs;
    cpu.busyNs += ranNs;
    if (task.runClass !== SchedClass.Fair) return;
    cpu.fairQueue.charge(ranNs);
    if (task.group !== undefined) task.group.charge(cpu, ranNs);
  }

  /** Sees to it that the CPU has an event when the burst ends, or before, when the task must give way before that. */
  protected plan(cpu: Cpu): void {
    const task = cpu.current!;
    let lengthNs = task.remainingNs;
    // Also at full speed: what a slower time has left over may have a fraction.
    lengthNs = Math.ceil((cpu.rate === 1 ? lengthNs : lengthNs / cpu.rate) - ROUNDING);
    if (task.runClass === SchedClass.Fair && this.preemptible(task)) {
      if (cpu.fairQueue.length > 0) lengthNs = Math.min(lengthNs, cpu.fairQueue.sliceLeftNs());
      if (task.group !== undefined) lengthNs = Math.min(lengthNs, Math.max(0, cpu.grantEndNs - this.events.now));
    }
    if (this.events.now + lengthNs < cpu.eventNs) this.expectIn(cpu, lengthNs);
  }

  /** Sets the one event that the CPU waits for; an earlier one becomes void. */
  private expectIn(cpu: Cpu, delayNs: number): void {
    cpu.version = (cpu.version + 1) | 0;
    cpu.eventNs = this.events.now + delayNs;
    this.events.push(delayNs, cpu.target, cpu.version);
  }
}
