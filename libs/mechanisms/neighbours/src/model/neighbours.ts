// Spinners and probes on a host: they have no end of their own and run as long as what they stand beside.
import type { Machine, Task, TaskBody } from '@kworkbench/machine';
import { column, type Instance, type Place, TIME } from '@kworkbench/mechanism';
import { durationHistogram, secondsAt, type TableSpec } from '@kworkbench/telemetry';
import type { metrics } from '../metrics.js';
import type { NeighboursWorkload } from '../workloads.js';

const SAMPLE_PERIOD_NS = 100_000_000;

/** Length of one burst of a spinner: short enough that its CPU time is known well, long enough to cost few events. */
const SPIN_NS = 10_000_000;

export const tables: readonly TableSpec[] = [
  {
    name: 'samples',
    help: 'Spinners and probes at 10 Hz',
    columns: [
      TIME,
      column('spinner_cpu_seconds', 'seconds', 'CPU time of all spinners so far'),
      column('probe_rounds_total', 'total', 'Wakeups of all probes so far'),
      column('probe_overruns_total', 'total', 'Periods missed so far'),
      column('wakeup_latency_max_seconds', 'seconds', 'Longest wakeup since the last sample'),
    ],
  },
];

export class Neighbours implements Instance {
  readonly finished = true;
  readonly outstanding = NaN;
  readonly samplePeriodNs = SAMPLE_PERIOD_NS;
  readonly latencyNs = durationHistogram(
    'wakeup_latency_seconds',
    'From the time a probe was due to its first instruction',
  );
  private readonly machine: Machine;
  private readonly workload: NeighboursWorkload;
  private readonly spinners: Task[] = [];
  private rounds = 0;
  private overruns = 0;
  private longestSinceSampleNs = 0;

  constructor(private readonly place: Place) {
    this.machine = place.host.machine;
    this.workload = place.cell.workload as NeighboursWorkload;
  }

  start(): void {
    const { spinners, spinnerNice, probes, probeNice } = this.workload;
    for (let i = 0; i < spinners; i++) {
      this.spinners.push(this.spawn(`spinner/${i}`, i, spinnerNice, () => this.spin()));
    }
    for (let i = 0; i < probes; i++) this.spawn(`probe/${i}`, i, probeNice, () => this.probe(i));
  }

  sample(timeNs: number): void {
    const { rounds, overruns, longestSinceSampleNs } = this;
    this.place.row(0, [timeNs / 1e9, this.spinnerCpuSeconds, rounds, overruns, longestSinceSampleNs / 1e9]);
    this.longestSinceSampleNs = 0;
  }

  end(): ReturnType<Instance['end']> {
    const seconds = this.machine.nowNs / 1e9;
    const wanted = seconds * this.spinners.length;
    const at = (q: number): number => secondsAt(this.latencyNs, q);
    const values: Record<(typeof metrics)[number]['name'], number> = {
      wakeup_latency_p50_seconds: at(0.5),
      wakeup_latency_p99_seconds: at(0.99),
      wakeup_latency_max_seconds: at(1),
      probe_rounds_total: this.rounds,
      probe_overruns_total: this.overruns,
      spinner_cpu_seconds: this.spinnerCpuSeconds,
      spinner_share_ratio: wanted > 0 ? this.spinnerCpuSeconds / wanted : 0,
    };
    return { metrics: values, histograms: [this.latencyNs.snapshot()] };
  }

  private get spinnerCpuSeconds(): number {
    let sumNs = 0;
    for (const task of this.spinners) sumNs += task.cpuTimeNs;
    return sumNs / 1e9;
  }

  private spawn(name: string, index: number, nice: number, body: () => TaskBody): Task {
    const { machine } = this;
    const task = machine.spawn(name, body, { near: machine.cpus[index % machine.cpus.length]!, asleep: true });
    machine.scheduler.setUserMode(task, true);
    machine.scheduler.renice(task, nice);
    machine.wake(task);
    return task;
  }

  private *spin(): TaskBody {
    for (;;) yield SPIN_NS;
  }

  /** Due at multiples of the period, as a timer with an absolute time (cyclictest): a late round delays no other. */
  private *probe(index: number): TaskBody {
    const { machine, workload } = this;
    const periodNs = Math.max(1, Math.round(workload.probePeriod * 1e9));
    const workNs = Math.round(workload.probeWork * 1e9);
    let dueNs = this.place.random(`probe ${index}`).below(periodNs);
    for (;;) {
      while (machine.nowNs < dueNs) yield machine.sleep(dueNs - machine.nowNs);
      const latencyNs = machine.nowNs - dueNs;
      this.latencyNs.record(latencyNs);
      if (latencyNs > this.longestSinceSampleNs) this.longestSinceSampleNs = latencyNs;
      yield workNs;
      this.rounds++;
      const missed = Math.floor(Math.max(0, machine.nowNs - dueNs - 1) / periodNs);
      this.overruns += missed;
      dueNs += (missed + 1) * periodNs;
    }
  }
}
