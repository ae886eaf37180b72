// The simulated host that mechanisms share: one machine with its memory, RCU, workqueues and rcu_barrier(), built from
// the constants that every cost profile gives under the same names. Several mechanisms can be put on one host, so that
// what one does to the others comes out of the same CPUs, locks and grace periods.
import {
  Machine,
  Memory,
  type RandomStream,
  Rcu,
  RcuBarrier,
  type ThrottleAt,
  type Workqueue,
  Workqueues,
  type Tracer,
} from '@kworkbench/machine';
import type { MachineSpec } from '../mechanism.js';

/** What is one for the whole kernel, and so is set by the mechanism under study, not by those beside it. */
export interface HostKernel {
  readonly barrier: 'mutex' | 'sequence';
  /** barrier_mutex is first come, first served. */
  readonly barrierFair: boolean;
  /** max_active of system_wq, per CPU. */
  readonly maxActive: number;
  /** Where a throttled task stops; anywhere in the kernel by default. */
  readonly throttleAt?: ThrottleAt;
}

/** As in the kernel: one mutex, WQ_DFL_ACTIVE. */
export const DEFAULT_HOST_KERNEL: HostKernel = { barrier: 'mutex', barrierFair: false, maxActive: 256 };

export interface Host {
  readonly machine: Machine;
  readonly memory: Memory;
  readonly rcu: Rcu;
  readonly barrier: RcuBarrier;
  readonly workqueues: Workqueues;
  readonly systemWq: Workqueue;
  /** Asked in turn when memory is out; true when one of them gave a victim. */
  readonly oomVictims: (() => boolean)[];
}

/**
 * @param spec `constants` holds at least those of the host (constants.ts).
 * @param seed of the cell; every entity draws from a stream of its own.
 * @param tracer looks on from the begin, so that it knows the host's own locks.
 */
export function buildHost(spec: MachineSpec, seed: number, kernel: HostKernel, tracer?: Tracer): Host {
  const constant = (name: string): number => spec.constants[name]!;
  const machine = new Machine({
    cpus: spec.cpus,
    hz: spec.hz,
    seed,
    contextSwitchNs: constant('contextSwitchNs'),
    schedSliceNs: constant('schedSliceNs'),
    ...(spec.fairClass && { fairClass: spec.fairClass }),
    ...(spec.preemption && { preemption: spec.preemption }),
    ...(kernel.throttleAt && { throttleAt: kernel.throttleAt }),
  });
  tracer?.attach(machine);
  const memory = new Memory({
    totalBytes: spec.memoryBytes,
    baseBytes: constant('baseMemoryBytes'),
    lowWaterBytes: constant('lowWaterRatio') * spec.memoryBytes,
    minWaterBytes: constant('minWaterRatio') * spec.memoryBytes,
    stallMinRatio: constant('reclaimStallMinRatio'),
    stallMaxRatio: constant('reclaimStallMaxRatio'),
  });
  const rcu = new Rcu(machine, {
    gpNs: gracePeriodNs(spec.constants, spec.cpus),
    gpJitterRatio: constant('rcuGpJitterRatio'),
    expeditedNs: constant('rcuExpeditedNs'),
    callbackNs: constant('rcuCallbackNs'),
    blimit: constant('rcuBlimit'),
    divisor: constant('rcuDivisor'),
    qhimark: constant('rcuQhimark'),
    qlowmark: constant('rcuQlowmark'),
    ...(spec.preemptRcu !== undefined && { preemptRcu: spec.preemptRcu }),
  });
  rcu.startBackground(constant('rcuBackgroundPerCpuPerSecond') * spec.cpus);
  const barrier = new RcuBarrier(machine, rcu, {
    kind: kernel.barrier,
    fair: kernel.barrierFair,
    stealProbability: constant('mutexStealProbability'),
    ipiNs: constant('rcuIpiNs'),
  });
  const workqueues = new Workqueues(machine, {
    workerCreateNs: constant('workerCreateNs'),
    workerIdleTimeoutNs: constant('workerIdleTimeoutNs'),
  });
  const oomVictims: (() => boolean)[] = [];
  memory.onOom = () => oomVictims.some((victim) => victim());
  return { machine, memory, rcu, barrier, workqueues, systemWq: workqueues.alloc(kernel.maxActive), oomVictims };
}

/** Length of a grace period: a scan over the CPUs, and what it waits for whatever their number. */
export function gracePeriodNs(constants: Readonly<Record<string, number>>, cpus: number): number {
  return Math.round(constants['rcuGpBaseNs']! + cpus * constants['rcuGpPerCpuNs']!);
}

/** Random streams of one instance on a host: two of the same mechanism draw different numbers. */
export type RandomOf = (entity: string) => RandomStream;
