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
  phase: CpuPhase = CpuPhase.Idle;
  current: Task | undefined = undefined;
  /** The task that the softirqs which run now have interrupted. */
  interrupted: Task | undefined = undefined;
  /** It was interrupted while being switched in, which begins anew. */
  switchCut = false;
  readonly softirqQueue = new Deque<Task>();
  readonly fifoQueue = new FifoQueue();
  /** Tasks of throttled groups. */
  readonly aside: Task[] = [];
  /** TIF_NEED_RESCHED: somebody should run in place of the current task as soon as that may be preempted. */
  needResched = false;
  /** Waiting tasks that may be moved to another CPU. */
  movableWaiting = 0;
  /** Work done per ns; change it with `scheduler.setRate()`. */
  rate = ZERO + 1;
  /** Stamps the pending event; an event with an older stamp is void. */
  version = 0;
  /** When the pending event fires; Infinity: there is none. */
  eventNs = Infinity;
  switchStartNs = ZERO;
  /** Up to when the burst under way has been charged. */
  burstStartNs = ZERO;
  /** Until when the current task has CPU time of its group. */
  grantEndNs = ZERO;
  /**
   * How often a FIFO or fair task left the CPU or it fell idle, and how often one came by cond_resched() or returned to
   * user mode: RCU reads these.
   */
  contextSwitches = 0;
  condResched = 0;
  /** Called at each of these and on return to user mode, while an expedited grace period waits for the CPU. */
  quiescent: (() => void) | undefined = undefined;
  /** Time with tasks and switching between them, and the part of it that went into switching. */
  busyNs = ZERO;
  switchNs = ZERO;

  /** What its events are addressed to. */
  readonly target: number;

  constructor(
    readonly index: number,
    readonly fairQueue: FairQueue,
  ) {
    this.target = targetOf(TargetKind.Cpu, index);
  }

  /** Weight of the fair and FIFO tasks that run or wait here. */
  get load(): number {
    const running = this.interrupted ?? this.current;
    const fifo = this.fifoQueue.length + (running !== undefined && running.runClass === SchedClass.Fifo ? 1 : 0);
    return this.fairQueue.load + FIFO_WEIGHT * fifo;
  }
}
