// What a machine says about its scheduler.
import { invariant } from '../invariant.js';
import type { ThrottleAt } from './bandwidth-group.js';
import { CfsQueue } from './cfs-queue.js';
import { EevdfQueue } from './eevdf-queue.js';
import { type FairQueue, sliceScale } from './fair-queue.js';

/**
 * Where code in the kernel gives way: `none` at cond_resched(), when it blocks and on return to user mode; `voluntary` also
 * at might_sleep(), which is every `yield` outside of a section; `full` anywhere outside of a section.
 */
export type Preemption = 'none' | 'voluntary' | 'full';

export interface SchedulerConfig {
  readonly contextSwitchNs: number;
  /** From the wakeup of an idle CPU until it begins to switch (interprocessor interrupt, idle exit); 0 by default. */
  readonly wakeupNs?: number;
  /** `eevdf` by default; `cfs` is the fair class of kernels before 6.6. */
  readonly fairClass?: 'eevdf' | 'cfs';
  /**
   * Slice on one CPU, 0.70 ms by default (kernels before 6.15 and CFS, whose minimum granularity it is: 0.75 ms);
   * it grows with the machine: times 1 + log2(min(cpus, 8)).
   */
  readonly baseSliceNs?: number;
  /** The slice as it is, in place of the scaled one. */
  readonly schedSliceNs?: number;
  /** `full` by default. */
  readonly preemption?: Preemption;
  /** `dequeue` by default. */
  readonly throttleAt?: ThrottleAt;
  /** Time between two looks at the balance while tasks wait that could be better placed: 4 ms, and up to 64 ms. */
  readonly balanceMinNs?: number;
  readonly balanceMaxNs?: number;
}

const EEVDF_BASE_SLICE_NS = 700_000;
const CFS_BASE_SLICE_NS = 750_000;

export function sliceNsOf(config: SchedulerConfig, cpus: number): number {
  const baseNs = config.baseSliceNs ?? (config.fairClass === 'cfs' ? CFS_BASE_SLICE_NS : EEVDF_BASE_SLICE_NS);
  const sliceNs = Math.round(config.schedSliceNs ?? baseNs * sliceScale(cpus));
  invariant(sliceNs >= 1, `scheduler: a slice of at least 1 ns, not ${sliceNs}`);
  return sliceNs;
}

export function newFairQueue(config: SchedulerConfig, sliceNs: number, tickNs: number): FairQueue {
  return config.fairClass === 'cfs' ? new CfsQueue(sliceNs) : new EevdfQueue(sliceNs, tickNs);
}
