// The event queue: a total order on (time, sequence), so that a run is the same everywhere.
//
// A binary heap of keys, plus a FIFO lane for events at the present instant. The lane keeps the order: an event that was
// put on the heap for `now` was put there before time reached `now`, so all of those go before the lane. Events are
// (target, argument) pairs of integers.
//
// What an event carries lies still in a slot; only keys move. A key is [time, sequence * slots + slot]: the order of its
// second number is that of the sequences. Taking an event leaves a hole at the root, which the next one that is pushed
// fills: most events push another, and then the heap is put in order once instead of twice.
//
// Who may take an event back keeps its slot; or lets it fire, and ignores it by its argument. One that was taken back
// stays on the heap as dead until its time comes, or until the dead are more than the living and all are removed.

import { invariant } from '../invariant.js';
import { heapify, siftDown, siftUp } from './key-heap.js';

/** Integers up to here are exact in a double. */
const EXACT = 2 ** 53;
/** Instead of the target of an event that was taken back. */
const DEAD = -1;
/** Removing fewer is not worth the while. */
const FEWEST_DEAD = 16;
/** What {@link EventQueue.push} returns for an event that has no slot. */
export const NO_SLOT = -1;

export class EventQueue {
  /** Virtual time in ns: an integer in a double, exact for 104 days. */
  now = 0;
  /** Events popped so far. */
  executed = 0;
  /** Target and argument of the event that {@link pop} returned. */
  target = 0;
  argument = 0;

  private keys: Float64Array;
  /** Target and argument by slot. */
  private slots: Int32Array;
  /** Free slots, from `size` to the end. */
  private freeSlots: Int32Array;
  /** Events on the heap; one entry more is in use while there is a hole. */
  private size = 0;
  private dueNs = 0;
  private dead = 0;
  private rootIsHole = false;
  /** The next sequence, times the capacity. */
  private nextOrder = 0;

  private lane: Int32Array;
  private laneHead = 0;
  private laneSize = 0;

  /**
   * Specs start small, so that what is rare happens.
   * @param capacity Slots to begin with, a power of two; there are more when they are needed.
   * @param orderLimit When sequences times slots come here, sequences are counted from 0 again.
   */
  constructor(
    private capacity = 1024,
    private readonly orderLimit = EXACT,
  ) {
    this.keys = new Float64Array(2 * capacity + 2);
    this.slots = new Int32Array(2 * capacity);
    this.freeSlots = Int32Array.from({ length: capacity }, (_, slot) => slot);
    this.lane = new Int32Array(2 * capacity);
  }

  get pending(): number {
    return this.size - this.dead + this.laneSize;
  }

  /** Time of the next event, or Infinity. */
  get nextTime(): number {
    if (this.laneSize > 0) return this.now;
    this.dropDeadRoots();
    return this.size === 0 ? Infinity : this.keys[0]!;
  }

  /**
   * Schedules an event `delayNs` from now; its slot, for {@link takeBack}, or NO_SLOT when it is for this instant.
   * @throws InvariantViolation unless the delay is an integer of at least 0: fractions would make time inexact, and a
   * burst that is over by less than a rounding error would never end.
   */
  push(delayNs: number, target: number, argument: number): number {
    if (delayNs === 0) {
      this.pushLane(target, argument);
      return NO_SLOT;
    }
    invariant(delayNs > 0 && Number.isInteger(delayNs), 'events: a delay must be an integer of at least 0 ns');
    this.dueNs = this.now + delayNs;
    return this.pushHeap(target, argument);
  }

  /** Puts an event for `dueNs` on the heap: as an argument that time would be boxed. */
  private pushHeap(target: number, argument: number): number {
    if (this.size === this.capacity) this.growHeap();
    if (this.nextOrder >= this.orderLimit) this.renumber();
    const { keys } = this;
    const slot = this.freeSlots[this.size]!;
    const at = this.rootIsHole ? 0 : this.size;
    this.size++;
    this.slots[2 * slot] = target;
    this.slots[2 * slot + 1] = argument;
    keys[2 * at] = this.dueNs;
    keys[2 * at + 1] = this.nextOrder + slot;
    this.nextOrder += this.capacity;
    if (this.rootIsHole) {
      this.rootIsHole = false;
      siftDown(keys, this.size);
    } else {
      siftUp(keys, at);
    }
    return slot;
  }

  /** Takes back an event that has not fired yet: it never will, and time does not stop at it. */
  takeBack(slot: number): void {
    this.slots[2 * slot] = DEAD;
    this.dead++;
    if (this.dead > FEWEST_DEAD && 2 * this.dead > this.size) this.removeDead();
  }

  /** Takes the next event; false when there is none. Advances {@link now}. */
  pop(): boolean {
    return this.popUpTo(Infinity);
  }

  /** Takes the next event if it is at `limitNs` or before; false when there is none. Advances {@link now}. */
  popUpTo(limitNs: number): boolean {
    for (;;) {
      if (this.laneSize > 0 && !this.heapIsDue()) {
        if (this.now > limitNs) return false;
        this.popLane();
        return true;
      }
      if (this.rootIsHole) this.fillHole();
      if (this.size === 0) return false;
      const time = this.keys[0]!;
      if (time > limitNs) return false;
      const slot = this.takeRoot();
      this.target = this.slots[2 * slot]!;
      this.argument = this.slots[2 * slot + 1]!;
      if (this.target !== DEAD) {
        this.now = time;
        this.executed++;
        return true;
      }
      this.dead--;
    }
  }

  /** Whether the first event on the heap is for the present instant. Leaves the hole open. */
  private heapIsDue(): boolean {
    const { keys, now, size } = this;
    if (size === 0) return false;
    if (!this.rootIsHole) return keys[0]! === now;
    return keys[2]! === now || (size > 1 && keys[4]! === now);
  }

  /** Frees the slot of the root, and leaves the hole. */
  private takeRoot(): number {
    const slot = this.keys[1]! & (this.capacity - 1);
    this.freeSlots[--this.size] = slot;
    this.rootIsHole = true;
    return slot;
  }

  private dropDeadRoots(): void {
    for (;;) {
      if (this.rootIsHole) this.fillHole();
      if (this.size === 0) return;
      const slot = this.keys[1]! & (this.capacity - 1);
      if (this.slots[2 * slot] !== DEAD) return;
      this.takeRoot();
      this.dead--;
    }
  }

  private removeDead(): void {
    if (this.rootIsHole) this.fillHole();
    const { keys } = this;
    let living = 0;
    let free = this.size;
    for (let place = 0; place < this.size; place++) {
      const order = keys[2 * place + 1]!;
      const slot = order & (this.capacity - 1);
      if (this.slots[2 * slot] === DEAD) {
        this.freeSlots[--free] = slot;
      } else {
        keys[2 * living] = keys[2 * place]!;
        keys[2 * living + 1] = order;
        living++;
      }
    }
    this.size = living;
    this.dead = 0;
    heapify(keys, living);
  }

  private fillHole(): void {
    this.rootIsHole = false;
    const { keys, size } = this;
    if (size === 0) return;
    keys[0] = keys[2 * size]!;
    keys[1] = keys[2 * size + 1]!;
    siftDown(keys, size);
  }

  private pushLane(target: number, argument: number): void {
    if (2 * this.laneSize === this.lane.length) this.growLane();
    const at = (this.laneHead + 2 * this.laneSize) & (this.lane.length - 1);
    this.lane[at] = target;
    this.lane[at + 1] = argument;
    this.laneSize++;
  }

  private popLane(): void {
    this.target = this.lane[this.laneHead]!;
    this.argument = this.lane[this.laneHead + 1]!;
    this.laneHead = (this.laneHead + 2) & (this.lane.length - 1);
    this.laneSize--;
    this.executed++;
  }

  private growHeap(): void {
    const from = this.capacity;
    const to = 2 * from;
    const keys = new Float64Array(2 * to + 2);
    keys.set(this.keys);
    this.keys = keys;
    const slots = new Int32Array(2 * to);
    slots.set(this.slots);
    this.slots = slots;
    this.freeSlots = Int32Array.from({ length: to }, (_, slot) => slot);
    this.capacity = to;
    this.renumber(from);
  }

  /** Gives the pending events the sequences from 0 on, in their order, with room for the slots that there are now. */
  private renumber(slotsBefore = this.capacity): void {
    if (this.rootIsHole) this.fillHole();
    const { keys, size } = this;
    const places = Array.from({ length: size }, (_, place) => place);
    places.sort((a, b) => keys[2 * a + 1]! - keys[2 * b + 1]!);
    this.nextOrder = 0;
    for (const place of places) {
      const slot = keys[2 * place + 1]! & (slotsBefore - 1);
      keys[2 * place + 1] = this.nextOrder + slot;
      this.nextOrder += this.capacity;
    }
    invariant(this.nextOrder < this.orderLimit, 'events: too many are pending');
  }

  private growLane(): void {
    const grown = new Int32Array(2 * this.lane.length);
    grown.set(this.lane.subarray(this.laneHead));
    grown.set(this.lane.subarray(0, this.laneHead), this.lane.length - this.laneHead);
    this.lane = grown;
    this.laneHead = 0;
  }
}
