// What an ipvs cell writes while it runs: one table of samples at 10 Hz of virtual time. What a user sees of the first
// namespace's total stands beside what was injected.
import { column, type Sampled, sampled, sampleRowOf, samplesTable, TIME } from '@kworkbench/mechanism';
import type { TableSpec } from '@kworkbench/telemetry';
import type { EstKtData } from './est-kt-data.js';
import { EstKthreads } from './est-kthreads.js';
import type { EstimationStatus } from './est-parts.js';
import { COUNTERS, decodeRate, INPKTS } from './ip-vs-stats.js';
import type { IpvsSystem } from './system.js';

export const SAMPLE_PERIOD_NS = 100_000_000;
export const SAMPLES = 0;
export const KTHREADS = 1;
/** Rows of the table of kthreads come at every twentieth sample: once in a period. */
export const KTHREADS_EVERY_NS = 2_000_000_000;

const totalAt = ({ netns }: IpvsSystem): number => netns[0]!.total * COUNTERS + INPKTS;
const sumOf = ({ statuses }: IpvsSystem, read: (status: EstimationStatus) => number): number =>
  statuses.reduce((sum, status) => sum + read(status), 0);
const maxOf = ({ statuses }: IpvsSystem, read: (status: EstimationStatus) => number): number =>
  statuses.reduce((most, status) => Math.max(most, read(status)), 0);

const samples: readonly Sampled<IpvsSystem>[] = [
  sampled('estimators', 'count', 'Estimators that exist', (s) => s.parts.estimators.count),
  sampled('estimators_placed', 'count', 'Estimators that are walked', (s) => sumOf(s, (one) => one.placed)),
  sampled('est_temp_list', 'count', 'Estimators that wait for a place', (s) => sumOf(s, (one) => one.unplaced)),
  sampled(
    'est_temp_list_age_seconds',
    'seconds',
    'How long the one that waits longest has done so',
    (s) => maxOf(s, (one) => one.waitingMaxNs) / 1e9,
  ),
  sampled('kthreads', 'count', 'Kthreads that have their data', (s) => sumOf(s, (one) => one.kthreads)),
  sampled('kthreads_limit', 'count', 'Kthreads that a namespace may have', (s) => maxOf(s, (one) => one.kthreadsLimit)),
  sampled('kthreads_running', 'count', 'Kthreads with a task', (s) => sumOf(s, (one) => one.kthreadsRunning)),
  sampled('chain_max', 'count', 'Limit of a chain in the first namespace', (s) => s.statuses[0]!.chainMax),
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
  sampled('percpu_bytes', 'bytes', 'The part of it that is per-CPU counters', (s) => s.parts.memory.percpuNow),
  sampled('kthread_data_bytes', 'bytes', 'The part that is data of kthreads', (s) => s.parts.memory.kthreadsNow),
  sampled('tick_bytes', 'bytes', 'The part that is ticks', (s) => s.parts.memory.ticksNow),
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
      column('row_imbalance_ratio', 'ratio', 'Its fullest row over the mean of all fifty'),
      column('chain_imbalance_ratio', 'ratio', 'Its longest chain over the mean of those that are not empty'),
      column('wakeups_total', 'total', 'Wakeups by its timer so far'),
      column('backlogs_dropped_total', 'total', 'Times so far that it was too late to make up for its ticks'),
      column('late_max_seconds', 'seconds', 'How late it came for a row so far, maximum'),
      column('tick_max_seconds', 'seconds', 'Its longest tick so far'),
    ],
  },
];

export const sampleRow = sampleRowOf(samples);

const kthreadRow = (kd: EstKtData): readonly number[] => [
  kd.id,
  kd.task !== undefined && !kd.task.exited ? 1 : 0,
  kd.estCount,
  kd.tickLen.reduce((sum, length) => sum + (length > 0 ? 1 : 0), 0),
  kd.rowMax,
  kd.cpuNs / 1e9,
  kd.rowImbalance,
  kd.chainImbalance,
  kd.wakeups,
  kd.droppedBacklogs,
  kd.lateMaxNs / 1e9,
  kd.tickMaxNs / 1e9,
];

/** Rows of the table of kthreads. */
export function* kthreadRows({ netns }: IpvsSystem, timeNs: number): Iterable<readonly number[]> {
  for (const { index, estimation } of netns) {
    if (!(estimation instanceof EstKthreads)) continue;
    for (const kd of estimation.placement.kthreads) {
      if (kd === undefined) continue;
      yield [timeNs / 1e9, index, ...kthreadRow(kd)];
    }
  }
}
