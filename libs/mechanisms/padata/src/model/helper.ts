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

/** MAX_NICE */
export const HELPER_NICE = 19;

export class Helper {
  task: Task | undefined;
  finished = false;
  /** The caller has given it its own nice value, and waits for it. */
  niced = false;
  cpuNs = 0;
  chargedNs = 0;
  /** CPU time after the last charge, which nobody is charged for. */
  lostNs = 0;
  private chargedAtNs = 0;

  constructor(
    private readonly padata: Padata,
    private readonly job: Job,
    readonly main: Task,
    readonly caller: Caller,
    readonly index: number,
  ) {}

  *run(map: LockMap | undefined): TaskBody {
    const { padata, job } = this;
    const { machine, kernel } = padata;
    const task = machine.current;
    this.task ??= task;
    const beganNs = task.cpuTimeNs;
    invariant(
      !kernel.capAffinity || !kernel.kthreads || (this.main.affinity?.has(task.cpu.index) ?? true),
      'padata: a helper outside of the mask of its caller',
    );
    const group = kernel.remoteCharge && kernel.helperGroup === 'root' ? this.caller.group : undefined;
    if (group !== undefined) remoteBegin(task, group);
    const charge = group && ((): void => this.charge(task, group));
    if (padata.costs.helperStartNs > 0) yield padata.costs.helperStartNs;
    const steps = job.work(task, true, map, charge, this.index);
    if (charge !== undefined && kernel.chargeAt === 'tick') yield* this.chargingAtTicks(steps, charge);
    else yield* steps;
    this.cpuNs = task.cpuTimeNs - beganNs;
    this.lostNs = this.cpuNs - this.chargedNs;
    this.finished = true;
    job.running--;
    invariant(job.running >= 0, 'padata: more helpers finished than there were');
    // Who is waited for wakes the caller, and so does the last one.
    if (this.niced || job.running === 0) machine.wake(this.main);
  }

  private *chargingAtTicks(steps: TaskBody, charge: () => void): TaskBody {
    const { machine } = this.padata;
    for (;;) {
      const step = steps.next();
      if (step.done === true) return;
      yield step.value;
      if (machine.nowNs - this.chargedAtNs < machine.jiffyNs) continue;
      this.chargedAtNs = machine.nowNs;
      charge();
    }
  }

  private charge(task: Task, group: CpuGroup): void {
    this.chargedNs += remoteCharge(task, group);
    this.padata.charged();
  }
}
