// lib/find_bit.c on small bitmaps: rows of a kthread, chains of a tick. Functions that find nothing return the size.
const lowest = (word: number): number => 31 - Math.clz32(word & -word);

export class Bitmap {
  private readonly words: Int32Array;

  constructor(readonly size: number) {
    this.words = new Int32Array((size + 31) >> 5);
  }

  fill(): this {
    for (let bit = 0; bit < this.size; bit++) this.set(bit);
    return this;
  }

  set(bit: number): void {
    this.words[bit >> 5]! |= 1 << (bit & 31);
  }

  clear(bit: number): void {
    this.words[bit >> 5]! &= ~(1 << (bit & 31));
  }

  has(bit: number): boolean {
    return ((this.words[bit >> 5]! >>> (bit & 31)) & 1) === 1;
  }

  /** find_next_bit(): the first bit set from `from` on. */
  next(from: number): number {
    for (let word = from >> 5; word < this.words.length; word++) {
      const bits = word === from >> 5 ? this.words[word]! & (-1 << (from & 31)) : this.words[word]!;
      if (bits !== 0) return Math.min(this.size, (word << 5) + lowest(bits));
    }
    return this.size;
  }

  /** find_first_zero_bit() */
  firstZero(): number {
    for (let word = 0; word < this.words.length; word++) {
      const zeros = ~this.words[word]!;
      if (zeros !== 0) return Math.min(this.size, (word << 5) + lowest(zeros));
    }
    return this.size;
  }

  /** find_last_bit(addr, below): the last bit set below `below`; `below` when there is none. */
  last(below: number): number {
    for (let bit = below - 1; bit >= 0; bit--) if (this.has(bit)) return bit;
    return below;
  }
}
