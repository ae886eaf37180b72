// The simulated host: clock, CPUs, RCU, workqueues and memory under one event loop, in virtual nanoseconds.
// It knows no mechanism; a mechanism spawns tasks and uses what is here as kernel code uses the kernel.
import type { BandwidthGroup } from './sched/bandwidth-group.js';
import type { CpuMask } from './sched/cpu-mask.js';
import type { Cpu } from './sched/cpu.js';
import { EventQueue } from './events/event-queue.js';
import { HrTimer, HrTimers } from './events/hrtimer.js';
import { TargetBits, TargetKind, targetOf } from './events/target.js';
import { invariant } from './invariant.js';
import type { LockProbe } from './locks/lock-probe.js';
import { RandomStream } from './random.js';
import { Scheduler } from './sched/scheduler.js';
import type { SchedulerConfig } from './sched/scheduler-config.js';
import { PARK, SchedClass, Task, type TaskHooks, TaskState, type TaskSteps } from './sched/task.js';

export interface MachineConfig extends SchedulerConfig {
  readonly cpus: number;
  readonly hz: number;
  readonly seed: number;
}

export interface SpawnOptions {
  /** Bound to this CPU; otherwise the task starts near `near` (CPU 0) and may move. */
  readonly on?: Cpu;
  readonly near?: Cpu;
  readonly schedClass?: SchedClass;
  /** Of the FIFO class: 1 (default) to 99. */
  readonly rtPriority?: number;
  /** -20 to 19; 0 by default. */
  readonly nice?: number;
  /** Where it may run, if it is not bound. */
  readonly affinity?: CpuMask;
  /** Its CPU bandwidth is counted there. */
  readonly group?: BandwidthGroup;
  /** User code; kernel code by default. */
  readonly userMode?: boolean;
  readonly hooks?: TaskHooks;
  /** Starts blocked, until woken. */
  readonly asleep?: boolean;
}

interface Observer {
  readonly periodNs: number;
  nextNs: number;
  readonly sample: (timeNs: number) => void;
}

export class Machine {
  readonly events = new EventQueue();
  readonly scheduler: Scheduler;
  readonly jiffyNs: number;
  /** Looks on at all locks that are made from now on. */
  lockProbe: LockProbe | undefined = undefined;
  private readonly hrtimers = new HrTimers(this.events);
  private readonly actors: ((argument: number) => void)[] = [];
  private stopped = false;
  /** The run loop has to look around: it was stopped, or there is an earlier sample. */
  private interrupted = false;
  private readonly observers: Observer[] = [];
  private nextSampleNs = Infinity;

  constructor(private readonly config: MachineConfig) {
    this.jiffyNs = Math.round(1e9 / config.hz);
    this.scheduler = new Scheduler(this.events, config.cpus, config, this.jiffyNs);
    const { balancer } = this.scheduler;
    balancer.target = this.addActor(() => balancer.balance());
  }

  get nowNs(): number {
    return this.events.now;
  }

  get cpus(): readonly Cpu[] {
    return this.scheduler.cpus;
  }

  /** A random stream of its own for the entity of this name. */
  random(name: string): RandomStream {
    return new RandomStream(this.config.seed, name);
  }

  /** Registers something that events can be addressed to; the result goes into {@link schedule}. */
  addActor(fire: (argument: number) => void): number {
    return targetOf(TargetKind.Actor, this.actors.push(fire) - 1);
  }

  /** Calls an actor `delayNs` from now; 0 is later at this instant. Costs may have fractions, time has none: rounded. */
  schedule(delayNs: number, actor: number, argument: number): void {
    this.events.push(Math.round(delayNs), actor, argument);
  }

  /** A timer of its own resolution, not armed yet, that calls `callback` when its time has come. */
  hrtimer(callback: () => void): HrTimer {
    return new HrTimer(this.hrtimers, callback);
  }

  spawn(name: string, body: (task: Task) => TaskSteps, options: SpawnOptions = {}): Task {
    const cpu = options.on ?? options.near ?? this.cpus[0]!;
    const { tasks } = this.scheduler;
    const task = new Task(
      tasks.reserve(),
      name,
      cpu,
      options.on !== undefined,
      options.schedClass ?? SchedClass.Fair,
      options.hooks,
    );
    tasks.add(task);
    task.affinity = options.affinity;
    task.group = options.group;
    task.userMode = options.userMode ?? false;
    task.rtPriority = options.rtPriority ?? 1;
    if (options.nice !== undefined) this.scheduler.renice(task, options.nice);
    task.body = body(task);
    this.scheduler.liveTasks++;
    if (options.asleep !== true) this.scheduler.wake(task);
    return task;
  }

  wake(task: Task): void {
    this.scheduler.wake(task);
  }

  /** The same `delayNs` from now, unless the task is woken before that. */
  wakeIn(task: Task, delayNs: number): void {
    const wholeNs = Math.round(delayNs);
    if (wholeNs <= 0 || task.state !== TaskState.Blocked) this.scheduler.wake(task);
    else this.events.push(wholeNs, task.target, task.sleepVersion);
  }

  /** The task whose code is running. */
  get current(): Task {
    const task = this.scheduler.current;
    if (task === undefined) invariant(false, 'current: no task is running');
    return task;
  }

  /** `yield machine.sleep(ns)`: blocks the current task for `delayNs`, or until it is woken. */
  sleep(delayNs: number): number {
    const task = this.current;
    const wholeNs = Math.round(delayNs);
    if (wholeNs <= 0) return 0;
    task.sleepVersion = (task.sleepVersion + 1) | 0;
    this.events.push(wholeNs, task.target, task.sleepVersion);
    return PARK;
  }

  /** preempt_disable(): nobody but softirqs takes the CPU from the current task, until as many {@link preemptEnable}. */
  preemptDisable(): void {
    this.scheduler.preemptDisable(this.current);
  }

  /** What was held back comes at the next yield. */
  preemptEnable(): void {
    this.scheduler.preemptEnable(this.current);
  }

  /** local_bh_disable(): nobody, and no softirq, takes the CPU from the current task. */
  localBhDisable(): void {
    this.scheduler.localBhDisable(this.current);
  }

  localBhEnable(): void {
    this.scheduler.localBhEnable(this.current);
  }

  /** local_irq_disable() */
  localIrqDisable(): void {
    this.scheduler.localIrqDisable(this.current);
  }

  localIrqEnable(): void {
    this.scheduler.localIrqEnable(this.current);
  }

  /**
   * Calls `sample` at every multiple of `periodNs` from now on, with the state as it was after all that happened then;
   * several observers at one time are called in the order in which they came. Costs no events: samples are taken when
   * time passes them.
   */
  observe(periodNs: number, sample: (timeNs: number) => void): void {
    const nextNs = Math.ceil(this.nowNs / periodNs) * periodNs;
    this.observers.push({ periodNs, nextNs, sample });
    this.nextSampleNs = Math.min(this.nextSampleNs, nextNs);
    this.interrupted = true;
  }

  stop(): void {
    this.stopped = true;
    this.interrupted = true;
  }

  /**
   * Runs until {@link stop}, until nothing is left to happen, or until `limitNs`, whose events are still run; true when
   * it was stopped. With a finite limit time ends up there, unless it was later already.
   */
  run(limitNs: number): boolean {
    while (!this.stopped) {
      this.runEvents(limitNs);
      if (this.stopped) break;
      const next = this.events.nextTime;
      // What happens at the limit may go on in the next run: its sample is due only after that.
      const untilNs = next > limitNs ? limitNs : next;
      if (untilNs === Infinity) return false;
      if (this.nextSampleNs < untilNs) this.sampleBefore(untilNs);
      if (next > limitNs) {
        if (limitNs > this.events.now) this.events.now = limitNs;
        return false;
      }
    }
    return true;
  }

  /** Runs the events up to the limit, or up to the next sample when that comes first. */
  private runEvents(limitNs: number): void {
    const { events } = this;
    events.limitNs = Math.min(limitNs, this.nextSampleNs);
    this.interrupted = false;
    while (!this.interrupted && events.popNext()) this.dispatch(events.target, events.argument);
  }

  private dispatch(target: number, argument: number): void {
    const index = target >>> TargetBits.Kind;
    switch ((target & TargetBits.Mask) as TargetKind) {
      case TargetKind.Actor:
        this.actors[index]!(argument);
        break;
      case TargetKind.Cpu:
        this.scheduler.fire(this.cpus[index]!, argument);
        break;
      case TargetKind.Sleep:
        this.scheduler.sleepOver(this.scheduler.tasks.at(index), argument);
        break;
      case TargetKind.Timer:
        this.hrtimers.fire(index, argument);
    }
  }

  private sampleBefore(timeNs: number): void {
    while (this.nextSampleNs < timeNs) {
      const atNs = this.nextSampleNs;
      this.nextSampleNs = Infinity;
      for (const observer of this.observers) {
        if (observer.nextNs <= atNs) {
          observer.sample(atNs);
          observer.nextNs = atNs + observer.periodNs;
        }
        this.nextSampleNs = Math.min(this.nextSampleNs, observer.nextNs);
      }
    }
  }
}
