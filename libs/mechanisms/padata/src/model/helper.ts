// A helper of a job: takes chunks beside the caller, and tells the caller's group what CPU time it took (patch 15).
import {
  type CpuGroup,
  invariant,
  type LockMap,
  remoteBegin,
  remoteCharge,
  type Task,
  type TaskBody,
} from '@kworkbench/machine';
import type { Job } from './job.js';
import type { Caller, Padata } from './padata.js';
import type { Worker } from './thread-fn.js';

/** MAX_NICE */
export const HELPER_NICE = 19;

export class Helper implements Worker {
  task: Task | undefined;
  finished = false;
  /** The caller has given it its own nice value, and waits for it. */
  niced = false;
  cpuNs = 0;
  chargedNs = 0;
  /** CPU time after the last charge, which nobody is charged for. */
  lostNs = 0;
  private chargedAtNs = 0;
  /** Whose CPU time is whose: the group is charged, and so is the weight of the caller, up to here. */
  private group: CpuGroup | undefined;
  private weighedNs = 0;

  constructor(
    private readonly padata: Padata,
    private readonly job: Job,
    readonly main: Task,
    readonly caller: Caller,
    readonly index: number,
  ) {}

  *run(map: LockMap | undefined): TaskBody {
    const { padata, job } = this;
    const { machine, kernel, costs } = padata;
    const task = machine.current;
    this.task ??= task;
    const beganNs = (this.weighedNs = task.cpuTimeNs);
    invariant(
      !kernel.capAffinity || !kernel.kthreads || (this.main.affinity?.has(task.cpu.index) ?? true),
      'padata: a helper outside of the mask of its caller',
    );
    if (kernel.remoteCharge && kernel.helperGroup === 'root') remoteBegin(task, (this.group = this.caller.group));
    if (costs.helperStartNs > 0) yield costs.helperStartNs;
    const steps = job.work(task, this, map);
    if (this.group !== undefined && kernel.chargeAt === 'tick') yield* this.chargingAtTicks(task, steps);
    else yield* steps;
    this.cpuNs = task.cpuTimeNs - beganNs;
    this.lostNs = this.cpuNs - this.chargedNs;
    invariant(this.lostNs >= 0, 'padata: more was charged than a helper ran');
    this.finished = true;
    job.running--;
    invariant(job.running >= 0, 'padata: more helpers finished than there were');
    // Who is waited for wakes the caller, and so does the last one.
    if (this.niced || job.running === 0) machine.wake(this.main);
  }

  /** @returns whether it goes on: with back-pressure not while the group, or one above it, owes a whole quota. */
  chunkDone(): boolean {
    const { kernel } = this.padata;
    const task = this.task!;
    if (kernel.chargeWeight) {
      this.job.weightOwedNs += task.cpuTimeNs - this.weighedNs;
      this.weighedNs = task.cpuTimeNs;
    }
    if (this.group === undefined) return true;
    this.charge(task, this.group);
    if (!kernel.backPressure) return true;
    for (let level: CpuGroup | undefined = this.group; level !== undefined; level = level.parent) {
      if (level.pool.limited && level.pool.debtNs >= level.pool.quotaNs) return false;
    }
    return true;
  }

  private *chargingAtTicks(task: Task, steps: TaskBody): TaskBody {
    const { machine } = this.padata;
    for (;;) {
      const step = steps.next();
      if (step.done === true) return;
      yield step.value;
      if (machine.nowNs - this.chargedAtNs < machine.jiffyNs) continue;
      this.chargedAtNs = machine.nowNs;
      this.charge(task, this.group!);
    }
  }

  private charge(task: Task, group: CpuGroup): void {
    this.chargedNs += remoteCharge(task, group);
    this.padata.charged();
  }
}
