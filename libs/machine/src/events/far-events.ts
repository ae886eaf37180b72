// What is due later, unsorted until it is next: a ladder queue (Tang, Goh and Thng, 2005, "Ladder queue: an O(1) priority
// queue structure for large-scale discrete event simulation"). An event at or after `horizonNs` belongs here, an earlier
// one on the heap of the event queue.
//
// Rungs lie one within the other: each ends where the next bucket of the one outside of it begins, and what is later than
// all of them is on one list, the top. The next bucket of the innermost rung goes to the heap. One that is too large
// becomes a rung of its own first; when there is no rung left, the top does. That is O(1) an event, which is moved once a
// rung. The worst is one that goes down through every rung, because most of the events of each are in one bucket: a
// bucket is at least eight times shorter than what its rung was made of, so these are few. Where there would be more than
// MOST_RUNGS, and where more than a bucket may hold are at one instant, the heap takes all there is.
import { KeyLists } from './key-lists.js';
import { Rung } from './rung.js';

const MOST_RUNGS = 16;

export class FarEvents {
  count = 0;
  /** What is earlier is not here. */
  horizonNs = Infinity;

  private readonly lists = new KeyLists();
  private readonly rungs = Array.from({ length: MOST_RUNGS }, () => new Rung());
  /** Rungs in use; the last is the innermost. */
  private depth = 0;
  private readonly top = new Int32Array(2);

  /** @param most Buckets of more events are split. */
  constructor(private readonly most: number) {}

  /** Adds the event whose key is at `place` of `keys`. */
  add(keys: Float64Array, place: number): void {
    this.count++;
    const dueNs = keys[2 * place]!;
    for (let depth = this.depth - 1; depth >= 0; depth--) {
      const rung = this.rungs[depth]!;
      if (dueNs < rung.endNs) {
        this.lists.add(rung.lists, rung.listFor(keys, place), keys, place);
        return;
      }
    }
    this.lists.add(this.top, 0, keys, place);
  }

  /**
   * Moves what is next, all or some of it, to `keys` from `place` on, where there must be room for all events, and the
   * horizon behind that. Returns how many came.
   */
  takeNext(keys: Float64Array, place: number): number {
    while (this.count > 0) {
      const count = this.depth > 0 ? this.takeBucket(keys, place) : this.takeTop(keys, place);
      this.count -= count;
      if (count <= this.most || !this.takeOver(keys, place, count)) {
        if (count > 0) return count;
      }
    }
    return 0;
  }

  /**
   * Makes a rung of the `count` events at `place` of `keys`, which all are before the horizon. False when they are all at
   * one time, or there are too many rungs.
   */
  takeOver(keys: Float64Array, place: number, count: number): boolean {
    if (this.depth === MOST_RUNGS) return false;
    const rung = this.rungs[this.depth]!;
    rung.endNs = this.horizonNs;
    if (!rung.layOut(keys, place, count)) return false;
    this.depth++;
    this.count += count;
    for (let at = place; at < place + count; at++) this.lists.add(rung.lists, rung.listFor(keys, at), keys, at);
    return true;
  }

  private takeBucket(keys: Float64Array, place: number): number {
    const rung = this.rungs[this.depth - 1]!;
    const at = rung.advance();
    if (at < 0) {
      this.depth--;
      return 0;
    }
    this.horizonNs = rung.bucketEndNs;
    return this.lists.moveTo(keys, place, rung.lists, at);
  }

  private takeTop(keys: Float64Array, place: number): number {
    this.horizonNs = Infinity;
    return this.lists.moveTo(keys, place, this.top, 0);
  }

  /** When nothing is here any more all that comes is near again. */
  settle(): void {
    if (this.count > 0) return;
    this.depth = 0;
    this.horizonNs = Infinity;
  }

  /** Moves the events of every list to `keys` from `place` on, one list after the other, and those that `filter` leaves there back. */
  filter(keys: Float64Array, place: number, filter: (end: number) => number): void {
    this.count = 0;
    this.eachList((lists, at) => {
      const end = filter(place + this.lists.moveTo(keys, place, lists, at));
      for (let from = place; from < end; from++) this.lists.add(lists, at, keys, from);
      this.count += end - place;
    });
    this.settle();
  }

  /** Writes the orders of all events to `to` from `from` on. */
  copyOrders(to: Float64Array, from: number): void {
    let end = from;
    this.eachList((lists, at) => {
      end = this.lists.copyOrders(to, end, lists, at);
    });
  }

  /** Gives every event the order that `orders` has for its slot. */
  setOrders(orders: Float64Array): void {
    this.lists.setOrders(orders);
  }

  private eachList(visit: (lists: Int32Array, at: number) => void): void {
    visit(this.top, 0);
    for (let depth = 0; depth < this.depth; depth++) {
      const { lists, last } = this.rungs[depth]!;
      for (let at = 0; at <= 2 * last; at += 2) if (lists[at + 1]! > 0) visit(lists, at);
    }
  }
}
