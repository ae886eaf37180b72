export { Cpu, CpuPhase } from './sched/cpu.js';
export { Deque } from './deque.js';
export { EventQueue } from './events/event-queue.js';
export { CacheLine, type CacheLineCosts, CacheLines } from './hardware/cache-line.js';
export { Distance, Topology, topologyProblem, type TopologyShape } from './hardware/topology.js';
export { invariant, InvariantViolation } from './invariant.js';
export { Machine, type MachineConfig, type SpawnOptions } from './machine.js';
export { Cache, Memory, type MemoryConfig } from './memory/memory.js';
export { Mutex, type MutexOptions } from './locks/mutex.js';
export { RandomStream } from './random.js';
export { Rcu, type RcuCosts, RcuCpu } from './rcu/rcu.js';
export { RcuBarrier, type RcuBarrierOptions } from './rcu/rcu-barrier.js';
export { Scheduler, type SchedulerCosts } from './sched/scheduler.js';
export type { BandwidthGroup, ThrottleAt } from './sched/bandwidth-group.js';
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
export { PoolQueue, Work, WorkerPool, Workqueue, type WorkqueueCosts, Workqueues } from './workqueue/workqueue.js';
