// The smallest mechanism there is, to begin a new one from: threads append records to one log. Before, a record is
// formatted under the lock of the log; after, ahead of it. One file here; a real one has a file for each part.
import { Mutex, type TaskBody } from '@kworkbench/machine';
import { durationHistogram, secondsAt, type TableSpec } from '@kworkbench/telemetry';
import { z } from 'zod';
import { counted } from '../counted.js';
import type { Definition } from '../hosts/definition.js';
import { buildHost, DEFAULT_HOST_KERNEL } from '../hosts/host.js';
import { machineProfiles } from '../hosts/machines.js';
import type { Attachable, Instance, Place } from '../instance.js';
import type { Mechanism } from '../mechanism.js';
import { metric } from '../metric.js';
import { integer } from '../quantity.js';
import { type Sampled, sampled, sampleRowOf, samplesTable } from '../samples.js';
import { simulateAlone } from '../simulate-on-host.js';

// kernel.ts, variants.ts: the options in which the designs differ, and the designs as presets of them.
const kernelSchema = z.strictObject({
  formatUnderLock: z.boolean().default(false).describe('A record is formatted while the lock of the log is held'),
});

const variants = [
  { id: 'before', title: 'formatted under the lock', source: 'an example', kernel: { formatUnderLock: true } },
  { id: 'after', title: 'formatted ahead of the lock', source: 'an example', kernel: {} },
];

// workloads.ts: what is injected.
const workloadSchema = z.strictObject({
  threads: integer(1, 1024).default(4),
  records: integer(1, 100_000).default(1000).describe('Records that each thread appends'),
});

// constants.ts: what things cost, with unit, source and basis.
const constants: readonly Definition[] = [
  ['formatNs', 20_000, 'Formatting a record'] as const,
  ['appendNs', 1_000, 'Appending a record, under the lock'] as const,
  ['thinkNs', 30_000, 'Between two records of a thread, mean'] as const,
].map(([name, value, help]) => ({
  name,
  unit: 'ns',
  help,
  min: 1,
  max: 1e9,
  deb510: [value, 'assumed', 'an example'],
}));

// metrics.ts
const metrics = [
  metric('log_seconds', 'seconds', 'lower', 'Until the last record is in the log'),
  metric('append_latency_p99_seconds', 'seconds', 'lower', 'From a record to its place in the log, 99th percentile'),
] as const;
type MetricName = (typeof metrics)[number]['name'];

// model/
class LogSystem implements Instance {
  readonly samplePeriodNs = 100_000_000;
  readonly latencyNs = durationHistogram('append_latency_seconds', 'From a record to its place in the log');
  written = 0;
  private readonly lock: Mutex;
  private readonly kernel: z.output<typeof kernelSchema>;
  private readonly workload: z.output<typeof workloadSchema>;

  constructor(private readonly place: Place) {
    this.lock = new Mutex(place.host.machine, 'log_lock');
    this.kernel = place.cell.kernel as typeof this.kernel;
    this.workload = place.cell.workload as typeof this.workload;
  }

  start(): void {
    const { machine } = this.place.host;
    for (let i = 0; i < this.workload.threads; i++) {
      machine.spawn(`thread/${i}`, () => this.thread(i), { near: machine.cpus[i % machine.cpus.length]! });
    }
  }

  get outstanding(): number {
    return this.workload.threads * this.workload.records - this.written;
  }

  get finished(): boolean {
    return this.outstanding === 0;
  }

  sample(timeNs: number): void {
    this.place.row(0, sampleRow(this, timeNs));
  }

  end(): ReturnType<Instance['end']> {
    const values: Record<MetricName, number> = {
      log_seconds: this.place.host.machine.nowNs / 1e9,
      append_latency_p99_seconds: secondsAt(this.latencyNs, 0.99),
    };
    return { metrics: values, histograms: [this.latencyNs.snapshot()] };
  }

  private *thread(index: number): TaskBody {
    const { machine } = this.place.host;
    const { formatNs, appendNs, thinkNs } = this.place.cell.machine.constants;
    const random = this.place.random(`thread ${index}`);
    for (let i = 0; i < this.workload.records; i++) {
      yield Math.ceil(random.exponential(thinkNs!));
      const beganNs = machine.nowNs;
      if (!this.kernel.formatUnderLock) yield formatNs!;
      yield* this.lock.lock();
      if (this.kernel.formatUnderLock) yield formatNs!;
      yield appendNs!;
      this.lock.unlock();
      this.latencyNs.record(machine.nowNs - beganNs);
      this.written++;
    }
    this.place.finished();
  }
}

// model/telemetry.ts
const samples: readonly Sampled<LogSystem>[] = [
  sampled('records_total', 'total', 'Records in the log', (system) => system.written),
];
const sampleRow = sampleRowOf(samples);
const tables: readonly TableSpec[] = [samplesTable('The log at 10 Hz', samples)];

// simulate.ts
const attachable: Attachable = {
  tables,
  host: (cell, tracer) => buildHost(cell.machine, cell.seed, DEFAULT_HOST_KERNEL, tracer),
  attach: (place) => new LogSystem(place),
};

// mechanism.ts
export const logLock: Mechanism = {
  name: 'log-lock',
  title: 'threads that append to one log',
  modelVersion: 1,
  variants,
  profiles: machineProfiles(constants),
  metrics,
  published: [],
  kernelSchema,
  workloadSchema,
  check: () => [],
  describeWorkload: ({ workload }) => counted(workload['threads'] as number, 'thread'),
  simulate: simulateAlone(attachable),
  attachable,
};
