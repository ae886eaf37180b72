// kthread_create(), kthread_should_stop(), kthread_stop(): a kernel thread that is asked to end and waited for.
import { type Cpu, type CpuMask, type Machine, PARK, type Task, type TaskBody } from '@kworkbench/machine';

/** Who estimates for a context: a kthread, or what stands in its place. */
export interface EstRunner {
  readonly shouldStop: boolean;
  readonly exited: boolean;
  readonly cpuNs: number;
  /** `yield* runner.stop()`: returns when it has ended. */
  stop(): TaskBody;
}

export interface KthreadOptions {
  readonly nice: number;
  readonly affinity: CpuMask | undefined;
  readonly near: Cpu;
}

export class Kthread implements EstRunner {
  readonly task: Task;
  shouldStop = false;
  exited = false;
  private readonly waiters: Task[] = [];

  constructor(
    private readonly machine: Machine,
    name: string,
    body: (kthread: Kthread) => TaskBody,
    { nice, affinity, near }: KthreadOptions,
  ) {
    this.task = machine.spawn(name, () => this.run(body), {
      near: affinity === undefined || affinity.has(near.index) ? near : machine.cpus[affinity.nextFrom(0)]!,
      nice,
      ...(affinity && { affinity }),
    });
  }

  get cpuNs(): number {
    return this.task.cpuTimeNs;
  }

  *stop(): TaskBody {
    this.shouldStop = true;
    this.machine.wake(this.task);
    while (!this.exited) {
      this.waiters.push(this.machine.current);
      yield PARK;
    }
  }

  private *run(body: (kthread: Kthread) => TaskBody): TaskBody {
    yield* body(this);
    this.exited = true;
    for (const waiter of this.waiters) this.machine.wake(waiter);
  }
}
