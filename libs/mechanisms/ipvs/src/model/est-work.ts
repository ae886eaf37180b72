// What if: a work item per kthread context in place of a kthread. It runs when a row is due and queues itself again for the next
// one, on an unbound workqueue, so that nice and est_cpulist mean nothing to it.
import { type Machine, type TaskBody, Work, type Workqueue, type Workqueues } from '@kworkbench/machine';
import type { EstRunner } from './kthread.js';

/** What a turn returns when there shall be no other. */
export const NO_MORE = -1;

export class EstWork implements EstRunner {
  shouldStop = false;
  exited = false;
  cpuNs = 0;
  turns = 0;
  private readonly work: Work;

  constructor(
    private readonly machine: Machine,
    private readonly workqueues: Workqueues,
    private readonly queue: Workqueue,
    /** Does what is due, and returns the jiffies until it shall run again. */
    private readonly turn: (self: EstWork) => Generator<number, number, void>,
  ) {
    this.work = new Work(() => this.run());
    this.queue.queueOn(machine.current.cpu, this.work);
  }

  *stop(): TaskBody {
    this.shouldStop = true;
    yield* this.workqueues.cancelSync(this.work);
    this.exited = true;
  }

  private *run(): TaskBody {
    const { machine } = this;
    const before = machine.current.cpuTimeNs;
    const delayJiffies = yield* this.turn(this);
    this.turns++;
    this.cpuNs += machine.current.cpuTimeNs - before;
    if (delayJiffies === NO_MORE || this.shouldStop) this.exited = true;
    else this.queue.queueDelayedOn(machine.current.cpu, this.work, delayJiffies);
  }
}
