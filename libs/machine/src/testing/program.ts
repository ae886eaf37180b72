// Runs random programs (steps.ts). Their trace says at which instant and on which CPU every step was over.
import type { Mutex, MutexOptions } from '../locks/mutex.js';
import type { Machine } from '../machine.js';
import { remoteBegin, remoteCharge } from '../sched/bandwidth-remote.js';
import { CpuGroup } from '../sched/cpu-group.js';
import { CpuMask } from '../sched/cpu-mask.js';
import { MIGRATE, PARK, SchedClass, type Task, type TaskBody, YIELD } from '../sched/task.js';
import { ProgramParts } from './program-parts.js';
import type { ProgramTask, Step } from './steps.js';

export * from './steps.js';

const MS = 1_000_000;

export interface ProgramResult {
  readonly trace: number[];
  /** The tasks of the program, and the children that they forked. */
  readonly tasks: Task[];
  readonly children: Task[];
  /** CPU time that the steps which were run have asked for or spent to get locks, of each task and child. */
  readonly requestedNs: Map<Task, number>;
  readonly mutexes: readonly Mutex[];
  readonly parts: ProgramParts;
  readonly groups: CpuGroup[];
  readonly pingsSent: number;
  readonly pingsSeen: number;
  /** Sleeps that ended before their time. */
  readonly shortSleeps: number;
  /** What ran for a group from outside, by the tasks' own clocks. */
  readonly remoteNs: number[];
}

class Program implements ProgramResult {
  readonly trace: number[] = [];
  readonly tasks: Task[] = [];
  readonly children: Task[] = [];
  readonly requestedNs = new Map<Task, number>();
  readonly parts: ProgramParts;
  readonly groups: CpuGroup[];
  pingsSent = 0;
  pingsSeen = 0;
  shortSleeps = 0;
  readonly remoteNs = [0, 0, 0];
  private readonly listener: Task;
  private pending = 0;

  constructor(
    private readonly machine: Machine,
    program: readonly ProgramTask[],
    options: MutexOptions,
  ) {
    this.parts = new ProgramParts(machine, options);
    const tight = new CpuGroup(machine, 'tight', { quotaNs: 5 * MS, periodNs: 20 * MS });
    const child = new CpuGroup(machine, 'child', {
      parent: tight,
      quotaNs: 4 * MS,
      periodNs: 10 * MS,
      burstNs: 1 * MS,
    });
    const wide = new CpuGroup(machine, 'wide', { quotaNs: 15 * MS, periodNs: 10 * MS, firstEdgeNs: 7 * MS });
    this.groups = [tight, child, wide];
    this.listener = machine.spawn('listener', () => this.listen());
    for (const [index, { on, group, steps }] of program.entries()) {
      const placed = {
        ...(on !== undefined && { on: machine.cpus[on]! }),
        ...(group !== undefined && { group: this.groups[group]! }),
      };
      this.tasks.push(machine.spawn(`task ${index}`, (task) => this.body(task, index, steps), placed));
    }
  }

  get mutexes(): readonly Mutex[] {
    return this.parts.mutexes;
  }

  private *listen(): TaskBody {
    for (;;) {
      while (this.pending === 0) yield PARK;
      this.pingsSeen += this.pending;
      this.pending = 0;
      yield 700;
    }
  }

  private *body(task: Task, index: number, steps: readonly Step[]): TaskBody {
    this.requestedNs.set(task, 0);
    for (const [at, step] of steps.entries()) {
      if (step.do === 'exit') return;
      yield* this.step(step, task);
      this.trace.push(this.machine.nowNs, index, at, task.cpu.index);
    }
  }

  private *run(task: Task, ns: number): TaskBody {
    this.requestedNs.set(task, this.requestedNs.get(task)! + ns);
    yield ns;
  }

  private *sleep(ns: number): TaskBody {
    const endNs = this.machine.nowNs + ns;
    yield this.machine.sleep(ns);
    if (this.machine.nowNs < endNs) this.shortSleeps++;
  }

  private step(step: Step, task: Task): TaskBody {
    switch (step.do) {
      case 'run':
        return this.run(task, step.ns);
      case 'sleep':
        return this.sleep(step.ns);
      case 'user':
        return this.user(task, step.ns);
      case 'lock':
        return this.lock(task, step);
      case 'rwsem':
        return this.rwsem(task, step);
      case 'spinlock':
        return this.spinlock(task, step);
      case 'reader':
        return this.reader(task, step.ns);
      case 'migrate':
        return this.migrate(task, step.cpu);
      case 'section':
        return this.section(task, step);
      case 'remote':
        return this.remote(task, step);
      case 'alloc':
        return this.alloc(task, step);
      case 'yield':
        return yieldOnce();
      default:
        this.act(step, task);
        return nothing();
    }
  }

  /** Steps that take no time. */
  private act(step: Step, task: Task): void {
    const { machine } = this;
    const { scheduler } = machine;
    switch (step.do) {
      case 'ping':
        this.pending++;
        this.pingsSent++;
        machine.wake(this.listener);
        return;
      case 'fork':
        this.fork(task, step.steps);
        return;
      case 'renice':
        scheduler.renice(task, step.nice);
        return;
      case 'affinity':
        if (!task.pinned) scheduler.setAffinity(task, this.mask(step.cpus));
        return;
      case 'fifo':
        task.rtPriority = step.priority;
        scheduler.setClass(task, SchedClass.Fifo);
        return;
      case 'fair':
        scheduler.setClass(task, SchedClass.Fair);
        return;
      case 'join':
        scheduler.setGroup(task, step.group === undefined ? undefined : this.groups[step.group]);
        return;
      case 'defer':
        this.parts.defer(task, step.bytes);
        return;
      case 'work':
        this.parts.queueWork(task, step.queue, step.ns, step.bytes);
        return;
      case 'timer':
        this.parts.startTimer(step.ns);
        return;
      case 'quota':
        this.setQuota(this.groups[step.group]!, step.quotaNs);
    }
  }

  private setQuota(group: CpuGroup, quotaNs: number): void {
    group.configure({ quotaNs, periodNs: group.pool.periodNs });
  }

  private fork(parent: Task, steps: readonly Step[]): void {
    const number = this.tasks.length + this.children.length;
    const body = (task: Task): TaskBody => this.body(task, number, steps);
    const child = this.machine.spawn(`child ${number}`, body, { near: parent.cpu });
    this.children.push(child);
  }

  private mask(bits: number): CpuMask {
    const { length } = this.machine.cpus;
    const mask = new CpuMask(length);
    for (let index = 0; index < length; index++) if (((bits >>> index) & 1) === 1) mask.add(index);
    return mask;
  }

  private *user(task: Task, ns: number): TaskBody {
    this.machine.scheduler.setUserMode(task, true);
    yield* this.run(task, ns);
    this.machine.scheduler.setUserMode(task, false);
  }

  /** Waits for a lock; spinning for it is CPU time that nobody asked for. */
  private *take(task: Task, wait: TaskBody): TaskBody {
    const beforeNs = task.cpuTimeNs;
    yield* wait;
    this.requestedNs.set(task, this.requestedNs.get(task)! + task.cpuTimeNs - beforeNs);
  }

  private *hold(task: Task, { asleep, ns }: { readonly asleep: boolean; readonly ns: number }): TaskBody {
    if (asleep) yield* this.sleep(ns);
    else yield* this.run(task, ns);
  }

  private *lock(task: Task, step: Extract<Step, { do: 'lock' }>): TaskBody {
    const mutex = this.mutexes[step.mutex]!;
    yield* this.take(task, mutex.lock());
    yield* this.hold(task, step);
    mutex.unlock();
  }

  private *rwsem(task: Task, step: Extract<Step, { do: 'rwsem' }>): TaskBody {
    const { rwsem } = this.parts;
    yield* this.take(task, step.write ? rwsem.lockWrite() : rwsem.lockRead());
    yield* this.hold(task, step);
    if (step.write) rwsem.upWrite();
    else rwsem.upRead();
  }

  private *spinlock(task: Task, { bh, ns }: Extract<Step, { do: 'spinlock' }>): TaskBody {
    const { spinLock } = this.parts;
    yield* this.take(task, bh ? spinLock.lockBh() : spinLock.lock());
    yield* this.run(task, ns);
    if (bh) spinLock.unlockBh();
    else spinLock.unlock();
  }

  private *reader(task: Task, ns: number): TaskBody {
    this.parts.beginRead(task);
    yield* this.run(task, ns);
    this.parts.endRead(task);
  }

  private *migrate(task: Task, index: number): TaskBody {
    const cpu = this.machine.cpus[index]!;
    if (task.affinity !== undefined && !task.affinity.has(index)) return;
    task.cpu = cpu;
    yield MIGRATE;
  }

  private *section(task: Task, { kind, ns }: Extract<Step, { do: 'section' }>): TaskBody {
    const { machine } = this;
    if (kind === 'preempt') machine.preemptDisable();
    else if (kind === 'bh') machine.localBhDisable();
    else machine.localIrqDisable();
    yield* this.run(task, ns);
    if (kind === 'preempt') machine.preemptEnable();
    else if (kind === 'bh') machine.localBhEnable();
    else machine.localIrqEnable();
  }

  private *remote(task: Task, { group, ns }: Extract<Step, { do: 'remote' }>): TaskBody {
    // Kernel threads only: a task in a group is charged to that already.
    if (task.group !== undefined) return;
    remoteBegin(task, this.groups[group]);
    yield* this.run(task, ns);
    this.remoteNs[group]! += remoteCharge(task, this.groups[group]);
  }

  private *alloc(task: Task, { bytes, ns }: Extract<Step, { do: 'alloc' }>): TaskBody {
    this.parts.alloc(bytes);
    yield* this.run(task, ns);
    this.parts.free(bytes);
  }
}

function* yieldOnce(): TaskBody {
  yield YIELD;
}

function* nothing(): TaskBody {
  // Took no time.
}

export function runProgram(
  machine: Machine,
  program: readonly ProgramTask[],
  options: MutexOptions = {},
): ProgramResult {
  const result = new Program(machine, program, options);
  machine.run(Infinity);
  return result;
}
