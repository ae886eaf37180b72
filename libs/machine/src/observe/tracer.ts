// Puts a trace recorder on a machine: what each CPU runs, who wakes whom, who waits for and holds which lock, and counters.
// It only looks on: a run with a tracer does the same, event by event, as one without.
import type { TraceRecorder } from '@kworkbench/telemetry';
import { PrevState } from '@kworkbench/telemetry';
import { invariant } from '../invariant.js';
import type { Lock } from '../locks/lock.js';
import { LockMode, type LockProbe, LockProbes } from '../locks/lock-probe.js';
import type { Machine } from '../machine.js';
import type { Cpu } from '../sched/cpu.js';
import type { SchedProbe } from '../sched/probe.js';
import { SchedClass, type Task, TaskState } from '../sched/task.js';
import { addSchedProbe } from './sched-probes.js';

/** Of many locks with one name (one per object), as many get a track of their own; waits are shown for all. */
const TRACKS_PER_LOCK_NAME = 32;

/** What is shown of a lock; -1: its sections are not shown. */
interface LockTrack {
  readonly sections: number;
  readonly waitName: number;
  readers: number;
  readersTrack: number | undefined;
}

export class Tracer implements SchedProbe, LockProbe {
  private machine: Machine | undefined = undefined;
  private readonly threads = new Map<Task, number>();
  private readonly waiting = new Set<Task>();
  private readonly locks = new WeakMap<Lock, LockTrack>();
  private readonly locksOfName = new Map<string, number>();
  private readonly lockGroup: number;

  constructor(private readonly trace: TraceRecorder) {
    this.lockGroup = trace.track('locks');
  }

  /** Looks on at a machine from now on, and at the locks that are made on it later. Once. */
  attach(machine: Machine): void {
    invariant(this.machine === undefined, 'tracer: of one machine');
    this.machine = machine;
    addSchedProbe(machine.scheduler, this);
    machine.lockProbe = machine.lockProbe === undefined ? this : new LockProbes([machine.lockProbe, this]);
  }

  switchIn(cpu: Cpu, task: Task): void {
    this.trace.switchIn(this.nowNs, cpu.index, this.threadOf(task), priorityOf(task));
  }

  switchOut(cpu: Cpu, task: Task, state: TaskState): void {
    this.trace.switchOut(this.nowNs, cpu.index, prevStateOf(state));
    if (state === TaskState.Dead) this.threads.delete(task);
  }

  wake(task: Task, target: Cpu): void {
    const waker = this.machine!.scheduler.current;
    const from = waker === undefined ? -1 : waker.cpu.index;
    this.trace.waking(this.nowNs, this.threadOf(task), priorityOf(task), from, target.index);
  }

  /** The viewer sees by the CPUs that a thread has moved. */
  migrate(): void {}

  acquire(): void {}

  contended(lock: Lock, task: Task): void {
    this.waiting.add(task);
    this.trace.begin(this.nowNs, this.threadOf(task), this.lockTrack(lock).waitName);
  }

  acquired(lock: Lock, task: Task, mode: LockMode): void {
    const { nowNs } = this;
    if (this.waiting.delete(task)) this.trace.end(nowNs, this.threadOf(task));
    const shown = this.lockTrack(lock);
    if (shown.sections < 0) return;
    if (mode === LockMode.Exclusive) this.trace.begin(nowNs, shown.sections, this.trace.nameOf(task.name));
    else this.countReaders(lock, shown, 1);
  }

  release(lock: Lock, _task: Task, mode: LockMode): void {
    const shown = this.lockTrack(lock);
    if (shown.sections < 0) return;
    if (mode === LockMode.Exclusive) this.trace.end(this.nowNs, shown.sections);
    else this.countReaders(lock, shown, -1);
  }

  private get nowNs(): number {
    return this.machine!.nowNs;
  }

  private threadOf(task: Task): number {
    let thread = this.threads.get(task);
    if (thread === undefined) {
      thread = this.trace.thread(task.name);
      this.threads.set(task, thread);
    }
    return thread;
  }

  private lockTrack(lock: Lock): LockTrack {
    let shown = this.locks.get(lock);
    if (shown === undefined) {
      const before = this.locksOfName.get(lock.name) ?? 0;
      this.locksOfName.set(lock.name, before + 1);
      shown = {
        sections: before < TRACKS_PER_LOCK_NAME ? this.trace.track(lock.name, this.lockGroup) : -1,
        waitName: this.trace.nameOf(`wait ${lock.name}`),
        readers: 0,
        readersTrack: undefined,
      };
      this.locks.set(lock, shown);
    }
    return shown;
  }

  /** Sections of readers overlap: their number is shown. */
  private countReaders(lock: Lock, shown: LockTrack, change: number): void {
    shown.readersTrack ??= this.trace.counterTrack(`${lock.name} readers`, 'readers', this.lockGroup);
    shown.readers += change;
    this.trace.counter(this.nowNs, shown.readersTrack, shown.readers);
  }
}

/** The kernel's task->prio: 0..98 for real time, 100..139 for nice -20..19. */
function priorityOf(task: Task): number {
  if (task.schedClass === SchedClass.Fair) return 120 + task.nice;
  return task.schedClass === SchedClass.Fifo ? 99 - task.rtPriority : 0;
}

function prevStateOf(state: TaskState): PrevState {
  if (state === TaskState.Blocked) return PrevState.Sleeping;
  return state === TaskState.Dead ? PrevState.Dead : PrevState.Runnable;
}
