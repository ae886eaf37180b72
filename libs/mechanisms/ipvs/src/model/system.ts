// IPVS on a host: namespaces, their estimation, who configures them and what loads the machine, wired together.
import { invariant, Mutex, type Task, type TaskBody, Timers } from '@kworkbench/machine';
import type { Cell, Instance, Place } from '@kworkbench/mechanism';
import type { IpvsKernel } from '../kernel.js';
import type { IpvsWorkload } from '../workloads.js';
import { Admin } from './admin.js';
import { buildOf } from './build.js';
import { EstCosts } from './costs.js';
import { EstKthreads } from './est-kthreads.js';
import { tickChains } from './est-limits.js';
import { EstMemory } from './est-memory.js';
import type { EstimationStatus, EstParts } from './est-parts.js';
import { Estimators } from './estimators.js';
import { IpvsNetns } from './ipvs-netns.js';
import { metricsOf } from './metrics-of.js';
import { Observer } from './observer.js';
import { Packets } from './packets.js';
import { KTHREADS, KTHREADS_EVERY_NS, kthreadRows, SAMPLE_PERIOD_NS, SAMPLES, sampleRow } from './telemetry.js';
import { Traffic } from './traffic.js';

export type IpvsCell = Cell<IpvsKernel, IpvsWorkload>;

/** Length of one burst of a task that saturates a CPU. */
const HOG_NS = 10_000_000;
const MAX_PREALLOCATED = 2 ** 21;

export class IpvsSystem implements Instance {
  readonly cell: IpvsCell;
  readonly parts: EstParts;
  readonly traffic: Traffic;
  readonly netns: readonly IpvsNetns[];
  readonly samplePeriodNs = SAMPLE_PERIOD_NS;
  readonly outstanding = NaN;
  finished = false;
  /** CPU time of estimation when the warm-up was over, and of each kthread. */
  warmCpuNs = 0;
  warmSamples = 0;
  warmKthreadCpuNs: readonly number[] = [];
  /** Packets that had come and that no reader could see yet, in all totals; and the most of it. */
  hiddenPacketsMax = 0;
  /** Of all namespaces at the present sample. */
  statuses: readonly EstimationStatus[] = [];
  private readonly admin: Admin;
  private readonly packets: Packets | undefined;
  private readonly hogs: Task[] = [];

  constructor(private readonly place: Place) {
    const { machine, rcu, memory, workqueues } = place.host;
    const cell = place.cell as IpvsCell;
    const { kernel, workload } = cell;
    this.cell = cell;
    const costs = new EstCosts(cell.machine.constants, machine.cpus.length, kernel, workload);
    const rules = workload.netns * workload.services * (1 + workload.destinations);
    const estimators = new Estimators(Math.min(rules, MAX_PREALLOCATED) + workload.netns + workload.idleNetns + 64);
    const stopNs = workload.trafficStopAt < 0 ? Infinity : workload.trafficStopAt * 1e9;
    this.traffic = new Traffic(estimators, stopNs);
    const observer = new Observer(machine, estimators, this.traffic);
    observer.warmupNs = Math.round(workload.warmup * 1e9);
    const build = buildOf(cell);
    this.parts = {
      machine,
      timers: Timers.of(machine),
      rcu,
      workqueues,
      longWq: workqueues.alloc(256),
      unboundWq: workqueues.allocUnbound(256),
      kernel,
      build,
      costs,
      estimators,
      memory: new EstMemory(memory, costs, kernel.limits === 'fixed' ? 1 : tickChains(build.preemptRcu)),
      observer,
      configMutex: new Mutex(machine, '__ip_vs_mutex'),
      timerCpu: machine.cpus[0]!,
    };
    const random = place.random('traffic');
    const all = workload.netns + workload.idleNetns;
    this.netns = Array.from(
      { length: all },
      (_, index) => new IpvsNetns(this.parts, this.traffic, workload, random, index),
    );
    this.admin = new Admin(this.parts, workload, this.netns, place.random('churn'));
    this.packets =
      workload.packetRate > 0
        ? new Packets(machine, this.parts.timerCpu, costs, observer, place.random('packets'), workload.packetRate)
        : undefined;
  }

  start(): void {
    const { machine } = this.parts;
    const { workload } = this.cell;
    this.admin.start();
    this.packets?.start();
    if (workload.saturate) this.startHogs();
    const mark = machine.addActor((end) => (end === 1 ? this.finish() : this.warm()));
    machine.schedule(workload.warmup * 1e9, mark, 0);
    machine.schedule(workload.duration * 1e9, mark, 1);
  }

  get loaded(): boolean {
    return this.admin.loaded;
  }

  /** CPU time that estimation has taken so far, in all namespaces. */
  get cpuNs(): number {
    return this.netns.reduce((sum, { estimation }) => sum + estimation.status.cpuNs, 0);
  }

  get kthreadCpuNs(): readonly number[] {
    return this.netns.flatMap(({ estimation }) => estimation.status.kthreadCpuNs);
  }

  sample(timeNs: number): void {
    const { observer } = this.parts;
    this.statuses = this.netns.map(({ estimation }) => estimation.status);
    for (const { waitingMaxNs } of this.statuses) {
      if (waitingMaxNs > observer.tempAgeMaxNs) observer.tempAgeMaxNs = waitingMaxNs;
    }
    const hidden = this.hiddenPackets(timeNs);
    if (hidden > this.hiddenPacketsMax) this.hiddenPacketsMax = hidden;
    this.place.row(SAMPLES, sampleRow(this, timeNs));
    if (timeNs % KTHREADS_EVERY_NS !== 0) return;
    this.checkPlacement();
    for (const row of kthreadRows(this, timeNs)) this.place.row(KTHREADS, row);
  }

  /** Packets that have come to the first namespace's total and that its readers cannot see yet. */
  hiddenPackets(timeNs: number): number {
    const { estimators } = this.parts;
    const first = this.netns[0]!;
    return first.gone ? 0 : this.traffic.packets(first.total, timeNs) - estimators.last[first.total * 5 + 1]!;
  }

  end(): ReturnType<Instance['end']> {
    this.checkPlacement();
    const counted = this.netns.reduce((sum, { rules, gone }) => sum + rules.length + (gone ? 0 : 1), 0);
    invariant(counted <= this.parts.estimators.count, 'ipvs: estimators were lost');
    const { observer } = this.parts;
    const histograms = [
      observer.periodNs,
      observer.errorNs,
      observer.firstNs,
      observer.addNs,
      observer.tickNs,
      observer.stallNs,
      observer.packetNs,
      observer.rearmNs,
      observer.sleepNs,
      observer.lateNs,
      observer.mutexNs,
      observer.spinNs,
    ];
    return { metrics: metricsOf(this), histograms: histograms.map((histogram) => histogram.snapshot()) };
  }

  /** Rows, chains and bitmaps agree; but for a kernel that has written over them. */
  private checkPlacement(): void {
    if (this.parts.observer.overruns > 0) return;
    for (const { estimation } of this.netns) {
      if (estimation instanceof EstKthreads && estimation.limits().maxCount > 0) estimation.placement.check();
    }
  }

  private warm(): void {
    this.warmCpuNs = this.cpuNs;
    this.warmSamples = this.parts.observer.samples;
    this.warmKthreadCpuNs = this.kthreadCpuNs;
  }

  private finish(): void {
    this.finished = true;
    this.place.finished();
  }

  private startHogs(): void {
    const { machine } = this.parts;
    const body = function* (): TaskBody {
      for (;;) yield HOG_NS;
    };
    for (const cpu of machine.cpus) {
      this.hogs.push(machine.spawn(`hog/${cpu.index}`, body, { on: cpu, userMode: true }));
    }
  }
}
