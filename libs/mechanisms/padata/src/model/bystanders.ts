// Who else is on the machine: spinners of other users, tasks that wake on time, and tasks that stream memory.
import type { CpuMask, Machine, Task, TaskBody } from '@kworkbench/machine';
import { durationHistogram } from '@kworkbench/telemetry';
import type { PadataWorkload } from '../workloads.js';
import { memoryHog } from './other-jobs.js';
import type { PinPlace } from './vfio-pin.js';

const SPIN_NS = 10_000_000;
const PROBE_PERIOD_NS = 10_000_000;
const PROBE_WORK_NS = 1_000_000;

export class Bystanders {
  readonly wakeupNs = durationHistogram(
    'neighbour_wakeup_seconds',
    'From the time a neighbour was due to its first instruction',
  );
  /** Spinners with an end of their own that have not reached it. */
  running = 0;
  private readonly spinners: Task[] = [];
  private readonly endNs: number[] = [];
  private fromNs = 0;
  private fromCpuNs = 0;
  private windowRatio = 1;
  private readonly machine: Machine;

  constructor(
    private readonly place: PinPlace,
    private readonly workload: PadataWorkload,
    private readonly online: CpuMask | undefined,
    private readonly hogBytesPerNs: number,
    private readonly finished: () => void,
  ) {
    this.machine = place.machine;
  }

  start(): void {
    const { neighbours, probes, memoryHogs, neighbourWork } = this.workload;
    const { machine } = this;
    this.running = neighbourWork > 0 ? neighbours : 0;
    for (let i = 0; i < neighbours; i++) this.spinners.push(this.spawn(`neighbour/${i}`, i, true, () => this.spin()));
    for (let i = 0; i < probes; i++) this.spawn(`probe/${i}`, i, true, () => this.probe(i));
    for (let i = 0; i < memoryHogs; i++) {
      this.spawn(`usemem/${i}`, i, true, () => memoryHog(machine, this.place.rates, this.hogBytesPerNs));
    }
  }

  /** The job begins, or all jobs have ended: what spinners without end got in between is measured. */
  windowBegins(): void {
    this.fromNs = this.machine.nowNs;
    this.fromCpuNs = this.cpuNs;
  }

  windowEnds(): void {
    const gotNs = this.cpuNs - this.fromCpuNs;
    const wantedNs = (this.machine.nowNs - this.fromNs) * this.spinners.length;
    if (gotNs > 0) this.windowRatio = wantedNs / gotNs;
  }

  /** Time with the job over time alone. */
  get slowdownRatio(): number {
    const { neighbourWork } = this.workload;
    if (neighbourWork === 0) return this.windowRatio;
    const sumNs = this.endNs.reduce((sum, ns) => sum + ns, 0);
    return sumNs / this.endNs.length / (neighbourWork * 1e9);
  }

  private get cpuNs(): number {
    return this.spinners.reduce((sum, task) => sum + task.cpuTimeNs, 0);
  }

  private spawn(name: string, index: number, userMode: boolean, body: () => TaskBody): Task {
    const { machine, online } = this;
    return machine.spawn(name, body, {
      near: machine.cpus[index % (online?.count ?? machine.cpus.length)]!,
      userMode,
      ...(online && { affinity: online }),
    });
  }

  private *spin(): TaskBody {
    const workNs = Math.round(this.workload.neighbourWork * 1e9);
    if (workNs === 0) for (;;) yield SPIN_NS;
    for (let leftNs = workNs; leftNs > 0; leftNs -= SPIN_NS) yield Math.min(SPIN_NS, leftNs);
    this.endNs.push(this.machine.nowNs);
    this.running--;
    this.finished();
  }

  /** Due at multiples of the period: a late round delays no other. */
  private *probe(index: number): TaskBody {
    const { machine } = this;
    let dueNs = this.place.random(`probe ${index}`).below(PROBE_PERIOD_NS);
    for (;;) {
      while (machine.nowNs < dueNs) yield machine.sleep(dueNs - machine.nowNs);
      this.wakeupNs.record(machine.nowNs - dueNs);
      yield PROBE_WORK_NS;
      dueNs += PROBE_PERIOD_NS * Math.max(1, Math.ceil((machine.nowNs - dueNs) / PROBE_PERIOD_NS));
    }
  }
}
