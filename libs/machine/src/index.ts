export { Cpu, CpuPhase } from './sched/cpu.js';
export { Deque } from './deque.js';
export { EventQueue } from './events/event-queue.js';
export type { HrTimer } from './events/hrtimer.js';
export { CacheLine, type CacheLineCosts, CacheLines } from './hardware/cache-line.js';
export { type FrequencyBin, HardwareRates, type RateSpec } from './hardware/rates.js';
export { MemoryBandwidth, MemoryPhase } from './hardware/memory-bandwidth.js';
export { Distance, Topology, topologyProblem, type TopologyShape } from './hardware/topology.js';
export { invariant, InvariantViolation } from './invariant.js';
export { Machine, type MachineConfig, type SpawnOptions } from './machine.js';
export { Cache, Memory, type MemoryConfig } from './memory/memory.js';
export { type OomCandidate, OomKiller } from './memory/oom-killer.js';
export { MemoryNode, type NodeConfig, PageAllocator, type PageAllocatorConfig } from './memory/page-allocator.js';
export { type PercpuArea, PercpuAreas } from './memory/percpu-areas.js';
export { type PageSource, Slab, SlabCache } from './memory/slab-cache.js';
export { type SlabLayout, slabLayout } from './memory/slab-layout.js';
export { minFreeKib, type Watermarks, watermarks } from './memory/watermarks.js';
export { Completion } from './locks/completion.js';
export { LockClass } from './locks/lock-class.js';
export { type LockReport, type LockReportKind, Lockdep, type LockdepOptions } from './locks/lockdep.js';
export { Lock, type LockKind, type LockLine, type LockOptions } from './locks/lock.js';
export { LockMap } from './locks/lock-map.js';
export { LockMode, type LockProbe, LockProbes } from './locks/lock-probe.js';
export { LockStats } from './locks/lock-stats.js';
export { Mutex, type MutexOptions } from './locks/mutex.js';
export { PerCpu, PercpuCounter } from './locks/per-cpu.js';
export { Rwsem, type RwsemOptions } from './locks/rwsem.js';
export { Seqcount } from './locks/seqcount.js';
export { SpinLock } from './locks/spinlock.js';
export { UserMutex, type UserMutexCosts } from './locks/user-mutex.js';
export { ChangeSeries } from './observe/change-series.js';
export { addSchedProbe } from './observe/sched-probes.js';
export { TimeWeighted } from './observe/time-weighted.js';
export { Tracer } from './observe/tracer.js';
export { RandomStream } from './random.js';
export { KfreeRcu, type KfreeRcuCosts } from './rcu/kfree-rcu.js';
export { Rcu, RcuCpu } from './rcu/rcu.js';
export type { RcuCosts } from './rcu/costs.js';
export { RcuBarrier, type RcuBarrierOptions } from './rcu/rcu-barrier.js';
export { Scheduler } from './sched/scheduler.js';
export type { Preemption, SchedulerConfig } from './sched/scheduler-config.js';
export type { BandwidthGroup, ThrottleAt } from './sched/bandwidth-group.js';
export type { BandwidthLimits, DebtModel } from './sched/bandwidth-pool.js';
export { remoteBegin, remoteCharge } from './sched/bandwidth-remote.js';
export { CpuGroup, type CpuGroupOptions, type CpuStat } from './sched/cpu-group.js';
export { CpuMask } from './sched/cpu-mask.js';
export type { SchedProbe } from './sched/probe.js';
export type { RateModel } from './sched/rate-model.js';
export {
  DONE,
  MIGRATE,
  PARK,
  Routine,
  SchedClass,
  SPIN,
  Task,
  type TaskBody,
  type TaskHooks,
  TaskState,
  type TaskSteps,
  YIELD,
} from './sched/task.js';
export { Timer, type TimerFunction } from './timers/timer.js';
export { Timers, type TimersConfig } from './timers/timers.js';
export { Work } from './workqueue/work.js';
export { WorkerPool } from './workqueue/worker-pool.js';
export { Workqueue } from './workqueue/workqueue.js';
export { type WorkqueueCosts, type WorkqueueOptions, Workqueues } from './workqueue/workqueues.js';
