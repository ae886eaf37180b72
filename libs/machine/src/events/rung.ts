// One rung of the ladder: a stretch of time in buckets of one width, each an unsorted list that nobody looks at before it
// is next. Widths are powers of two, so that which bucket a time belongs to is exact.

/** Fewer buckets would not be worth a rung. */
const FEWEST_BUCKETS = 16;
/** More would not stay in the caches, and every one is looked at once. */
const MOST_BUCKETS = 32_768;
/** So many events a bucket on the average; what is next lies many times denser than that as a rule. */
const EVENTS_A_BUCKET = 16;

export class Rung {
  /** A list of {@link KeyLists} by bucket. All are empty before the first event and after the last. */
  lists = new Int32Array(2 * FEWEST_BUCKETS);
  /** Later events are on an outer rung. The last bucket reaches up to here. */
  endNs = 0;
  private startNs = 0;
  private widthNs = 1;
  private bucketsPerNs = 1;
  /** The buckets before this one are empty. */
  private first = 0;
  last = 0;

  /**
   * Lays out an empty rung for the `count` keys from `place` on, up to {@link endNs}, or when that is Infinity, to the end
   * of the last bucket. False when all are at one time: nothing is done then.
   */
  layOut(keys: Float64Array, place: number, count: number): boolean {
    let minNs = Infinity;
    let maxNs = 0;
    for (let at = 2 * place; at < 2 * (place + count); at += 2) {
      const dueNs = keys[at]!;
      if (dueNs < minNs) minNs = dueNs;
      if (dueNs > maxNs) maxNs = dueNs;
    }
    if (minNs === maxNs) return false;
    const most = Math.min(MOST_BUCKETS, Math.max(FEWEST_BUCKETS, Math.floor(count / EVENTS_A_BUCKET)));
    let widthNs = 1;
    while (maxNs - minNs >= most * widthNs) widthNs *= 2;
    this.startNs = minNs;
    this.widthNs = widthNs;
    this.bucketsPerNs = 1 / widthNs;
    this.first = 0;
    this.last = Math.floor((maxNs - minNs) / widthNs);
    if (this.endNs === Infinity) this.endNs = minNs + (this.last + 1) * widthNs;
    if (this.lists.length < 2 * (this.last + 1)) this.lists = new Int32Array(2 * most);
    return true;
  }

  /** Where in {@link lists} the key at `place` belongs. */
  listFor(keys: Float64Array, place: number): number {
    const buckets = (keys[2 * place]! - this.startNs) * this.bucketsPerNs;
    return 2 * (buckets < this.last ? buckets | 0 : this.last);
  }

  /** Goes on to the next bucket that has something; where its list is, or -1. */
  advance(): number {
    const { lists, last } = this;
    let bucket = this.first;
    while (bucket <= last && lists[2 * bucket + 1] === 0) bucket++;
    this.first = bucket;
    return bucket <= last ? 2 * bucket : -1;
  }

  /** Where the bucket that {@link advance} found ends. */
  get bucketEndNs(): number {
    return this.first === this.last ? this.endNs : this.startNs + (this.first + 1) * this.widthNs;
  }
}
