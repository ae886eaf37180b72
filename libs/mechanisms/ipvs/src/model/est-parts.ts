// What estimation of every namespace is made of: shared by the designs.
import type { Cpu, CpuMask, Machine, Mutex, Rcu, TaskBody, Timers, Workqueue, Workqueues } from '@kworkbench/machine';
import type { IpvsKernel } from '../kernel.js';
import type { EstCosts } from './costs.js';
import type { Estimators } from './estimators.js';
import type { EstMemory } from './est-memory.js';
import type { Observer } from './observer.js';

export interface EstParts {
  readonly machine: Machine;
  readonly timers: Timers;
  readonly rcu: Rcu;
  readonly workqueues: Workqueues;
  /** system_long_wq */
  readonly longWq: Workqueue;
  /** Of the what-if without kthreads. */
  readonly unboundWq: Workqueue;
  readonly kernel: IpvsKernel;
  readonly build: Build;
  readonly costs: EstCosts;
  readonly estimators: Estimators;
  readonly memory: EstMemory;
  readonly observer: Observer;
  /** __ip_vs_mutex: who adds, deletes, places and relinks estimators holds it. */
  readonly configMutex: Mutex;
  /** Where the timer of the old design is armed first. */
  readonly timerCpu: Cpu;
}

/** How the kernel was built and booted, as far as kthreads see it. */
export interface Build {
  readonly preemptRcu: boolean;
  /** Kernel code is preempted anywhere. */
  readonly full: boolean;
}

/** The estimation of one namespace. Callers of start() and stop() hold the config mutex. */
export interface Estimation {
  /** `yield* start(est)`: ip_vs_start_estimator(). */
  start(est: number): TaskBody;
  /** `yield* stop(est)`: ip_vs_stop_estimator(); nobody finds it any more, but a walker may still stand on it. */
  stop(est: number): TaskBody;
  /** The first service was added. */
  enable(): void;
  setNice(nice: number): void;
  /** @param list what was written, restricted to the CPUs of the writer. */
  setCpulist(list: CpuMask): void;
  setRunEstimation(run: boolean): void;
  /** `yield* disable()`: enable = 0, at the begin of a teardown. */
  disable(): void;
  /** `yield* cleanup()`: when no estimator is left. */
  cleanup(): TaskBody;
  /** What it is now. */
  readonly status: EstimationStatus;
}

export interface EstimationStatus {
  readonly placed: number;
  /** Started, and in no list that is walked. */
  readonly unplaced: number;
  /** How long the one that waits longest has done so, in ns. */
  readonly waitingMaxNs: number;
  readonly kthreads: number;
  readonly kthreadsRunning: number;
  readonly kthreadsLimit: number;
  readonly chainMax: number;
  readonly maxCount: number;
  /** CPU time that samples have taken, with all that belongs to them. */
  readonly cpuNs: number;
  /** Wakeups of its kthreads, and times that one gave up its backlog, the freed ones included. */
  readonly wakeups: number;
  readonly droppedBacklogs: number;
  /** Of each kthread by its slot; 0 where there is none. */
  readonly kthreadCpuNs: readonly number[];
}
