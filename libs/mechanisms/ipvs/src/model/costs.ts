// What samples cost on the machine of a cell at this moment: the governor and the load change them, the limits that were
// calculated before do not change with them.
import type { IpvsKernel } from '../kernel.js';
import type { IpvsWorkload } from '../workloads.js';

export class EstCosts {
  /** A sample of a periodic walk, all CPUs read. */
  sampleNs = 0;
  /** One in the calculation. */
  hotNs = 0;
  /** A look at an estimator that is passed over: one line of it, no counters. */
  skipNs = 0;
  readonly netlinkNs: number;
  private switched = false;

  constructor(
    readonly constants: Readonly<Record<string, number>>,
    readonly cpus: number,
    private readonly kernel: IpvsKernel,
    private readonly workload: IpvsWorkload,
  ) {
    this.netlinkNs = this.of('netlinkBaseNs') + cpus * this.of('netlinkPerCpuNs');
    this.update();
  }

  of(name: string): number {
    return this.constants[name]!;
  }

  /** From performance to powersave, or back. */
  switchGovernor(): void {
    this.switched = !this.switched;
    this.update();
  }

  private update(): void {
    const load = this.workload.saturate ? this.of('loadRatio') : 1;
    const coldNs = this.of(this.switched ? 'otherColdNs' : 'estimateColdNs') * load;
    const hotNs = this.of(this.switched ? 'otherHotNs' : 'estimateHotNs') * load;
    const read = this.kernel.skipQuietCpus ? Math.min(this.cpus, this.workload.trafficCpus) : this.cpus;
    this.sampleNs = this.of('estimateBaseNs') + read * coldNs;
    this.hotNs = this.of('estimateBaseNs') + this.cpus * hotNs;
    this.skipNs = this.of('estimateBaseNs') + coldNs;
  }
}
