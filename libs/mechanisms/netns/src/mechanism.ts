// netns as the rest of the product sees it.
import { type Cell, counted, type Mechanism, type Problem } from '@kworkbench/mechanism';
import { Memory } from '@kworkbench/machine';
import { ideas } from './idea.js';
import { kernelSchema } from './kernel.js';
import { metrics } from './metrics.js';
import { nsCosts } from './model/costs.js';
import { NsMemory } from './model/ns-memory.js';
import type { NetnsCell } from './model/system.js';
import { profiles } from './profiles.js';
import { published } from './published.js';
import { attachable, simulate } from './simulate.js';
import { variants } from './variants.js';
import { workloadSchema } from './workloads.js';

/** Raised with every change of behaviour: a result of another version is never taken for one of this. */
const MODEL_VERSION = 4;

function check(cell: Cell): readonly Problem[] {
  const { kernel, machine, workload } = cell as NetnsCell;
  const { constants } = machine;
  const problems: Problem[] = [];
  const unknown = ideas.problems(kernel);
  if (unknown.length > 0) return unknown;
  const nsMemory = nsMemoryOf(cell as NetnsCell);
  const baseBytes = constants['baseMemoryBytes']!;
  // Below this the machine is out of memory before the first unshare: one namespace per thread and one more.
  const leastBytes = baseBytes + (workload.threads + 1) * nsMemory.totalBytes;
  const usableBytes = machine.memoryBytes * (1 - constants['minWaterRatio']!);
  if (usableBytes < leastBytes) {
    problems.push({
      path: 'machine.memory',
      expected: `at least ${Math.ceil(leastBytes / (1 - constants['minWaterRatio']!) / 2 ** 20)}MiB for what the machine uses and ${counted(workload.threads, 'thread')}`,
      got: machine.memoryBytes,
    });
  }
  if (!nsMemory.consistent) {
    problems.push({
      path: 'machine.constants.exitMemoryRatio',
      expected: 'memory shares that leave room for struct net and the fqdirs',
      got: constants['exitMemoryRatio'],
    });
  }
  // A thread that unshares holds one namespace while it asks for the next; below that it would ask forever.
  const needed =
    workload.kind === 'holdAndDrop'
      ? workload.cycles
      : workload.kind === 'exec'
        ? 1
        : Math.min(workload.cycles, workload.threads + 1);
  if (kernel.userLimit > 0 && kernel.userLimit < needed) {
    problems.push({
      path: 'kernel.userLimit',
      expected: `at least ${needed.toLocaleString('en')} for this workload (or 0 for no limit)`,
      got: kernel.userLimit,
    });
  }
  if (workload.kind === 'bursts' && workload.interval <= 0) {
    problems.push({ path: 'workload.interval', expected: 'a duration above 0', got: workload.interval });
  }
  return problems;
}

function nsMemoryOf({ machine, kernel }: NetnsCell): NsMemory {
  const memory = new Memory({
    totalBytes: machine.memoryBytes,
    baseBytes: 0,
    lowWaterBytes: 0,
    minWaterBytes: 0,
    stallMinRatio: 1,
    stallMaxRatio: 1,
  });
  const costs = nsCosts(machine.constants, kernel, machine.cpus);
  return new NsMemory(memory, machine.constants, costs, machine.cpus, kernel.fqdirsPerNs);
}

function describeWorkload(cell: Cell): string {
  const { workload } = cell as NetnsCell;
  const cycles = counted(workload.cycles, 'unshare cycle');
  const rate = workload.rate > 0 ? ` · ${workload.rate.toLocaleString('en')}/s` : '';
  const kinds = {
    storm: cycles,
    bursts: `${cycles} in bursts of ${workload.burst.toLocaleString('en')} every ${workload.interval} s`,
    holdAndDrop: `${counted(workload.cycles, 'namespace')} held, then dropped at once`,
    exec: `${cycles}, a process each`,
  };
  return `${kinds[workload.kind]} · ${counted(workload.threads, 'thread')}${rate}`;
}

export const netns: Mechanism = {
  name: 'netns',
  title: 'network namespace teardown',
  modelVersion: MODEL_VERSION,
  variants,
  profiles,
  metrics,
  headline: [
    'loop_seconds',
    'mem_available_dip_bytes',
    'mem_slope_bytes_per_second',
    'unshare_latency_p50_seconds',
    'unshare_latency_p99_seconds',
    'drain_seconds',
    'rcu_barrier_wait_p99_seconds',
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
