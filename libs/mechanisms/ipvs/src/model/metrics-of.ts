// The metrics of a finished cell, from the state it ended in.
import { secondsAt } from '@kworkbench/telemetry';
import type { metrics } from '../metrics.js';
import type { EstKtData } from './est-kt-data.js';
import { EstKthreads } from './est-kthreads.js';
import { EstState } from './estimators.js';
import { COUNTERS, decodeRate, INPKTS } from './ip-vs-stats.js';
import type { IpvsSystem } from './system.js';

type MetricName = (typeof metrics)[number]['name'];

/** After so many samples under steady traffic an average is within 1 % of what it becomes. */
const SETTLED_SAMPLES = 16;

/** Shown packet rates of rules whose averages have settled, over the injected ones, less one. */
function rateError({ parts, traffic, cell }: IpvsSystem): number {
  const { estimators, machine } = parts;
  if (cell.workload.trafficStopAt >= 0) return 0;
  let shown = 0;
  let injected = 0;
  for (let est = 0; est < estimators.top; est++) {
    const state = estimators.state[est]!;
    const walked = state === EstState.Linked || state === EstState.Listed;
    const settled = estimators.samples[est]! >= SETTLED_SAMPLES && estimators.packetsPerSecond[est]! >= 0;
    if (!walked || !settled) continue;
    shown += decodeRate(estimators.average[est * COUNTERS + INPKTS]!, INPKTS);
    injected += traffic.rate(est, machine.nowNs);
  }
  return injected === 0 ? 0 : shown / injected - 1;
}

function kthreadsOf({ netns }: IpvsSystem): readonly EstKtData[] {
  return netns.flatMap(({ estimation }) =>
    estimation instanceof EstKthreads ? estimation.placement.kthreads.filter((kd) => kd !== undefined) : [],
  );
}

function busiestKthread(system: IpvsSystem, seconds: number): number {
  const { warmKthreadCpuNs } = system;
  let most = 0;
  system.kthreadCpuNs.forEach((ns, i) => {
    const before = warmKthreadCpuNs[i] ?? 0;
    // A slot that was given to another kthread meanwhile counts from its begin.
    most = Math.max(most, ns >= before ? ns - before : ns);
  });
  return seconds > 0 ? most / 1e9 / seconds : 0;
}

/** CPU time of one sample, times the estimators that are walked, over two seconds. */
function perRound(system: IpvsSystem): number {
  const samples = system.parts.observer.samples - system.warmSamples;
  if (samples <= 0) return 0;
  const placed = system.netns.reduce((sum, { estimation }) => sum + estimation.status.placed, 0);
  return ((system.cpuNs - system.warmCpuNs) / samples / 2e9) * placed;
}

export function metricsOf(system: IpvsSystem): Record<MetricName, number> {
  const { observer, memory, machine } = system.parts;
  const { workload } = system.cell;
  const all = system.netns.map(({ estimation }) => estimation.status);
  const sum = (read: (status: (typeof all)[number]) => number): number =>
    all.reduce((total, status) => total + read(status), 0);
  const seconds = workload.duration - workload.warmup;
  const kthreads = sum((status) => status.kthreads);
  const placed = kthreadsOf(system);
  const running = sum((status) => status.kthreadsRunning);
  return {
    softirq_stall_max_seconds: observer.stallMaxNs / 1e9,
    softirq_stall_mean_seconds: observer.stallNs.mean / 1e9,
    timer_rearm_mean_seconds: observer.rearmNs.mean / 1e9,
    packet_latency_p99_seconds: secondsAt(observer.packetNs, 0.99),
    packet_latency_max_seconds: secondsAt(observer.packetNs, 1),
    packets_dropped_total: observer.packetsDropped,
    estimation_period_mean_seconds: observer.periodNs.mean / 1e9,
    estimation_period_max_seconds: secondsAt(observer.periodNs, 1),
    estimation_period_error_p50_seconds: secondsAt(observer.errorNs, 0.5),
    estimation_period_error_p99_seconds: secondsAt(observer.errorNs, 0.99),
    estimation_period_error_max_seconds: secondsAt(observer.errorNs, 1),
    estimation_missed_total: observer.missed,
    first_estimation_p50_seconds: secondsAt(observer.firstNs, 0.5),
    first_estimation_mean_seconds: observer.firstNs.mean / 1e9,
    first_estimation_max_seconds: secondsAt(observer.firstNs, 1),
    nonpreemptible_max_seconds: Math.max(observer.sectionMaxNs, observer.stallMaxNs) / 1e9,
    kthreads,
    kthreads_limit: Math.max(...all.map((status) => status.kthreadsLimit)),
    kthread_cpu_max_ratio: busiestKthread(system, seconds),
    kthread_wakeups_per_second: running > 0 ? sum((status) => status.wakeups) / running / (machine.nowNs / 1e9) : 0,
    kthread_late_max_seconds: secondsAt(observer.lateNs, 1),
    cpu_total_ratio: seconds > 0 ? (system.cpuNs - system.warmCpuNs) / 1e9 / seconds : 0,
    cpu_per_round_ratio: perRound(system),
    tick_mean_seconds: observer.tickNs.mean / 1e9,
    tick_max_seconds: secondsAt(observer.tickNs, 1),
    tick_estimators_max: observer.tickLenMax,
    chain_len_max: observer.chainLenMax,
    row_imbalance_ratio: Math.max(0, ...placed.map((kd) => kd.rowImbalance)),
    chain_imbalance_ratio: Math.max(0, ...placed.map((kd) => kd.chainImbalance)),
    chain_max: Math.max(...all.map((status) => status.chainMax)),
    kthread_estimators_limit: Math.max(...all.map((status) => status.maxCount)),
    calc_phase_seconds: observer.calcPhaseNs / 1e9,
    calc_phases_total: observer.calcPhases,
    backlogs_dropped_total: sum((status) => status.droppedBacklogs),
    estimators_placed: sum((status) => status.placed),
    estimators_unplaced: sum((status) => status.unplaced),
    temp_list_age_max_seconds: Math.max(observer.tempAgeMaxNs, ...all.map((status) => status.waitingMaxNs)) / 1e9,
    samples_total: observer.samples,
    add_latency_p50_seconds: secondsAt(observer.addNs, 0.5),
    add_latency_p99_seconds: secondsAt(observer.addNs, 0.99),
    add_latency_max_seconds: secondsAt(observer.addNs, 1),
    config_mutex_wait_max_seconds: secondsAt(observer.mutexNs, 1),
    est_lock_spin_max_seconds: secondsAt(observer.spinNs, 1),
    estimator_bytes: memory.bytes,
    kthread_bytes: memory.kthreadsAndTicks,
    rate_error_ratio: rateError(system),
    hidden_packets_max: system.hiddenPacketsMax,
    array_overruns_total: observer.overruns,
  };
}
