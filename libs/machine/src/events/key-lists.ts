// Unsorted lists of keys, [time, order] as on the heap, in chunks out of one array: keys come in at the end of a list and
// go out side by side, so that neither waits for memory. A list is a pair of integers in somebody's Int32Array: its last
// chunk, and how many keys it has. All its chunks but the last are full.

const CHUNK_KEYS = 32;
const NO_CHUNK = -1;

export class KeyLists {
  private keys = new Float64Array(0);
  /** The chunk before in the same list, or the next free one; by chunk. */
  private before = new Int32Array(0);
  private free = NO_CHUNK;

  /** Adds the key at `place` of `from` to the list at `at` of `lists`. */
  add(lists: Int32Array, at: number, from: Float64Array, place: number): void {
    const count = lists[at + 1]!;
    const within = count & (CHUNK_KEYS - 1);
    if (within === 0) this.addChunk(lists, at);
    lists[at + 1] = count + 1;
    const to = 2 * (CHUNK_KEYS * lists[at]! + within);
    const { keys } = this;
    keys[to] = from[2 * place]!;
    keys[to + 1] = from[2 * place + 1]!;
  }

  /** Empties a list into `to`, from `place` on. Returns how many keys it had. */
  moveTo(to: Float64Array, place: number, lists: Int32Array, at: number): number {
    const { keys, before } = this;
    const count = lists[at + 1]!;
    let end = 2 * (place + count);
    let values = 2 * lastOf(count);
    let chunk = lists[at]!;
    while (end > 2 * place) {
      end -= values;
      const begin = 2 * CHUNK_KEYS * chunk;
      for (let value = 0; value < values; value++) to[end + value] = keys[begin + value]!;
      const next = before[chunk]!;
      before[chunk] = this.free;
      this.free = chunk;
      chunk = next;
      values = 2 * CHUNK_KEYS;
    }
    lists[at + 1] = 0;
    return count;
  }

  /** Writes the orders of the keys of a list to `to` from `from` on. Returns where they end. */
  copyOrders(to: Float64Array, from: number, lists: Int32Array, at: number): number {
    let end = from;
    let chunk = lists[at]!;
    let keys = lastOf(lists[at + 1]!);
    for (let left = lists[at + 1]!; left > 0; left -= keys, keys = CHUNK_KEYS) {
      for (let key = 0; key < keys; key++) to[end++] = this.keys[2 * (CHUNK_KEYS * chunk + key) + 1]!;
      chunk = this.before[chunk]!;
    }
    return end;
  }

  /** Gives every key the order that its slot, the low bits of its order, has in `orders`. */
  setOrders(orders: Float64Array): void {
    const { keys } = this;
    // What is in no list is out of date, and is overwritten before it is read.
    for (let at = 1; at < keys.length; at += 2) keys[at] = orders[keys[at]! & (orders.length - 1)]!;
  }

  private addChunk(lists: Int32Array, at: number): void {
    if (this.free === NO_CHUNK) this.grow();
    const chunk = this.free;
    this.free = this.before[chunk]!;
    this.before[chunk] = lists[at]!;
    lists[at] = chunk;
  }

  private grow(): void {
    const from = this.before.length;
    const to = Math.max(64, 2 * from);
    const keys = new Float64Array(2 * CHUNK_KEYS * to);
    keys.set(this.keys);
    this.keys = keys;
    const before = new Int32Array(to);
    before.set(this.before);
    for (let chunk = from; chunk < to; chunk++) before[chunk] = chunk + 1 < to ? chunk + 1 : NO_CHUNK;
    this.before = before;
    this.free = from;
  }
}

/** Keys in the last chunk of a list of `count`. */
function lastOf(count: number): number {
  return ((count - 1) & (CHUNK_KEYS - 1)) + 1;
}
