// The metrics of a finished cell, from the state it ended in.
import { secondsAt } from '@kworkbench/telemetry';
import type { metrics } from '../metrics.js';
import type { ConntrackSystem } from './system.js';

type MetricName = (typeof metrics)[number]['name'];

export function metricsOf(system: ConntrackSystem): Record<MetricName, number> {
  const { ct, packets, latencyNs, cleaner, admin } = system;
  const { watch } = ct;
  const perPacket = (count: number): number => (packets > 0 ? count / packets : 0);
  const busyNs = system.threads.reduce((sum, thread) => sum + thread.busyNs, 0);
  const meanNs = system.paced ? latencyNs.mean : perPacket(busyNs);
  return {
    wall_seconds: system.endNs / 1e9,
    packet_seconds_mean: meanNs / 1e9,
    packet_cpu_seconds_mean: perPacket(system.packetCpuNs) / 1e9,
    packets_per_second: system.endNs > 0 ? (packets * 1e9) / system.endNs : 0,
    packet_latency_p50_seconds: secondsAt(latencyNs, 0.5),
    packet_latency_p99_seconds: secondsAt(latencyNs, 0.99),
    packet_latency_p999_seconds: secondsAt(latencyNs, 0.999),
    packet_latency_max_seconds: latencyNs.max / 1e9,
    ct_lock_acquisitions_per_packet: perPacket(watch.acquisitions),
    conn_lock_acquisitions_per_packet: perPacket(ct.connLocks.acquisitions),
    ct_lock_contended_ratio: watch.acquisitions > 0 ? watch.contentions / watch.acquisitions : 0,
    ct_lock_sleeps_total: ct.locks.reduce((sum, lock) => sum + lock.sleeps, 0),
    ct_lock_wait_p99_seconds: secondsAt(watch.waitNs, 0.99),
    ct_lock_wait_max_seconds: watch.waitNs.max / 1e9,
    ct_lock_hold_max_seconds: watch.holdNs.max / 1e9,
    line_transfers_per_packet: perPacket(system.lineTransfers),
    ct_clean_round_max_seconds: cleaner.roundMaxNs / 1e9,
    ct_clean_rounds_total: cleaner.rounds,
    expired_backlog_max: system.backlogMax,
    expired_oldest_seconds: system.backlogOldestMaxNs / 1e9,
    connections_max: ct.countMax,
    connections_bytes_max: ct.bytesMax,
    rcu_pending_max: ct.rcu.postponedMax,
    urcu_cpu_seconds: ct.rcu.cpuTimeNs / 1e9,
    queue_retries_total: ct.queues.reduce((sum, queue) => sum + queue.retries, 0),
    duplicate_inserts_total: ct.duplicates,
    policy_default_reads_total: ct.policies.readsOfNone,
    admin_operations_total: admin?.operations ?? 0,
    flush_seconds: (admin?.flushNs ?? 0) / 1e9,
    inserted_total: ct.inserted,
    removed_total: ct.removed,
    drops_full_total: ct.dropsFull,
    drops_zone_total: ct.dropsZone,
    drops_nat_total: ct.dropsNat,
    drops_total: system.drops,
  };
}
