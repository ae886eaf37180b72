// What a task moves to and from memory, as long as it does: not while it waits, spins, or wakes others.
import type { HardwareRates, MemoryPhase, Task } from '@kworkbench/machine';

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
