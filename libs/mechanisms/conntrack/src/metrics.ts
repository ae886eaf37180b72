// Every metric of a conntrack cell. The simulation must produce exactly these.
import type { MetricSpec } from '@kworkbench/mechanism';
import type { Unit } from '@kworkbench/telemetry';

const metric = (name: string, unit: Unit, better: MetricSpec['better'], help: string): MetricSpec => ({
  name,
  unit,
  better,
  help,
});

export const metrics = [
  metric('wall_seconds', 'seconds', 'lower', 'Until the last packet thread has ended'),
  metric('packet_seconds_mean', 'seconds', 'lower', 'Time of a thread per packet (benchmark), or mean latency'),
  metric('packet_cpu_seconds_mean', 'seconds', 'lower', 'CPU time of the packet threads per packet, spinning included'),
  metric('packets_per_second', 'per_second', 'higher', 'All threads together'),
  metric('packet_latency_p50_seconds', 'seconds', 'lower', 'Latency of a packet, median'),
  metric('packet_latency_p99_seconds', 'seconds', 'lower', 'Latency of a packet, 99th percentile'),
  metric('packet_latency_p999_seconds', 'seconds', 'lower', 'Latency of a packet, 99.9th percentile'),
  metric('packet_latency_max_seconds', 'seconds', 'lower', 'Latency of a packet, maximum'),
  metric('ct_lock_acquisitions_per_packet', 'ratio', 'lower', 'ct_lock (or bucket locks), all takers, per packet'),
  metric('conn_lock_acquisitions_per_packet', 'ratio', 'lower', 'conn->lock, all takers, per packet'),
  metric('ct_lock_contended_ratio', 'ratio', 'lower', 'Acquisitions of ct_lock that had to wait'),
  metric('ct_lock_sleeps_total', 'total', 'lower', 'Waits for ct_lock that went to sleep in futex(2)'),
  metric('ct_lock_wait_p99_seconds', 'seconds', 'lower', 'Time to get ct_lock, 99th percentile'),
  metric('ct_lock_wait_max_seconds', 'seconds', 'lower', 'Time to get ct_lock, maximum'),
  metric('ct_lock_hold_max_seconds', 'seconds', 'lower', 'Time that ct_lock was held, maximum'),
  metric('line_transfers_per_packet', 'ratio', 'lower', 'Cache lines moved between cores, per packet'),
  metric('ct_clean_round_max_seconds', 'seconds', 'lower', 'Longest round of ct_clean'),
  metric('ct_clean_rounds_total', 'total', 'none', 'Rounds of ct_clean'),
  metric('expired_backlog_max', 'count', 'lower', 'Connections that had expired and were still there, maximum'),
  metric('expired_oldest_seconds', 'seconds', 'lower', 'Longest time by which one of them outlived its timeout'),
  metric('connections_max', 'count', 'none', 'Connections in the table, maximum'),
  metric('connections_bytes_max', 'bytes', 'lower', 'Memory of connections and table, maximum'),
  metric('rcu_pending_max', 'count', 'lower', 'Connections that waited for a grace period, maximum'),
  metric('urcu_cpu_seconds', 'seconds', 'lower', 'CPU time of the thread that frees after the grace period'),
  metric('queue_retries_total', 'total', 'lower', 'Times the cleaner found an insert under way'),
  metric('duplicate_inserts_total', 'total', 'lower', 'Tuples inserted while they were in the table (v3)'),
  metric('policy_default_reads_total', 'total', 'lower', 'Policy lookups that fell between removal and insert'),
  metric('admin_operations_total', 'total', 'none', 'Operations on zone limits or policies'),
  metric('flush_seconds', 'seconds', 'lower', 'Time that the flush took'),
  metric('inserted_total', 'total', 'none', 'Connections inserted'),
  metric('removed_total', 'total', 'none', 'Connections removed'),
  metric('drops_full_total', 'total', 'lower', 'Packets refused at n_conn_limit'),
  metric('drops_zone_total', 'total', 'lower', 'Packets refused at the limit of their zone'),
  metric('drops_nat_total', 'total', 'lower', 'Packets refused for want of a port'),
  metric('drops_total', 'total', 'lower', 'Packets refused'),
] as const satisfies readonly MetricSpec[];
