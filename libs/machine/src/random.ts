// Seeded random streams, one per entity: a stream is named, and its state depends only on the cell's seed and that
// name, so that adding a consumer never shifts the numbers of another.

/** FNV-1a over the UTF-16 code units of a name. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** splitmix32: spreads a seed over the state of the generator proper. */
function splitmix32(state: number): () => number {
  let s = state >>> 0;
  return () => {
    s = (s + 0x9e3779b9) >>> 0;
    let z = s;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

/** sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, integer operations only, the same on any host. */
export class RandomStream {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number, name: string) {
    const next = splitmix32((seed ^ hashName(name)) >>> 0);
    next();
    this.a = next() ^ hashName(name);
    this.b = next() ^ seed;
    // Signed, as what follows: the state stays small integers.
    this.c = next() | 0;
    for (let i = 0; i < 12; i++) this.uint32();
  }

  uint32(): number {
    const result = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + result) | 0;
    return result >>> 0;
  }

  /** In [0, 1), with 32 bits. */
  uniform(): number {
    return this.uint32() / 4294967296;
  }

  /** An integer in [0, n), n up to 2^32. The bias of n / 2^32 is far below what any model resolves. */
  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Exponential with this mean, rounded to an integer of at least 1. */
  exponential(mean: number): number {
    return Math.max(1, Math.round(-Math.log(1 - this.uniform()) * mean));
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** `value` varied uniformly by plus or minus `ratio`, rounded to an integer. */
  jitter(value: number, ratio: number): number {
    return ratio === 0 ? Math.round(value) : Math.round(value * (1 + ratio * (2 * this.uniform() - 1)));
  }
}
