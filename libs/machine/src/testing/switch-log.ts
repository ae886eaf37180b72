// Looks on at every switch, wakeup and migration of a machine, notes what must not be, and digests all of it, so that two
// runs can be compared event by event at the price of one number.
import type { Machine } from '../machine.js';
import type { ThrottleAt } from '../sched/bandwidth-group.js';
import type { Cpu } from '../sched/cpu.js';
import type { SchedProbe } from '../sched/probe.js';
import { SchedClass, type Task, TaskState } from '../sched/task.js';

const enum Kind {
  In = 1,
  Out,
  Wake,
  Migrate,
}

/** Two 32-bit hashes, mixed number by number. */
export class Digest {
  private a = 0x811c9dc5;
  private b = 0x9e3779b9;

  add(value: number): void {
    const low = value >>> 0;
    const high = Math.floor(value / 4294967296) >>> 0;
    this.a = Math.imul(this.a ^ low, 0x01000193);
    this.a = Math.imul(this.a ^ (this.a >>> 15) ^ high, 0x2c1b3c6d);
    this.b = (Math.imul(this.b ^ low, 0x85ebca6b) + high) | 0;
    this.b = Math.imul(this.b ^ (this.b >>> 13), 0xc2b2ae35);
  }

  get hex(): string {
    return [this.a, this.b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }
}

export class SwitchLog implements SchedProbe {
  readonly violations: string[] = [];
  readonly digest = new Digest();
  switches = 0;
  private readonly running: (Task | undefined)[];
  private readonly sinceNs: number[];
  private readonly busyNs: number[];
  private readonly home = new Map<Task, Cpu>();
  private readonly interrupted = new Set<Task>();
  private readonly seen = new Set<Task>();

  constructor(
    private readonly machine: Machine,
    private readonly throttleAt: ThrottleAt = 'dequeue',
  ) {
    machine.scheduler.probe = this;
    this.running = machine.cpus.map(({ current }) => current);
    this.sinceNs = machine.cpus.map(() => machine.nowNs);
    this.busyNs = machine.cpus.map(({ busyNs }) => busyNs);
  }

  switchIn(cpu: Cpu, task: Task): void {
    this.note(Kind.In, cpu, task, 0);
    this.switches++;
    this.seen.add(task);
    this.check(this.running[cpu.index] === undefined, 'two tasks on one CPU', cpu, task);
    this.check(!this.home.has(task), 'a task on two CPUs', cpu, task);
    if (!this.interrupted.delete(task)) this.checkChoice(cpu, task);
    this.running[cpu.index] = task;
    this.home.set(task, cpu);
    this.sinceNs[cpu.index] = this.machine.nowNs;
  }

  switchOut(cpu: Cpu, task: Task, state: TaskState): void {
    this.note(Kind.Out, cpu, task, state);
    this.check(this.running[cpu.index] === task, 'a task leaves a CPU that it does not have', cpu, task);
    this.running[cpu.index] = undefined;
    this.home.delete(task);
    this.busyNs[cpu.index]! += this.machine.nowNs - this.sinceNs[cpu.index]!;
    // Softirqs are on top of it.
    if (state === TaskState.Running) this.interrupted.add(task);
  }

  wake(task: Task, target: Cpu): void {
    this.note(Kind.Wake, target, task, 0);
    this.check(task.state === TaskState.Blocked, 'a wakeup of a task that is not blocked', target, task);
  }

  migrate(task: Task, from: Cpu, to: Cpu): void {
    this.note(Kind.Migrate, to, task, from.index);
    this.check(!this.home.has(task), 'a task that runs is moved', to, task);
    this.interrupted.delete(task);
  }

  /** CPU time by switches, against what CPUs and tasks counted; call it at the end. */
  checkAccounting(): void {
    let [busyNs, switchNs, ranNs] = [0, 0, 0];
    for (const cpu of this.machine.cpus) {
      this.machine.scheduler.settle(cpu);
      const task = this.running[cpu.index];
      const underWayNs = task === undefined ? 0 : this.machine.nowNs - this.sinceNs[cpu.index]!;
      const here = this.busyNs[cpu.index]! + underWayNs;
      if (here !== cpu.busyNs)
        this.violations.push(`CPU ${cpu.index} was busy for ${here} ns and counted ${cpu.busyNs}`);
      busyNs += cpu.busyNs;
      switchNs += cpu.switchNs;
    }
    for (const { cpuTimeNs } of this.seen) ranNs += cpuTimeNs;
    if (busyNs !== switchNs + ranNs)
      this.violations.push(`${busyNs} ns busy, ${switchNs} switching, ${ranNs} in tasks`);
  }

  private checkChoice(cpu: Cpu, task: Task): void {
    this.check(task.allowedOn(cpu), 'a task where it must not be', cpu, task);
    if (task.runClass === SchedClass.Softirq) return;
    this.check(cpu.softirqQueue.length === 0, 'a softirq waits for a task', cpu, task);
    if (task.runClass === SchedClass.Fifo) return;
    this.check(cpu.fifoQueue.length === 0, 'a FIFO task waits for a fair one', cpu, task);
    const mustStop = task.userMode || this.throttleAt === 'dequeue';
    this.check(!(mustStop && (task.group?.throttledOn(cpu) ?? false)), 'a throttled task runs', cpu, task);
  }

  private note(kind: Kind, cpu: Cpu, task: Task, detail: number): void {
    this.digest.add(this.machine.nowNs);
    this.digest.add(kind + 8 * detail);
    this.digest.add(cpu.index);
    this.digest.add(task.target);
  }

  private check(holds: boolean, what: string, cpu: Cpu, task: Task): void {
    if (!holds) this.violations.push(`${this.machine.nowNs} ns: ${what}: ${task.name} on CPU ${cpu.index}`);
  }
}
