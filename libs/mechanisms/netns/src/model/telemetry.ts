// What a netns cell writes while it runs: one table of samples at 10 Hz of virtual time, one row per cleanup_net() pass.
import { column, type Sampled, sampled, sampleRowOf, samplesTable, TIME } from '@kworkbench/mechanism';
import type { ColumnSpec, TableSpec } from '@kworkbench/telemetry';
import type { PassRecord } from './cleanup-net.js';
import type { NetnsSystem } from './system.js';

export const SAMPLE_PERIOD_NS = 100_000_000;
export const SAMPLES = 0;
export const PASSES = 1;

const samples: readonly Sampled<NetnsSystem>[] = [
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

export const tables: readonly TableSpec[] = [
  samplesTable('The state of the machine at 10 Hz', samples),
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

export const sampleRow = sampleRowOf(samples);

export function passRow(pass: PassRecord): readonly number[] {
  const { endNs, batch, gpNs, rtnlNs, firstBarrierNs, exitNs, secondBarrierNs, totalNs } = pass;
  return [
    endNs / 1e9,
    batch,
    ...[gpNs, rtnlNs, firstBarrierNs, exitNs, secondBarrierNs, totalNs].map((ns) => ns / 1e9),
  ];
}
