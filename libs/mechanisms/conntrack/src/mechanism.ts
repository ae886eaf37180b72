// conntrack as the rest of the product sees it.
import { type Cell, counted, type Mechanism, type Problem } from '@kworkbench/mechanism';
import { ideas } from './idea.js';
import { kernelSchema } from './kernel.js';
import { metrics } from './metrics.js';
import type { ConntrackCell } from './model/system.js';
import { profiles } from './profiles.js';
import { published } from './published.js';
import { attachable, simulate } from './simulate.js';
import { variants } from './variants.js';
import { workloadSchema } from './workloads.js';

/** Raised with every change of behaviour: a result of another version is never taken for one of this. */
const MODEL_VERSION = 3;

const PREFILLED: readonly string[] = ['massExpiry', 'established', 'flush'];

function check(cell: Cell): readonly Problem[] {
  const { kernel, machine, workload } = cell as ConntrackCell;
  const problems: Problem[] = [...ideas.problems(kernel)];
  if (kernel.brought !== undefined && kernel.expiration === 'queues') {
    const expected = 'rculists, lists or buckets for a ct_clean that was brought along';
    problems.push({ path: 'kernel.expiration', expected, got: kernel.expiration });
  }
  const paced = workload.kind !== 'benchmark';
  if (!paced && workload.connections > workload.batch) {
    const expected = `at most one connection per packet of a batch (${workload.batch}) in the benchmark`;
    problems.push({ path: 'workload.connections', expected, got: workload.connections });
  }
  if (PREFILLED.includes(workload.kind) && workload.connections > kernel.connLimit) {
    const expected = `at least the ${counted(workload.connections, 'connection')} that are in the table at the begin`;
    problems.push({ path: 'kernel.connLimit', expected, got: kernel.connLimit });
  }
  if (PREFILLED.includes(workload.kind) && workload.connections < workload.threads) {
    const expected = `at least one connection for each of ${counted(workload.threads, 'thread')}`;
    problems.push({ path: 'workload.connections', expected, got: workload.connections });
  }
  if (!paced && kernel.connLimit < workload.threads * workload.connections) {
    const expected = `at least the ${counted(workload.threads * workload.connections, 'connection')} of the benchmark`;
    problems.push({ path: 'kernel.connLimit', expected, got: kernel.connLimit });
  }
  if (paced && workload.duration <= 0) {
    problems.push({ path: 'workload.duration', expected: 'a duration above 0', got: workload.duration });
  }
  if (paced && workload.packetRate <= 0) {
    problems.push({ path: 'workload.packetRate', expected: 'a rate above 0', got: workload.packetRate });
  }
  if (['zones', 'policies'].includes(workload.kind) && workload.adminRate <= 0) {
    problems.push({ path: 'workload.adminRate', expected: 'a rate above 0', got: workload.adminRate });
  }
  if (workload.packetCpus > machine.cpus) {
    const expected = `at most the ${counted(machine.cpus, 'CPU')} of the machine`;
    problems.push({ path: 'workload.packetCpus', expected, got: workload.packetCpus });
  }
  return problems;
}

function describeWorkload(cell: Cell): string {
  const { workload } = cell as ConntrackCell;
  const threads = counted(workload.threads, 'thread');
  if (workload.kind === 'benchmark') {
    return `${counted(workload.packets, 'packet')} a thread in batches of ${workload.batch} · ${threads}`;
  }
  const connections = counted(workload.connections, 'connection');
  const rate = `${workload.packetRate.toLocaleString('en')} packets/s a thread for ${workload.duration} s`;
  const kinds = {
    churn: `flows of ${counted(workload.flowPackets, 'packet')}`,
    synFlood: 'tuples that come once',
    established: `${connections}, ${workload.newRatio * 100} % new`,
    massExpiry: `${connections} expire after ${workload.expireAfter} s`,
    zones: `limits of ${counted(workload.zones, 'zone')}`,
    policies: `policies of ${counted(workload.zones, 'zone')}`,
    flush: `${connections} flushed after ${workload.flushAt} s`,
  };
  return `${kinds[workload.kind]} · ${rate} · ${threads}`;
}

export const conntrack: Mechanism = {
  name: 'conntrack',
  title: 'connection tracking of Open vSwitch in user space',
  modelVersion: MODEL_VERSION,
  variants,
  profiles,
  metrics,
  headline: [
    'wall_seconds',
    'packet_seconds_mean',
    'packet_latency_p99_seconds',
    'packet_latency_max_seconds',
    'ct_lock_acquisitions_per_packet',
    'conn_lock_acquisitions_per_packet',
    'line_transfers_per_packet',
    'ct_clean_round_max_seconds',
    'expired_backlog_max',
  ],
  published,
  kernelSchema,
  workloadSchema,
  check,
  describeWorkload,
  simulate,
  attachable,
  ideas,
};
