// One simulated CPU: what runs on it, what waits for it, and the one event that it has pending.
import { Deque } from '../deque.js';
import { TargetKind, targetOf } from '../events/target.js';
import type { Task } from './task.js';

export const enum CpuPhase {
  Idle,
  /** `current` is being switched in. */
  Switching,
  /** `current` consumes CPU time. */
  Burst,
  /** `current` is acting right now (its generator is being resumed). */
  Acting,
}

export class Cpu {
  phase: CpuPhase = CpuPhase.Idle;
  current: Task | undefined;
  /** The fair task that ran last: switching back to it after a softirq costs nothing. */
  lastFair: Task | undefined;
  readonly softirqQueue = new Deque<Task>();
  readonly fairQueue = new Deque<Task>();
  /** Stamps the pending event; an event with an older stamp is void. */
  version = 0;
  switchStartNs = 0;
  burstStartNs = 0;
  sliceStartNs = 0;
  busyNs = 0;

  /** What its events are addressed to. */
  readonly target: number;

  constructor(readonly index: number) {
    this.target = targetOf(TargetKind.Cpu, index);
  }
}
