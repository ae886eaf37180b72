// A set of CPUs (struct cpumask) in two levels of bits: the next member after any CPU is found in a few steps among
// 4,096, however many are in the set.

const bitsOf = (count: number): number => (count + 31) >> 5;
/** Index of the lowest bit that is set; `bits` is not 0. */
const lowest = (bits: number): number => 31 - Math.clz32(bits & -bits);

export class CpuMask {
  private readonly words: Int32Array;
  /** A bit for each word that is not 0. */
  private readonly summary: Int32Array;
  private members = 0;

  /** @param size CPUs of the machine, members or not. */
  constructor(
    readonly size: number,
    members: Iterable<number> = [],
  ) {
    this.words = new Int32Array(bitsOf(size));
    this.summary = new Int32Array(bitsOf(this.words.length));
    for (const index of members) this.add(index);
  }

  get count(): number {
    return this.members;
  }

  has(index: number): boolean {
    return ((this.words[index >> 5]! >>> (index & 31)) & 1) === 1;
  }

  add(index: number): void {
    const word = index >> 5;
    const before = this.words[word]!;
    const after = before | (1 << (index & 31));
    if (after === before) return;
    this.words[word] = after;
    if (before === 0) this.summary[word >> 5]! |= 1 << (word & 31);
    this.members++;
  }

  remove(index: number): void {
    const word = index >> 5;
    const before = this.words[word]!;
    const after = before & ~(1 << (index & 31));
    if (after === before) return;
    this.words[word] = after;
    if (after === 0) this.summary[word >> 5]! &= ~(1 << (word & 31));
    this.members--;
  }

  /** The first member from `start` on, going around once; only such that are in `also`, too, if given. -1: none. */
  nextFrom(start: number, also?: CpuMask): number {
    if (this.members === 0) return -1;
    const from = start >= this.size ? 0 : start;
    const first = from >> 5;
    const ahead = this.pick(first, -1 << (from & 31), also);
    if (ahead >= 0) return ahead;
    let word = this.nextWord(first + 1);
    while (word >= 0) {
      const found = this.pick(word, -1, also);
      if (found >= 0) return found;
      word = this.nextWord(word + 1);
    }
    word = this.nextWord(0);
    while (word >= 0 && word <= first) {
      const found = this.pick(word, word === first ? ~(-1 << (from & 31)) : -1, also);
      if (found >= 0) return found;
      word = this.nextWord(word + 1);
    }
    return -1;
  }

  /** The first CPU from `start` on that is no member; -1 when there is none up to the end. */
  nextOutside(start: number): number {
    for (let word = start >> 5; word < this.words.length; word++) {
      let bits = ~this.words[word]!;
      if (word === start >> 5) bits &= -1 << (start & 31);
      if (bits === 0) continue;
      const index = (word << 5) + lowest(bits);
      return index < this.size ? index : -1;
    }
    return -1;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (let index = 0; index < this.size; index++) if (this.has(index)) yield index;
  }

  private pick(word: number, within: number, also: CpuMask | undefined): number {
    let bits = this.words[word]! & within;
    if (also !== undefined) bits &= also.words[word]!;
    return bits === 0 ? -1 : (word << 5) + lowest(bits);
  }

  /** The first word from `start` on that is not 0, or -1. */
  private nextWord(start: number): number {
    for (let at = start >> 5; at < this.summary.length; at++) {
      let bits = this.summary[at]!;
      if (at === start >> 5) bits &= -1 << (start & 31);
      if (bits !== 0) return (at << 5) + lowest(bits);
    }
    return -1;
  }
}
