// Per-CPU variables (DEFINE_PER_CPU, lib/percpu_counter.c): every CPU writes its own copy, nobody waits.
import type { Machine } from '../machine.js';

/** One value of any kind per possible CPU. */
export class PerCpu<T> {
  private readonly values: T[];

  constructor(
    private readonly machine: Machine,
    make: (cpu: number) => T,
  ) {
    this.values = machine.cpus.map(({ index }) => make(index));
  }

  /** this_cpu_ptr(): the copy of the CPU that the current task has at this instant; after a yield it may have another. */
  get mine(): T {
    return this.values[this.machine.current.cpu.index]!;
  }

  /** per_cpu_ptr() */
  at(cpu: number): T {
    return this.values[cpu]!;
  }

  /** for_each_possible_cpu() */
  [Symbol.iterator](): IterableIterator<T> {
    return this.values[Symbol.iterator]();
  }
}

/** struct percpu_counter: exact when summed, off by less than `batch` per CPU when read. */
export class PercpuCounter {
  private total = 0;
  private readonly local: Float64Array;
  readonly batch: number;

  /** @param batch by default the kernel's percpu_counter_batch. */
  constructor(
    private readonly machine: Machine,
    batch = Math.max(32, 2 * machine.cpus.length),
  ) {
    this.batch = batch;
    this.local = new Float64Array(machine.cpus.length);
  }

  /**
   * percpu_counter_add_batch() on the CPU of the current task.
   * @returns whether it went to the shared total, under the counter's lock: a model charges for that what it costs.
   */
  add(amount: number): boolean {
    const cpu = this.machine.current.cpu.index;
    const count = this.local[cpu]! + amount;
    if (Math.abs(count) < this.batch) {
      this.local[cpu] = count;
      return false;
    }
    this.local[cpu] = 0;
    this.total += count;
    return true;
  }

  /** percpu_counter_read(): the shared total only. */
  get approximate(): number {
    return this.total;
  }

  /** percpu_counter_sum() */
  sum(): number {
    let sum = this.total;
    for (const count of this.local) sum += count;
    return sum;
  }
}
