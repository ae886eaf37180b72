// What a netns cell writes while it runs: one table of samples at 10 Hz of virtual time, one row per cleanup_net() pass.
import type { ColumnSpec, TableSpec, Unit } from '@kworkbench/telemetry';
import type { PassRecord } from './cleanup-net.js';
import type { NetnsSystem } from './system.js';

export const SAMPLE_PERIOD_NS = 100_000_000;
export const SAMPLES = 0;
export const PASSES = 1;

interface Sampled {
  readonly column: ColumnSpec;
  readonly read: (system: NetnsSystem) => number;
}

const column = (name: string, unit: Unit, help: string): ColumnSpec => ({ name, unit, help });
const sampled = (name: string, unit: Unit, help: string, read: Sampled['read']): Sampled => ({
  column: column(name, unit, help),
  read,
});

const samples: readonly Sampled[] = [
  sampled('mem_available_bytes', 'bytes', 'MemAvailable', (s) => s.memory.availableBytes),
  sampled('slab_bytes', 'bytes', 'Slab memory of namespaces', (s) => s.nsMemory.slabBytes),
  sampled('percpu_bytes', 'bytes', 'Per-CPU memory of namespaces', (s) => s.nsMemory.percpu.bytes),
  sampled('sock_inode_cache', 'count', 'Objects of sock_inode_cache', (s) => s.nsMemory.sockInode.objects),
  sampled('sock_inode_cache_bytes', 'bytes', 'Bytes of sock_inode_cache', (s) => s.nsMemory.sockInode.bytes),
  sampled('net_namespace', 'count', 'Objects of net_namespace', (s) => s.nsMemory.netNamespace.objects),
  sampled('fqdir_bytes', 'bytes', 'Bytes of fqdirs and their bucket tables', (s) => s.nsMemory.fqdir.bytes),
  sampled('slab_other_bytes', 'bytes', 'Bytes of all other caches', (s) => s.nsMemory.slabOther.bytes),
  sampled('netns_outstanding', 'count', 'Namespaces created and not yet torn down', (s) => s.namespaces.outstanding),
  sampled('netns_listed', 'count', 'Namespaces on cleanup_list', (s) => s.namespaces.listed),
  sampled('netns_in_pass', 'count', 'Namespaces in the cleanup_net() pass under way', (s) => s.namespaces.inPass),
  sampled('netns_deferred', 'count', 'struct nets that wait for the next pass', (s) => s.namespaces.deferred),
  sampled('netns_created_total', 'total', 'Namespaces created', (s) => s.namespaces.created),
  sampled('fqdir_pending', 'count', 'fqdirs that wait to be freed', (s) => s.fragment.pending),
  sampled('rcu_barrier_waiters', 'count', 'Tasks inside rcu_barrier() that wait their turn', (s) => s.barrier.waiting),
  sampled('rcu_barrier_full_total', 'total', 'Barriers that were run', (s) => s.barrier.full),
  sampled('rcu_barrier_early_total', 'total', 'rcu_barrier() calls that left early', (s) => s.barrier.early),
  sampled(
    'barrier_mutex_steals_total',
    'total',
    'barrier_mutex taken ahead of a waiter',
    (s) => s.barrier.mutex.steals,
  ),
  sampled('rcu_gp_total', 'total', 'Grace periods completed', (s) => s.rcu.gpCompleted),
  sampled('rcu_callbacks_queued', 'count', 'RCU callbacks queued on all CPUs', (s) => s.rcu.queued),
  sampled(
    'rcu_callbacks_queued_cpu_max',
    'count',
    'RCU callbacks queued on the fullest CPU',
    (s) => s.rcu.queuedOnFullest,
  ),
  sampled('kworkers', 'count', 'kworkers alive', (s) => s.workqueues.workers),
  sampled('kworkers_running', 'count', 'kworkers of bound pools that run', (s) => s.workqueues.running),
  sampled(
    'kworkers_blocked',
    'count',
    'kworkers of bound pools that sleep inside a work item',
    (s) => s.workqueues.blocked,
  ),
  sampled(
    'kworkers_blocked_pool_max',
    'count',
    'The same in the pool where it is most',
    (s) => s.workqueues.blockedInFullest,
  ),
  sampled('kworkers_created_total', 'total', 'kworkers created', (s) => s.workqueues.workersCreated),
];

const seconds = (name: string, help: string): ColumnSpec => column(name, 'seconds', help);
const TIME = seconds('time_seconds', 'Virtual time');

export const tables: readonly TableSpec[] = [
  { name: 'samples', help: 'The state of the machine at 10 Hz', columns: [TIME, ...samples.map((s) => s.column)] },
  {
    name: 'cleanup_passes',
    help: 'cleanup_net() passes, at their end',
    columns: [
      TIME,
      column('batch', 'count', 'Namespaces in the pass'),
      seconds('gp_seconds', 'Unlinking and the first grace period'),
      seconds('rtnl_seconds', 'Devices, under RTNL'),
      seconds('first_barrier_seconds', 'First rcu_barrier()'),
      seconds('exit_seconds', 'Exit methods'),
      seconds('second_barrier_seconds', 'Second rcu_barrier()'),
      seconds('pass_seconds', 'The whole pass'),
    ],
  },
];

const row = new Float64Array(samples.length + 1);

/** The present state as a row of the table of samples; the array is used again by the next call. */
export function sampleRow(system: NetnsSystem, timeNs: number): Float64Array {
  row[0] = timeNs / 1e9;
  for (let i = 0; i < samples.length; i++) row[i + 1] = samples[i]!.read(system);
  return row;
}

export function passRow(pass: PassRecord): readonly number[] {
  const { endNs, batch, gpNs, rtnlNs, firstBarrierNs, exitNs, secondBarrierNs, totalNs } = pass;
  return [
    endNs / 1e9,
    batch,
    ...[gpNs, rtnlNs, firstBarrierNs, exitNs, secondBarrierNs, totalNs].map((ns) => ns / 1e9),
  ];
}
