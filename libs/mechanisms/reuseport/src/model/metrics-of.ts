// The metrics of a finished cell, from the state it ended in.
import { secondsAt } from '@kworkbench/telemetry';
import type { metrics } from '../metrics.js';
import { Outcome } from './outcomes.js';
import type { ReuseportSystem } from './system.js';
import { Point } from './tcp-stack.js';
import { failuresOf, migrationsOf } from './telemetry.js';

type MetricName = (typeof metrics)[number]['name'];

const ratio = (part: number, whole: number, otherwise = 0): number => (whole === 0 ? otherwise : part / whole);

export function metricsOf(system: ReuseportSystem, holdMaxNs: number): Record<MetricName, number> {
  const { stack, listenStop, reload, lockdep } = system;
  const { outcomes, mib, holds } = stack;
  const inversions = lockdep.count('instance');
  const lost = (outcome: Outcome): number => outcomes.counts[outcome]!;
  return {
    connections_started_total: outcomes.started,
    connections_accepted_total: outcomes.accepted,
    connections_lost_total: outcomes.lost,
    connections_open: outcomes.open,
    lost_ratio: ratio(outcomes.lost, outcomes.started),
    lost_per_reload_mean: ratio(outcomes.lost, reload.reloads),
    connections_lost_queue_rst_total: lost(Outcome.QueueRst),
    connections_lost_ack_rst_total: lost(Outcome.AckRst),
    connections_lost_half_open_hang_total: lost(Outcome.HalfOpenHang),
    connections_lost_refused_total: lost(Outcome.Refused),
    connections_lost_target_closed_total: lost(Outcome.TargetClosed),
    connections_lost_policy_drop_total: lost(Outcome.PolicyDrop),
    connections_lost_new_group_total: lost(Outcome.NewGroup),
    connections_lost_overflow_total: lost(Outcome.Overflow),
    connections_lost_timed_out_total: lost(Outcome.TimedOut),
    connections_lost_gave_up_total: lost(Outcome.GaveUp),
    migrations_total: migrationsOf(system),
    migrations_close_total: mib.migrateSuccess[Point.Close]!,
    migrations_synack_timer_total: mib.migrateSuccess[Point.SynackTimer]!,
    migrations_final_ack_total: mib.migrateSuccess[Point.FinalAck]!,
    migration_failures_total: failuresOf(system),
    hops_mean: ratio(stack.hopsTotal, stack.migratedAccepted),
    accept_latency_p50_seconds: secondsAt(stack.acceptNs, 0.5),
    accept_latency_p99_seconds: secondsAt(stack.acceptNs, 0.99),
    accept_latency_max_seconds: secondsAt(stack.acceptNs, 1),
    connect_latency_p50_seconds: secondsAt(stack.connectNs, 0.5),
    connect_latency_p99_seconds: secondsAt(stack.connectNs, 0.99),
    connect_latency_max_seconds: secondsAt(stack.connectNs, 1),
    queue_depth_max: stack.depthMax,
    queue_over_limit_max: stack.overLimitMax,
    imbalance_ratio: ratio(system.depthMaxSum, system.depthMeanSum, 1),
    close_mean_seconds: ratio(system.closeNsSum, system.closes) / 1e9,
    close_max_seconds: listenStop.closeMaxNs / 1e9,
    lock_hold_max_seconds: holdMaxNs / 1e9,
    queue_lock_hold_max_seconds: holds.rskq.maxNs / 1e9,
    queue_lock_contentions_total: holds.rskq.contentions,
    bh_off_max_seconds: listenStop.bhOffMaxNs / 1e9,
    listener_wrong_max: stack.wrongListenerMax,
    lockdep_warnings_total: lockdep.reports.length - inversions,
    lock_inversions_total: inversions,
    syn_retried_total: stack.synRetried,
    overflow_delayed_total: stack.overflowDelayed,
    app_mismatches_total: stack.synNotSaved,
    listen_overflows_total: mib.listenOverflows,
    listen_drops_total: mib.listenDrops,
    over_limit_drops_total: mib.overLimitDrops,
    resets_total: mib.resets,
    synack_retransmits_total: mib.synackRetransmits,
    cookies_sent_total: mib.cookiesSent,
    sleeping_with_work_seconds: stack.sleepingWithWorkNs / 1e9,
    reloads_total: reload.reloads,
    groups_total: stack.groups,
  };
}
