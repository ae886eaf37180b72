// The metrics of a finished cell, from the state it ended in.
import { secondsAt } from '@kworkbench/telemetry';
import type { metrics } from '../metrics.js';
import type { NetnsSystem } from './system.js';

type MetricName = (typeof metrics)[number]['name'];

/** A pass waits for a grace period once and for two barriers of about two each (spec, section 5.1). */
const GRACE_PERIODS_PER_CLEAN_PASS = 5;
/** S where the creation rate alone keeps cleanup_net() busy: no finite batch is stable. */
const UNSTABLE = 1e6;

/** S = F λ c0 / ((1 - λ a) max_active): the fqdirs that a clean pass leaves behind, in units of what a pool takes. */
function stabilityIndicator(system: NetnsSystem, loopSeconds: number): number {
  const { costs } = system;
  const { kernel } = system.cell;
  const rate = loopSeconds > 0 ? system.namespaces.created / loopSeconds : 0;
  const cleanPassSeconds = (costs.passFixedNs + GRACE_PERIODS_PER_CLEAN_PASS * costs.gpNs) / 1e9;
  const slack = 1 - (rate * costs.teardownNs) / 1e9;
  if (slack <= 0) return UNSTABLE;
  return Math.min(UNSTABLE, (kernel.fqdirsPerNs * rate * cleanPassSeconds) / (slack * kernel.maxActive));
}

export function metricsOf(system: NetnsSystem): Record<MetricName, number> {
  const { memory, nsMemory, namespaces, fragment, barrier, rcu, workqueues, cleanup, loop, passes } = system;
  const loopSeconds = system.loopEndNs / 1e9;
  const inLoop = passes.filter((pass) => pass.endNs <= system.loopEndNs);
  const longestNs = inLoop.reduce((max, pass) => Math.max(max, pass.totalNs), 0);
  const firstTwoNs = passes.slice(0, 2).reduce((max, pass) => Math.max(max, pass.totalNs), 0);
  const startBytes = memory.availableBytes + memory.usedBytes;
  const deferredBytes = namespaces.deferred * nsMemory.structNetBytes;
  return {
    loop_seconds: loopSeconds,
    mem_available_dip_bytes: startBytes - memory.availableMinBytes,
    mem_slope_bytes_per_second: loopSeconds > 0 ? (startBytes - system.availableAtLoopEndBytes) / loopSeconds : 0,
    unshare_latency_p50_seconds: secondsAt(loop.latencyNs, 0.5),
    unshare_latency_p99_seconds: secondsAt(loop.latencyNs, 0.99),
    unshare_latency_p999_seconds: secondsAt(loop.latencyNs, 0.999),
    unshare_latency_max_seconds: secondsAt(loop.latencyNs, 1),
    drain_seconds: (system.machine.nowNs - system.loopEndNs) / 1e9,
    mem_leaked_bytes: nsMemory.bytes - deferredBytes,
    mem_deferred_bytes: deferredBytes,
    slab_max_bytes: nsMemory.slabMaxBytes,
    percpu_max_bytes: nsMemory.percpu.bytesMax,
    sock_inode_cache_max: nsMemory.sockInode.objectsMax,
    net_namespace_max: nsMemory.netNamespace.objectsMax,
    netns_outstanding_max: namespaces.outstandingMax,
    netns_created_total: namespaces.created,
    netns_freed_total: namespaces.freed,
    enospc_total: loop.enospc,
    enomem_total: loop.enomem,
    oom_kills_total: memory.oomKills,
    cleanup_passes_total: cleanup.passes,
    cleanup_passes_in_loop_total: inLoop.length,
    cleanup_pass_longest_seconds: longestNs / 1e9,
    cleanup_pass_second_seconds: firstTwoNs / 1e9,
    cleanup_batch_max: cleanup.batchMax,
    fqdir_pending_max: fragment.pendingMax,
    rcu_barrier_calls_total: barrier.calls,
    rcu_barrier_full_total: barrier.full,
    rcu_barrier_early_total: barrier.early,
    rcu_barrier_waiters_max: barrier.waitersMax,
    rcu_barrier_wait_p50_seconds: secondsAt(barrier.waitNs, 0.5),
    rcu_barrier_wait_p99_seconds: secondsAt(barrier.waitNs, 0.99),
    rcu_barrier_wait_max_seconds: secondsAt(barrier.waitNs, 1),
    barrier_mutex_steals_total: barrier.mutex.steals,
    rcu_gp_total: rcu.gpCompleted,
    rcu_gp_mean_seconds: rcu.gpCompleted > 0 ? rcu.gpTotalNs / rcu.gpCompleted / 1e9 : 0,
    rcu_callbacks_queued_max: rcu.queuedMax,
    kworkers_max: workqueues.workersMax,
    use_after_free_total: fragment.useAfterFree,
    stability_indicator_ratio: stabilityIndicator(system, loopSeconds),
  };
}
