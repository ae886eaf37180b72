// What an ipvs cell writes while it runs: one table of samples at 10 Hz of virtual time. What a user sees of the first
// namespace's total stands beside what was injected.
import { column, type Sampled, sampled, sampleRowOf, samplesTable, TIME } from '@kworkbench/mechanism';
import type { TableSpec } from '@kworkbench/telemetry';
import { EstKthreads } from './est-kthreads.js';
import { COUNTERS, decodeRate, INPKTS } from './ip-vs-stats.js';
import type { IpvsSystem } from './system.js';

export const SAMPLE_PERIOD_NS = 100_000_000;
export const SAMPLES = 0;
export const KTHREADS = 1;
/** Rows of the table of kthreads come at every twentieth sample: once in a period. */
export const KTHREADS_EVERY_NS = 2_000_000_000;

const totalAt = ({ netns }: IpvsSystem): number => netns[0]!.total * COUNTERS + INPKTS;
const sumOf = (
  { netns }: IpvsSystem,
  read: (status: IpvsSystem['netns'][number]['estimation']['status']) => number,
): number => netns.reduce((sum, { estimation }) => sum + read(estimation.status), 0);

const samples: readonly Sampled<IpvsSystem>[] = [
  sampled('estimators', 'count', 'Estimators that exist', (s) => s.parts.estimators.count),
  sampled('estimators_placed', 'count', 'Estimators that are walked', (s) => sumOf(s, (one) => one.placed)),
  sampled('est_temp_list', 'count', 'Estimators that wait for a place', (s) => sumOf(s, (one) => one.unplaced)),
  sampled('kthreads_running', 'count', 'Kthreads with a task', (s) => sumOf(s, (one) => one.kthreadsRunning)),
  sampled(
    'chain_max',
    'count',
    'Limit of a chain in the first namespace',
    (s) => s.netns[0]!.estimation.status.chainMax,
  ),
  sampled('estimation_cpu_seconds', 'seconds', 'CPU time of estimation so far', (s) => s.cpuNs / 1e9),
  sampled('samples_total', 'total', 'Samples taken so far', (s) => s.parts.observer.samples),
  sampled('missed_total', 'total', 'Periods without a sample so far', (s) => s.parts.observer.missed),
  sampled(
    'softirq_stall_max_seconds',
    'seconds',
    'Longest walk in softirq so far',
    (s) => s.parts.observer.stallMaxNs / 1e9,
  ),
  sampled('tick_max_seconds', 'seconds', 'Longest tick so far', (s) => s.parts.observer.tickNs.max / 1e9),
  sampled(
    'nonpreemptible_max_seconds',
    'seconds',
    'Longest section so far',
    (s) => s.parts.observer.sectionMaxNs / 1e9,
  ),
  sampled('estimator_bytes', 'bytes', 'Memory of estimators', (s) => s.parts.memory.bytes),
  sampled(
    'total_packets_shown',
    'count',
    'Packets of the total, as shown',
    (s) => s.parts.estimators.last[totalAt(s)]!,
  ),
  sampled('total_packets_injected', 'count', 'Packets of the total, as injected', (s, timeNs) =>
    s.traffic.packets(s.netns[0]!.total, timeNs),
  ),
  sampled('total_rate_shown_per_second', 'per_second', 'Packet rate of the total, as shown', (s) =>
    decodeRate(s.parts.estimators.average[totalAt(s)]!, INPKTS),
  ),
  sampled('total_rate_injected_per_second', 'per_second', 'Packet rate of the total, as injected', (s, timeNs) =>
    s.traffic.rate(s.netns[0]!.total, timeNs),
  ),
];

export const tables: readonly TableSpec[] = [
  samplesTable('Estimation at 10 Hz', samples),
  {
    name: 'kthreads',
    help: 'Each kthread, once in two seconds',
    columns: [
      TIME,
      column('netns', 'count', 'Namespace'),
      column('kthread', 'count', 'Slot in est_kt_arr'),
      column('running', 'count', '1 while it has a task'),
      column('estimators', 'count', 'Estimators in its chains'),
      column('rows', 'count', 'Rows that have estimators'),
      column('row_estimators_max', 'count', 'Estimators in its fullest row'),
      column('cpu_seconds', 'seconds', 'CPU time so far'),
    ],
  },
];

export const sampleRow = sampleRowOf(samples);

/** Rows of the table of kthreads. */
export function* kthreadRows({ netns }: IpvsSystem, timeNs: number): Iterable<readonly number[]> {
  for (const { index, estimation } of netns) {
    if (!(estimation instanceof EstKthreads)) continue;
    for (const kd of estimation.placement.kthreads) {
      if (kd === undefined) continue;
      const running = kd.task !== undefined && !kd.task.exited ? 1 : 0;
      const rows = kd.tickLen.reduce((sum, length) => sum + (length > 0 ? 1 : 0), 0);
      yield [timeNs / 1e9, index, kd.id, running, kd.estCount, rows, Math.max(...kd.tickLen), kd.cpuNs / 1e9];
    }
  }
}
