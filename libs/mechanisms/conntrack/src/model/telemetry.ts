// What a conntrack cell writes while it runs: samples at 10 Hz of virtual time, and one row per round of ct_clean.
import { column, type Sampled, sampled, sampleRowOf, samplesTable, TIME } from '@kworkbench/mechanism';
import type { ColumnSpec, TableSpec } from '@kworkbench/telemetry';
import type { RoundRecord } from './ct-clean.js';
import type { ConntrackSystem } from './system.js';

export const SAMPLE_PERIOD_NS = 100_000_000;
export const SAMPLES = 0;
export const ROUNDS = 1;

const samples: readonly Sampled<ConntrackSystem>[] = [
  sampled('packets_total', 'total', 'Packets of all threads', (s) => s.packets),
  sampled('connections', 'count', 'Connections in the table', (s) => s.ct.count),
  sampled('connections_bytes', 'bytes', 'Memory of connections and table', (s) => s.ct.bytes),
  sampled('expired_backlog', 'count', 'Connections that have expired and are still there', (s) => s.backlog),
  sampled(
    'expired_oldest_seconds',
    'seconds',
    'By how much the oldest of them has outlived its timeout',
    (s) => s.backlogOldestNs / 1e9,
  ),
  sampled('rcu_pending', 'count', 'Connections that wait for a grace period', (s) => s.ct.rcu.pending),
  sampled('queue_depth', 'count', 'Nodes in all queues', (s) =>
    s.ct.queues.reduce((sum, queue) => sum + queue.length, 0),
  ),
  sampled('ct_lock_acquisitions_total', 'total', 'Acquisitions of ct_lock', (s) => s.ct.watch.acquisitions),
  sampled('ct_lock_contended_total', 'total', 'Those that had to wait', (s) => s.ct.watch.contentions),
  sampled('conn_lock_acquisitions_total', 'total', 'Acquisitions of conn->lock', (s) => s.ct.connLocks.acquisitions),
  sampled('line_transfers_total', 'total', 'Cache lines moved between cores', (s) => s.lineTransfers),
  sampled('drops_total', 'total', 'Packets refused', (s) => s.drops),
];

const seconds = (name: string, help: string): ColumnSpec => column(name, 'seconds', help);

export const tables: readonly TableSpec[] = [
  samplesTable('The state of conntrack at 10 Hz', samples),
  {
    name: 'clean_rounds',
    help: 'Rounds of ct_clean, at their end',
    columns: [
      TIME,
      seconds('start_seconds', 'When it began'),
      seconds('round_seconds', 'How long it took'),
      column('removed', 'count', 'Connections removed'),
      column('visited', 'count', 'Connections looked at'),
      column('requeued', 'count', 'Connections put back'),
      seconds('sleep_seconds', 'The sleep that it chose'),
    ],
  },
];

export const sampleRow = sampleRowOf(samples);

export function roundRow(round: RoundRecord): readonly number[] {
  const { startNs, endNs, removed, visited, requeued, sleepNs } = round;
  return [endNs / 1e9, startNs / 1e9, (endNs - startNs) / 1e9, removed, visited, requeued, sleepNs / 1e9];
}
