// What a task moves to and from memory, as long as it does: not while it waits, spins, or works on locks.
import type { HardwareRates, MemoryPhase, Task } from '@kworkbench/machine';

export class Stream {
  private flows = false;

  constructor(
    private readonly rates: HardwareRates,
    private readonly task: Task,
    private readonly phase: MemoryPhase,
  ) {}

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
