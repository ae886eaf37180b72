// ipvs as the rest of the product sees it.
import { type Cell, counted, type Mechanism, type Problem } from '@kworkbench/mechanism';
import { ideas } from './idea.js';
import { kernelSchema } from './kernel.js';
import { metrics } from './metrics.js';
import { buildOf, machineOf } from './model/build.js';
import { cpuRanges } from './model/cpulist.js';
import { estTickJiffies } from './model/est-limits.js';
import type { IpvsCell } from './model/system.js';
import { profiles } from './profiles.js';
import { published } from './published.js';
import { attachable, simulate } from './simulate.js';
import { variants } from './variants.js';
import { MAX_ESTIMATORS, workloadSchema } from './workloads.js';

/** Raised with every change of behaviour: a result of another version is never taken for one of this. */
const MODEL_VERSION = 2;

const LEAST_HZ = 25;

function check(cell: Cell): readonly Problem[] {
  const { kernel, machine, workload } = cell as IpvsCell;
  const problems: Problem[] = [...ideas.problems(kernel)];
  const refuse = (path: string, expected: string, got: unknown): void => void problems.push({ path, expected, got });
  if (workload.services === 0 && workload.destinations > 0) {
    refuse('workload.services', 'at least 1 service for the destinations to belong to', 0);
  }
  const rules = workload.netns * workload.services * (1 + workload.destinations);
  if (rules > MAX_ESTIMATORS) {
    refuse(
      'workload.services',
      `at most ${MAX_ESTIMATORS.toLocaleString('en')} services and destinations in all`,
      rules,
    );
  }
  if (workload.warmup >= workload.duration) {
    refuse('workload.warmup', `a time before the end of the run (${workload.duration} s)`, workload.warmup);
  }
  if (workload.duration <= 0) refuse('workload.duration', 'a duration above 0', workload.duration);
  if (workload.add === 'paced' && workload.addInterval < 1e-6) {
    refuse('workload.addInterval', 'a duration of at least 1us', workload.addInterval);
  }
  for (const name of ['estCpulist', 'estCpulistWriter'] as const) {
    if (cpuRanges(workload[name]).some(({ last }) => last >= machine.cpus))
      refuse(`workload.${name}`, `CPUs from 0 to ${machine.cpus - 1}`, workload[name]);
  }
  if (estTickJiffies(machine.hz) < 1) refuse('machine.hz', `at least ${LEAST_HZ}, for a tick of a jiffy`, machine.hz);
  const { preemption = 'full' } = machineOf({ kernel, machine });
  if (preemption === 'full' && !buildOf({ kernel, machine }).preemptRcu) {
    refuse('machine.preemptRcu', 'true with full preemption, which selects PREEMPT_RCU', false);
  }
  return problems;
}

function describeWorkload(cell: Cell): string {
  const { workload, machine } = cell as IpvsCell;
  const { services, destinations, netns } = workload;
  const parts = [counted(services, 'service')];
  if (destinations > 0) parts.push(`${counted(destinations, 'destination')} each`);
  if (netns > 1) parts.push(counted(netns, 'namespace'));
  return [...parts, counted(machine.cpus, 'possible CPU'), `${workload.duration} s`].join(' · ');
}

export const ipvs: Mechanism = {
  name: 'ipvs',
  title: 'estimation of IPVS rates',
  modelVersion: MODEL_VERSION,
  variants,
  profiles,
  metrics,
  headline: [
    'softirq_stall_max_seconds',
    'kthreads',
    'kthread_cpu_max_ratio',
    'nonpreemptible_max_seconds',
    'packet_latency_p99_seconds',
    'estimation_period_mean_seconds',
    'tick_max_seconds',
    'cpu_total_ratio',
    'estimators_unplaced',
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
