// The metrics of a finished cell, from the state it ended in.
import { secondsAt } from '@kworkbench/telemetry';
import type { metrics } from '../metrics.js';
import { constantName, PAGE_BYTES } from './costs.js';
import type { Guest } from './guest.js';
import type { Helper } from './helper.js';
import type { PadataSystem } from './system.js';

type MetricName = (typeof metrics)[number]['name'];

/** Time of the first guest's job by one thread that nothing disturbs. */
function aloneSeconds({ cell, guests }: PadataSystem): number {
  const { workload, machine } = cell;
  const { size } = guests[0]!.job.spec;
  if (workload.kind === 'compute') return size / 1e9;
  if (workload.kind === 'deferredInit') return (size * machine.constants['structPageNs']!) / 1e9;
  const pageNs = machine.constants[constantName(workload.pages, workload.prefaulted, 'PageNs')]!;
  return ((size / PAGE_BYTES) * pageNs) / 1e9;
}

/** CPU time of caller and helpers from the job's begin, over what the quota allowed in that time, less 1. */
function quotaOverage({ group, guests, cell }: PadataSystem, cpuNs: number): number {
  if (group === undefined) return 0;
  const { quota, parentQuota, period } = cell.workload;
  const tightest = Math.min(quota || Infinity, parentQuota || Infinity);
  const fromNs = Math.min(...guests.map(({ beganNs }) => beganNs));
  const toNs = Math.max(...guests.map(({ endedNs }) => endedNs));
  return cpuNs / (((toNs - fromNs) / period) * tightest) - 1;
}

export function metricsOf(system: PadataSystem): Record<MetricName, number> {
  const { guests, padata, bystanders, group, lockdep, cell } = system;
  const first = guests[0]!;
  const { job } = first;
  const sum = (of: (guest: Guest) => number): number => guests.reduce((all, guest) => all + of(guest), 0);
  const mm = (of: 'lockedPages' | 'lockedPagesMax' | 'cachedPagesMax' | 'pinnedPages' | 'undonePages'): number =>
    sum(({ pin }) => (pin?.mm[of] ?? 0) * PAGE_BYTES);
  const helpers: readonly Helper[] = guests.flatMap(({ jobs }) => jobs.flatMap((one) => [...one.helpers]));
  const helperCpuNs = helpers.reduce((all, { cpuNs }) => all + cpuNs, 0);
  const chargedNs = helpers.reduce((all, one) => all + one.chargedNs, 0);
  const mainCpuNs = sum(({ task }) => task.cpuTimeNs);
  const jobSeconds = Math.max(...guests.map((guest) => guest.jobSeconds));
  const stat = group?.stat();
  const wakeup = (q: number): number => secondsAt(bystanders.wakeupNs, q);
  const { workers } = job;
  const worked = workers.map(({ size }) => size);
  const meanWorked = worked.reduce((all, size) => all + size, 0) / workers.length;
  return {
    job_seconds: jobSeconds,
    guest_start_seconds: Math.max(...guests.map((guest) => guest.startSeconds)),
    speedup_ratio: jobSeconds > 0 && job.error === 0 ? aloneSeconds(system) / jobSeconds : 0,
    workers: workers.length,
    workers_requested: job.requested,
    workers_cap: job.cap,
    chunks_total: sum(({ jobs }) =>
      jobs.reduce((all, one) => all + one.workers.reduce((n, { chunks }) => n + chunks, 0), 0),
    ),
    chunk_bytes: job.dispenser.chunk,
    worker_share_max_ratio: meanWorked > 0 ? Math.max(...worked) / meanWorked : 0,
    helper_cpu_seconds: helperCpuNs / 1e9,
    main_cpu_seconds: mainCpuNs / 1e9,
    wait_for_helpers_seconds: job.waitNs / 1e9,
    renice_total: padata.reniceEvents,
    mmap_lock_write_wait_seconds_total: sum(({ pin }) => (pin?.mm.writeWaitNs ?? 0) / 1e9),
    mmap_lock_read_wait_seconds_total: sum(({ pin }) => (pin?.mm.readWaitNs ?? 0) / 1e9),
    mmap_lock_writes_total: sum(({ pin }) => pin?.mm.writes ?? 0),
    locked_bytes_max: mm('lockedPagesMax'),
    cached_bytes_max: mm('cachedPagesMax'),
    locked_bytes_end: mm('lockedPages'),
    pinned_bytes_end: mm('pinnedPages'),
    error_code: job.error,
    undo_calls_total: sum(({ pin }) => pin?.undoCalls ?? 0),
    undo_bytes: mm('undonePages'),
    undo_seconds: sum(({ pin }) => (pin?.undoNs ?? 0) / 1e9),
    kill_latency_seconds: Math.max(
      ...guests.map((guest) => (guest.killedNs < 0 ? 0 : (guest.returnedNs - guest.killedNs) / 1e9)),
    ),
    quota_overage_ratio: quotaOverage(system, mainCpuNs + helperCpuNs),
    debt_max_seconds: system.debtMaxNs / 1e9,
    debt_blocked_seconds: (group?.pool.refillsBlocked ?? 0) * cell.workload.period,
    charged_seconds: chargedNs / 1e9,
    uncharged_seconds: (helperCpuNs - chargedNs) / 1e9,
    cpu_stat_usage_seconds: (stat?.usageNs ?? 0) / 1e9,
    throttled_seconds: (stat?.throttledNs ?? 0) / 1e9,
    nr_throttled_total: stat?.nrThrottled ?? 0,
    nr_bursts_total: stat?.nrBursts ?? 0,
    neighbour_slowdown_ratio: bystanders.slowdownRatio,
    neighbour_wakeup_p50_seconds: wakeup(0.5),
    neighbour_wakeup_p99_seconds: wakeup(0.99),
    misplaced_bytes: sum(({ pin }) => pin?.misplacedBytes ?? 0),
    leaked_bytes: sum(({ pin }) => pin?.leakedBytes ?? 0),
    lockdep_reports_total: lockdep?.count('circular') ?? 0,
  };
}
