// A cuckoo hash of small integers: lib/cmap.c of Open vSwitch. Readers take no lock; writers are serialized by ct_lock.
//
// Every entry lies in one of its two buckets; a bucket is a cache line with five entries. An insert that finds both full
// moves others to their second bucket, along the shortest path (cmap_insert_bfs); where there is none, or above 85 % of the
// capacity, the table doubles. Below 20 % it shrinks by half.
//
// Invariants: an entry is in one of its two buckets; `size` entries are there; entries of one hash may be several.
import { invariant } from '@kworkbench/machine';

const ENTRIES = 5;
const EMPTY = -1;
/** CMAP_MAX_LOAD and CMAP_MIN_LOAD of cmap.c, as shares of all entries. */
const MAX_LOAD = 0.85;
const MIN_LOAD = 0.2;
const MIN_BUCKETS = 2;
/** MAX_DEPTH of cmap.c. */
const MAX_DEPTH = 4;
const BUCKET_BYTES = 64;

/** Murmur3's finalizer: any integer to 32 well mixed bits. */
export function mix(key: number): number {
  let h = key | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export class Cmap {
  size = 0;
  /** Tables that were built in place of a full or empty one. */
  rehashes = 0;
  private mask = MIN_BUCKETS - 1;
  private hashes = new Uint32Array(MIN_BUCKETS * ENTRIES);
  private nodes = new Int32Array(MIN_BUCKETS * ENTRIES).fill(EMPTY);

  get bytes(): number {
    return (this.mask + 1) * BUCKET_BYTES;
  }

  get buckets(): number {
    return this.mask + 1;
  }

  /** Whether one more insert would rebuild the table, which the writer pays for. */
  get growsNext(): boolean {
    return this.size + 1 > this.buckets * ENTRIES * MAX_LOAD;
  }

  /** The first entry of this hash for which `accept` is true, or -1. */
  find(hash: number, accept: (node: number) => boolean): number {
    const first = hash & this.mask;
    const found = this.findIn(first, hash, accept);
    if (found !== EMPTY) return found;
    return this.findIn(this.second(hash), hash, accept);
  }

  insert(hash: number, node: number): void {
    invariant(node >= 0, 'cmap: a node is 0 or more');
    if (this.growsNext) this.rehash(this.buckets * 2);
    while (!this.tryInsert(hash, node)) this.rehash(this.buckets * 2);
    this.size++;
  }

  /** @throws InvariantViolation when it is not there. */
  remove(hash: number, node: number): void {
    invariant(this.clearIn(hash & this.mask, node) || this.clearIn(this.second(hash), node), 'cmap: no such entry');
    this.size--;
    if (this.buckets > MIN_BUCKETS && this.size < this.buckets * ENTRIES * MIN_LOAD) this.rehash(this.buckets / 2);
  }

  /** Calls `visit` for every entry of `count` buckets from `bucket` on; it may remove what it is given. */
  eachIn(bucket: number, count: number, visit: (node: number) => void): void {
    const end = Math.min(this.buckets, bucket + count) * ENTRIES;
    for (let at = bucket * ENTRIES; at < end; at++) {
      const node = this.nodes[at]!;
      if (node !== EMPTY) visit(node);
    }
  }

  private second(hash: number): number {
    return (((hash << 16) | (hash >>> 16)) >>> 0) & this.mask;
  }

  private findIn(bucket: number, hash: number, accept: (node: number) => boolean): number {
    const base = bucket * ENTRIES;
    for (let at = base; at < base + ENTRIES; at++) {
      if (this.hashes[at] === hash && this.nodes[at] !== EMPTY && accept(this.nodes[at]!)) return this.nodes[at]!;
    }
    return EMPTY;
  }

  private clearIn(bucket: number, node: number): boolean {
    const base = bucket * ENTRIES;
    for (let at = base; at < base + ENTRIES; at++) {
      if (this.nodes[at] !== node) continue;
      this.nodes[at] = EMPTY;
      return true;
    }
    return false;
  }

  private freeIn(bucket: number): number {
    const base = bucket * ENTRIES;
    for (let at = base; at < base + ENTRIES; at++) if (this.nodes[at] === EMPTY) return at;
    return -1;
  }

  private put(at: number, hash: number, node: number): void {
    this.hashes[at] = hash;
    this.nodes[at] = node;
  }

  private tryInsert(hash: number, node: number): boolean {
    let at = this.freeIn(hash & this.mask);
    if (at < 0) at = this.freeIn(this.second(hash));
    if (at < 0) at = this.makeRoom(hash);
    if (at < 0) return false;
    this.put(at, hash, node);
    return true;
  }

  /** Breadth first over the buckets that entries could move to; frees an entry in one of the two of `hash`. */
  private makeRoom(hash: number): number {
    const buckets = [hash & this.mask, this.second(hash)];
    const from = [-1, -1];
    const entry = [-1, -1];
    const depth = [0, 0];
    for (let i = 0; i < buckets.length; i++) {
      if (depth[i]! >= MAX_DEPTH) break;
      const base = buckets[i]! * ENTRIES;
      for (let at = base; at < base + ENTRIES; at++) {
        const other = this.otherBucket(this.hashes[at]!, buckets[i]!);
        const free = this.freeIn(other);
        if (free >= 0) return this.shift(at, free, i, from, entry);
        if (buckets.includes(other)) continue;
        buckets.push(other);
        from.push(i);
        entry.push(at);
        depth.push(depth[i]! + 1);
      }
    }
    return -1;
  }

  /** Moves entries along the path, last one first. @returns the entry that has become free at its begin. */
  private shift(at: number, free: number, step: number, from: readonly number[], entry: readonly number[]): number {
    let source = at;
    let target = free;
    for (let i = step; ; i = from[i]!) {
      this.put(target, this.hashes[source]!, this.nodes[source]!);
      this.nodes[source] = EMPTY;
      if (from[i]! < 0) return source;
      target = source;
      source = entry[i]!;
    }
  }

  private otherBucket(hash: number, bucket: number): number {
    const first = hash & this.mask;
    return bucket === first ? this.second(hash) : first;
  }

  private rehash(buckets: number): void {
    const { hashes, nodes } = this;
    this.rehashes++;
    for (let wanted = buckets; ; wanted *= 2) {
      invariant(wanted <= 2 ** 26, 'cmap: too large');
      this.mask = wanted - 1;
      this.hashes = new Uint32Array(wanted * ENTRIES);
      this.nodes = new Int32Array(wanted * ENTRIES).fill(EMPTY);
      let all = true;
      for (let at = 0; all && at < nodes.length; at++) {
        if (nodes[at] !== EMPTY) all = this.tryInsert(hashes[at]!, nodes[at]!);
      }
      if (all) return;
    }
  }
}
