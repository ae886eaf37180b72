// The memory of estimators: per-CPU counters, kthread data, ticks.
import type { Cache, Memory } from '@kworkbench/machine';
import type { EstCosts } from './costs.js';

export class EstMemory {
  private readonly percpu: Cache;
  private readonly kthreads: Cache;
  private readonly ticks: Cache;
  private readonly percpuBytes: number;
  private readonly kthreadBytes: number;
  private readonly tickBytes: number;

  constructor(memory: Memory, costs: EstCosts, tickChains: number) {
    this.percpu = memory.cache('percpu');
    this.kthreads = memory.cache('ip_vs_est_kt_data');
    this.ticks = memory.cache('ip_vs_est_tick_data');
    this.percpuBytes = costs.cpus * costs.of('percpuBytes');
    this.kthreadBytes = costs.of('kthreadDataBytes');
    this.tickBytes = costs.of(tickChains === 1 ? 'tickOneChainBytes' : 'tickBytes');
  }

  get bytes(): number {
    return this.percpu.bytes + this.kthreads.bytes + this.ticks.bytes;
  }

  get bytesMax(): number {
    return this.percpu.bytesMax + this.kthreads.bytesMax + this.ticks.bytesMax;
  }

  get percpuNow(): number {
    return this.percpu.bytes;
  }

  get kthreadsNow(): number {
    return this.kthreads.bytes;
  }

  get ticksNow(): number {
    return this.ticks.bytes;
  }

  /** Bytes of kthread data and ticks, the part that the old design does not have. */
  get kthreadsAndTicks(): number {
    return this.kthreads.bytes + this.ticks.bytes;
  }

  addEstimator(): void {
    this.percpu.alloc(1, this.percpuBytes);
  }

  freeEstimator(): void {
    this.percpu.free(1, this.percpuBytes);
  }

  addKthread(): void {
    this.kthreads.alloc(1, this.kthreadBytes);
  }

  freeKthread(): void {
    this.kthreads.free(1, this.kthreadBytes);
  }

  addTick(): void {
    this.ticks.alloc(1, this.tickBytes);
  }

  freeTick(): void {
    this.ticks.free(1, this.tickBytes);
  }
}
