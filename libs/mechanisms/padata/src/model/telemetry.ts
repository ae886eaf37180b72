// What a padata cell writes: a table of samples, and one row per worker of each guest's job at the end.
import { column, type Sampled, sampled, sampleRowOf, samplesTable, TIME } from '@kworkbench/mechanism';
import type { TableSpec } from '@kworkbench/telemetry';
import { PAGE_BYTES } from './costs.js';
import type { Guest } from './guest.js';
import type { PadataSystem } from './system.js';

export const SAMPLE_PERIOD_NS = 50_000_000;
export const SAMPLES = 0;
export const WORKERS = 1;

const sum = (system: PadataSystem, of: (guest: Guest) => number): number =>
  system.guests.reduce((all, guest) => all + of(guest), 0);

const samples: readonly Sampled<PadataSystem>[] = [
  sampled('pinned_bytes', 'bytes', 'Memory that is pinned', (s) =>
    sum(s, ({ pin }) => (pin?.mm.pinnedPages ?? 0) * PAGE_BYTES),
  ),
  sampled('locked_bytes', 'bytes', 'locked_vm', (s) => sum(s, ({ pin }) => (pin?.mm.lockedPages ?? 0) * PAGE_BYTES)),
  sampled('cached_bytes', 'bytes', 'Reserved and not used yet', (s) =>
    sum(s, ({ pin }) => (pin?.mm.cachedPages ?? 0) * PAGE_BYTES),
  ),
  sampled('mmap_lock_writes_total', 'total', 'mmap_lock taken to write', (s) =>
    sum(s, ({ pin }) => pin?.mm.writes ?? 0),
  ),
  sampled('mmap_lock_waiting', 'count', 'Tasks that sleep for mmap_lock', (s) =>
    sum(s, ({ pin }) => pin?.mm.mmapLock.waiting ?? 0),
  ),
  sampled('workers', 'count', 'Workers of all jobs', (s) => s.padata.inUse),
  sampled('helpers_running', 'count', 'Helpers that have not finished', (s) =>
    sum(s, ({ jobs }) => jobs.at(-1)?.running ?? 0),
  ),
  sampled('pool_runtime_seconds', 'seconds', 'What the group may still run', (s) =>
    s.group?.pool.limited ? s.group.pool.runtimeNs / 1e9 : 0,
  ),
  sampled('debt_seconds', 'seconds', 'Debt of the group', (s) => (s.group?.pool.debtNs ?? 0) / 1e9),
  sampled(
    'throttled_seconds',
    'seconds',
    'throttled_time of the group',
    (s) => (s.group?.stat().throttledNs ?? 0) / 1e9,
  ),
];

export const tables: readonly TableSpec[] = [
  samplesTable('The state of the jobs at 20 Hz', samples),
  {
    name: 'workers',
    help: 'What each worker did, at the end',
    columns: [
      TIME,
      column('guest', 'count', 'Guest'),
      column('worker', 'count', '0 is the caller'),
      column('chunks', 'count', 'Chunks'),
      column('worked_bytes', 'bytes', 'What it worked on (or the unit of the job)'),
      column('cpu_seconds', 'seconds', 'CPU time'),
      column('charged_seconds', 'seconds', 'Of it charged to the group of the caller'),
    ],
  },
];

export const sampleRow = sampleRowOf(samples);

export function workerRows(system: PadataSystem): readonly (readonly number[])[] {
  const time = system.machine.nowNs / 1e9;
  return system.guests.flatMap(({ index, job }) =>
    job.workers.map(({ chunks, size, cpuNs }, worker) => {
      const charged = worker === 0 ? 0 : (job.helpers[worker - 1]?.chargedNs ?? 0);
      return [time, index, worker, chunks, size, cpuNs / 1e9, charged / 1e9];
    }),
  );
}
