// What a task moves to and from memory, as long as it does: not while it waits, spins, or wakes others.
import { type HardwareRates, MemoryPhase, type Task } from '@kworkbench/machine';

/** What the workers of a job move: one alone at full speed, one of several at a part of it. */
export class JobTraffic {
  private readonly alone: MemoryPhase;
  private readonly together: MemoryPhase;

  /** @param workerSpeed the part of its full speed that one of several workers reaches, in (0, 1]. */
  constructor(
    private readonly rates: HardwareRates,
    node: number,
    bytesPerNs: number,
    workerSpeed: number,
  ) {
    this.alone = new MemoryPhase(node, bytesPerNs);
    this.together = new MemoryPhase(node, bytesPerNs, workerSpeed);
  }

  /** That of one of so many workers, which does not flow yet. */
  of(task: Task, workers: number): Stream {
    return new Stream(this.rates, task, workers > 1 ? this.together : this.alone);
  }
}

export class Stream {
  private flows = false;

  constructor(
    private readonly rates: HardwareRates,
    private readonly task: Task,
    private readonly phase: MemoryPhase,
  ) {}

  /** CPU time for what takes `ns` whatever memory is like: a cache line on its way, a few instructions under a lock. */
  workFor(ns: number): number {
    return this.flows ? Math.max(1, Math.round(ns * this.task.cpu.rate)) : ns;
  }

  start(): void {
    if (this.flows) return;
    this.flows = true;
    this.rates.enter(this.task, this.phase);
  }

  stop(): void {
    if (!this.flows) return;
    this.flows = false;
    this.rates.leave(this.task);
  }
}
