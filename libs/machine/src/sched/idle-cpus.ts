// The set of idle CPUs as a bitmap: finding one in 4,096 takes 128 steps at most, and an idle machine no events.
import type { Cpu } from './cpu.js';

export class IdleCpus {
  private readonly bits: Uint32Array;
  private count: number;

  constructor(private readonly cpus: readonly Cpu[]) {
    this.bits = new Uint32Array((cpus.length + 31) >> 5);
    for (const { index } of cpus) this.bits[index >> 5]! |= 1 << (index & 31);
    this.count = cpus.length;
  }

  add({ index }: Cpu): void {
    this.bits[index >> 5]! |= 1 << (index & 31);
    this.count++;
  }

  remove({ index }: Cpu): void {
    this.bits[index >> 5]! &= ~(1 << (index & 31));
    this.count--;
  }

  /** The nearest idle CPU above `not`, wrapping around; undefined when no other is idle. */
  nearestAbove(not: Cpu): Cpu | undefined {
    if (this.count === 0) return undefined;
    const words = this.bits.length;
    const start = not.index + 1;
    for (let step = 0; step <= words; step++) {
      const word = ((start >> 5) + step) % words;
      let bits = this.bits[word]!;
      if (step === 0) bits &= -1 << (start & 31);
      if (word === not.index >> 5) bits &= ~(1 << (not.index & 31));
      if (bits !== 0) return this.cpus[(word << 5) + (31 - Math.clz32(bits & -bits))];
    }
    return undefined;
  }
}
