// One simulated CPU: what runs on it, what waits for it, and the one event that it has pending.
import { Deque } from '../deque.js';
import { ZERO } from '../double.js';
import { TargetKind, targetOf } from '../events/target.js';
import type { FairQueue } from './fair-queue.js';
import { FifoQueue } from './fifo-queue.js';
import { SchedClass, type Task } from './task.js';
import { weightOf } from './weights.js';

export const enum CpuPhase {
  Idle,
  /** `current` is being switched in. */
  Switching,
  /** `current` consumes CPU time. */
  Burst,
  /** `current` is acting right now (its body is being resumed), or the scheduler is. */
  Acting,
}

/** A FIFO task weighs as much as the heaviest fair one where loads are compared. */
const FIFO_WEIGHT = weightOf(-20);

export class Cpu {
  // What every switch and burst reads comes first, in as few lines of the host's cache as will do.
  phase: CpuPhase = CpuPhase.Idle;
  current: Task | undefined = undefined;
  /** Stamps the pending event; an event with an older stamp is void. */
  version = 0;
  /** What its events are addressed to. */
  readonly target = targetOf(TargetKind.Cpu, this.index);
  /** When the pending event fires; Infinity: there is none. */
  eventNs = Infinity;
  switchStartNs = ZERO;
  /** Up to when the burst under way has been charged. */
  burstStartNs = ZERO;
  /** Work done per ns; change it with `scheduler.setRate()`. */
  rate = ZERO + 1;
  /** Time with tasks and switching between them, and the part of it that went into switching. */
  busyNs = ZERO;
  switchNs = ZERO;
  /** TIF_NEED_RESCHED: somebody should run in place of the current task as soon as that may be preempted. */
  needResched = false;
  readonly softirqQueue = new Deque<Task>();
  readonly fifoQueue = new FifoQueue();
  /** The task that the softirqs which run now have interrupted. */
  interrupted: Task | undefined = undefined;
  /**
   * How often a FIFO or fair task left the CPU or it fell idle, and how often one came by cond_resched() or returned to
   * user mode: RCU reads these.
   */
  contextSwitches = 0;
  condResched = 0;
  /** Called at each of these and on return to user mode, while an expedited grace period waits for the CPU. */
  quiescent: (() => void) | undefined = undefined;

  /** It was interrupted while being switched in, which begins anew. */
  switchCut = false;
  /** Tasks of throttled groups. */
  readonly aside: Task[] = [];
  /** Waiting tasks that may be moved to another CPU. */
  movableWaiting = 0;
  /** Until when the current task has CPU time of its group. */
  grantEndNs = ZERO;

  constructor(
    readonly index: number,
    readonly fairQueue: FairQueue,
  ) {}

  /** Weight of the fair and FIFO tasks that run or wait here. */
  get load(): number {
    const running = this.interrupted ?? this.current;
    const fifo = this.fifoQueue.length + (running !== undefined && running.runClass === SchedClass.Fifo ? 1 : 0);
    return this.fairQueue.load + FIFO_WEIGHT * fifo;
  }
}
