// The tables of a cell: the state over time, every close, and the queues after the closes of each reload.
import { column, type Sampled, sampled, sampleRowOf, samplesTable, TIME } from '@kworkbench/mechanism';
import type { TableSpec } from '@kworkbench/telemetry';
import type { CloseRecord } from './listen-stop.js';
import type { Listener } from './listener.js';
import type { ReuseportSystem } from './system.js';

export const SAMPLE_PERIOD_NS = 50_000_000;
export const SAMPLES = 0;
export const CLOSES = 1;
export const DEPTHS = 2;

const LISTENER = column('listener', 'count', 'Number of the listener: 0 is A');
const GENERATION = column('generation', 'count', 'Generation of its worker');

const sumOf = (listeners: readonly Listener[], value: (sk: Listener) => number): number =>
  listeners.reduce((sum, sk) => sum + value(sk), 0);

export const migrationsOf = ({ stack }: ReuseportSystem): number =>
  stack.mib.migrateSuccess.reduce((sum, count) => sum + count, 0);
export const failuresOf = ({ stack }: ReuseportSystem): number =>
  stack.mib.migrateFailure.reduce((sum, count) => sum + count, 0);

const samples: readonly Sampled<ReuseportSystem>[] = [
  sampled('started_total', 'total', 'Connections started', ({ stack }) => stack.outcomes.started),
  sampled('accepted_total', 'total', 'Connections accepted', ({ stack }) => stack.outcomes.accepted),
  sampled('lost_total', 'total', 'Connections lost, by any cause', ({ stack }) => stack.outcomes.lost),
  sampled('half_open', 'count', 'Half-open requests', ({ stack }) => sumOf(stack.listeners, ({ qlen }) => qlen)),
  sampled('queued', 'count', 'Connections in accept queues', ({ stack }) => sumOf(stack.listeners, (sk) => sk.length)),
  sampled('queued_listener_max', 'count', 'The same at the listener where it is most', ({ stack }) =>
    stack.listeners.reduce((max, sk) => Math.max(max, sk.length), 0),
  ),
  sampled('listeners', 'count', 'Listeners of the present group', ({ stack }) => stack.group.numSocks),
  sampled('listeners_closed', 'count', 'Closed ones that requests still refer to', ({ stack }) =>
    sumOf(stack.listeners, (sk) => (sk.listening ? 0 : 1)),
  ),
  sampled('migrations_total', 'total', 'Migrations', migrationsOf),
  sampled('migration_failures_total', 'total', 'Migrations that failed', failuresOf),
  sampled('listener_wrong', 'count', 'Queued requests that name another listener', ({ stack }) => stack.wrongListener),
];

export const tables: readonly TableSpec[] = [
  samplesTable('The state of the server at 20 Hz', samples),
  {
    name: 'closes',
    help: 'Closes of listeners, at their end',
    columns: [
      TIME,
      LISTENER,
      GENERATION,
      column('depth', 'count', 'Connections in its queue when it began'),
      column('migrated', 'count', 'Connections that moved'),
      column('reset', 'count', 'RSTs that were sent meanwhile'),
      column('close_seconds', 'seconds', 'Duration of close()'),
    ],
  },
  {
    name: 'depths',
    help: 'Queues of those who listen, after the closes of each reload',
    columns: [TIME, LISTENER, GENERATION, column('depth', 'count', 'Connections'), column('limit', 'count', 'Backlog')],
  },
];

export const sampleRow = sampleRowOf(samples);

export function closeRow({ listener, startNs, endNs, depth, migrated, reset }: CloseRecord): readonly number[] {
  return [endNs / 1e9, listener.number, listener.generation, depth, migrated, reset, (endNs - startNs) / 1e9];
}

export function depthRow(sk: Listener, timeNs: number): readonly number[] {
  return [timeNs / 1e9, sk.number, sk.generation, sk.length, sk.options.limit];
}
