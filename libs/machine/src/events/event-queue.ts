// The event queue: a total order on (time, sequence), so that a run is the same everywhere.
//
// A binary heap of keys, plus a FIFO lane for events at the present instant. The lane keeps the order: an event that was
// put on the heap for `now` was put there before time reached `now`, so all of those go before the lane. Events are
// (target, argument) pairs of integers. When the heap becomes too large for the nearest caches, what is due later leaves
// it and is kept unsorted until it is next (far-events.ts); the order is the same.
//
// What an event carries lies still in a slot; only keys move. A key is [time, sequence * slots + slot]: the order of its
// second number is that of the sequences. Taking an event leaves a hole at the root, which the next one that is pushed
// fills: most events push another, and then the heap is put in order once instead of twice.
//
// Who may take an event back keeps its slot; or lets it fire, and ignores it by its argument. One that was taken back
// stays where it is as dead until its time comes, or until the dead are more than the living and all are removed.
import { ZERO } from '../double.js';
import { invariant } from '../invariant.js';
import { FarEvents } from './far-events.js';
import { heapify, siftDown, siftUp } from './key-heap.js';
import { Lane } from './lane.js';

/** Integers up to here are exact in a double. */
export const EXACT = 2 ** 53;
/** Instead of the target of an event that was taken back. */
const DEAD = -1;
/** Removing fewer is not worth the while. */
const FEWEST_DEAD = 16;
/** More events on the heap than this are out of the nearest caches: those that are due later leave it. */
const NEAR_MOST = 4096;
/** What {@link EventQueue.push} returns for an event that has no slot. */
export const NO_SLOT = -1;

export class EventQueue {
  /** Virtual time in ns: an integer in a double, exact for 104 days. */
  now = ZERO;
  /** Events popped so far. */
  executed = 0;
  /** Target and argument of the event that {@link pop} returned. */
  target = 0;
  argument = 0;

  private keys: Float64Array;
  /** Target and argument by slot. */
  private slots: Int32Array;
  /** Free slots: the first of them, as many as there are events on the heap and far away, are in use. */
  private freeSlots: Int32Array;
  /** Events on the heap; one entry more is in use while there is a hole. */
  private size = 0;
  /** With so many on the heap something must be done before another is put there. */
  private room: number;
  /** With so many on the heap those that are due later leave it. */
  private nearMost: number;
  private readonly far: FarEvents;
  /** Events far away: due at `horizonNs` or later, which is Infinity when there are none. */
  private farCount = 0;
  private horizonNs = Infinity;
  /** The key of an event on its way there. */
  private readonly farKey = new Float64Array(2);
  /** When the event is due that is scheduled next. */
  dueNs = ZERO;
  /** What is due later is not taken by {@link popNext}. */
  limitNs = Infinity;
  private dead = 0;
  private rootIsHole = false;
  /** The next sequence, times the capacity. */
  private nextOrder = ZERO;

  private readonly lane: Lane;

  /**
   * Specs start small, so that what is rare happens.
   * @param capacity Slots to begin with, a power of two; there are more when they are needed.
   * @param orderLimit When sequences times slots come here, sequences are counted from 0 again.
   * @param nearLimit With so many events on the heap those that are due later leave it.
   */
  constructor(
    private capacity = 1024,
    private readonly orderLimit = EXACT,
    private readonly nearLimit = NEAR_MOST,
  ) {
    this.nearMost = nearLimit;
    this.room = Math.min(capacity, nearLimit);
    this.far = new FarEvents(nearLimit >> 2);
    this.keys = new Float64Array(2 * capacity + 2);
    this.slots = new Int32Array(2 * capacity);
    this.freeSlots = Int32Array.from({ length: capacity }, (_, slot) => slot);
    this.lane = new Lane(capacity);
  }

  get pending(): number {
    return this.size + this.farCount - this.dead + this.lane.length;
  }

  /** Time of the next event, or Infinity. */
  get nextTime(): number {
    if (this.lane.length > 0) return this.now;
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
      this.lane.push(target, argument);
      return NO_SLOT;
    }
    if (!(delayNs > 0 && Number.isInteger(delayNs))) {
      invariant(false, 'events: a delay must be an integer of at least 0 ns');
    }
    this.dueNs = this.now + delayNs;
    return this.insert(target, argument);
  }

  /** The same at {@link dueNs}, from now on: a time in an argument would be put into a box. */
  pushDue(target: number, argument: number): void {
    const { dueNs, now } = this;
    if (dueNs === now) {
      this.lane.push(target, argument);
      return;
    }
    if (!(dueNs > now && Number.isInteger(dueNs))) {
      invariant(false, 'events: what is due must be due at an integer, from now on');
    }
    this.insert(target, argument);
  }

  private insert(target: number, argument: number): number {
    if (this.farCount > 0 && this.dueNs >= this.horizonNs) return this.pushFar(target, argument);
    return this.pushHeap(target, argument);
  }

  /** Keeps an event for `dueNs` away from the heap: as an argument that time would be boxed. */
  private pushFar(target: number, argument: number): number {
    if (this.size + this.farCount === this.capacity) this.grow();
    if (this.nextOrder >= this.orderLimit) this.renumber();
    const { far, farKey } = this;
    const slot = this.freeSlots[this.size + this.farCount]!;
    this.slots[2 * slot] = target;
    this.slots[2 * slot + 1] = argument;
    farKey[0] = this.dueNs;
    farKey[1] = this.nextOrder + slot;
    this.nextOrder += this.capacity;
    far.add(farKey, 0);
    this.farCount++;
    this.measureRoom();
    return slot;
  }

  /** Puts an event for `dueNs` on the heap. */
  private pushHeap(target: number, argument: number): number {
    if (this.size >= this.room) {
      this.makeRoom();
      if (this.dueNs >= this.horizonNs) return this.pushFar(target, argument);
    }
    if (this.nextOrder >= this.orderLimit) this.renumber();
    const { keys } = this;
    const slot = this.freeSlots[this.size + this.farCount]!;
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
    if (this.dead > FEWEST_DEAD && 2 * this.dead > this.size + this.farCount) this.removeDead();
  }

  /** Takes the next event; false when there is none. Advances {@link now}. */
  pop(): boolean {
    this.limitNs = Infinity;
    return this.popNext();
  }

  /** The same if it is at {@link limitNs} or before; as an argument that would be taken out of its box every time. */
  popNext(): boolean {
    for (;;) {
      if (this.lane.length > 0 && !this.heapIsDue()) {
        if (this.now > this.limitNs) return false;
        this.popLane();
        return true;
      }
      if (this.rootIsHole) this.fillHole();
      if (this.size === 0 && !this.refill()) return false;
      const time = this.keys[0]!;
      if (time > this.limitNs) return false;
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
    this.freeSlots[--this.size + this.farCount] = slot;
    this.rootIsHole = true;
    return slot;
  }

  private dropDeadRoots(): void {
    for (;;) {
      if (this.rootIsHole) this.fillHole();
      if (this.size === 0 && !this.refill()) return;
      const slot = this.keys[1]! & (this.capacity - 1);
      if (this.slots[2 * slot] !== DEAD) return;
      this.takeRoot();
      this.dead--;
    }
  }

  private removeDead(): void {
    if (this.rootIsHole) this.fillHole();
    this.size = this.keepLiving(0, this.size);
    if (this.farCount > 0) this.removeFarDead();
    heapify(this.keys, this.size);
  }

  private removeFarDead(): void {
    const { far, keys, size } = this;
    far.filter(keys, size, (end) => {
      const living = this.keepLiving(size, end);
      this.farCount -= end - living;
      return living;
    });
    // Few need no rungs, whose empty buckets would be gone through here every time.
    this.takeFar(size + this.farCount <= this.nearLimit >> 1 ? Infinity : 0);
  }

  /** Gives back the slots of the dead of the keys from `begin` to `end`, and moves up the others; where those end. */
  private keepLiving(begin: number, end: number): number {
    const { keys, slots, freeSlots } = this;
    const mask = this.capacity - 1;
    let free = this.size + this.farCount;
    let living = begin;
    for (let place = begin; place < end; place++) {
      const order = keys[2 * place + 1]!;
      const slot = order & mask;
      if (slots[2 * slot] === DEAD) {
        freeSlots[--free] = slot;
        this.dead--;
      } else {
        keys[2 * living] = keys[2 * place]!;
        keys[2 * living + 1] = order;
        living++;
      }
    }
    return living;
  }

  /** Fills the heap, which is empty, with what is next of the far events; false when there is nothing. */
  private refill(): boolean {
    if (this.farCount === 0) return false;
    this.takeFar(Math.max(1, this.nearLimit >> 5));
    heapify(this.keys, this.size);
    return this.size > 0;
  }

  /** Takes far events until there are `fewest` near ones, in no order. */
  private takeFar(fewest: number): void {
    const { far, keys } = this;
    while (far.count > 0 && this.size < fewest) {
      const end = this.size + far.takeNext(keys, this.size);
      this.size = this.keepLiving(this.size, end);
      this.farCount = far.count;
    }
    far.settle();
    this.horizonNs = far.horizonNs;
    this.nearMost = Math.max(this.nearLimit, 2 * this.size);
    this.measureRoom();
  }

  private measureRoom(): void {
    this.room = Math.min(this.nearMost, this.capacity - this.farCount);
  }

  private makeRoom(): void {
    if (this.size + this.farCount === this.capacity) this.grow();
    if (this.size >= this.nearMost) this.relieveHeap();
    this.measureRoom();
  }

  /** There are many on the heap: leaves there what is next, unless that is all. */
  private relieveHeap(): void {
    if (this.rootIsHole) this.fillHole();
    const { far, size } = this;
    if (far.takeOver(this.keys, 0, size)) {
      this.size = 0;
      this.farCount = far.count;
      this.refill();
    } else {
      this.nearMost = 2 * size;
    }
  }

  private fillHole(): void {
    this.rootIsHole = false;
    const { keys, size } = this;
    if (size === 0) return;
    keys[0] = keys[2 * size]!;
    keys[1] = keys[2 * size + 1]!;
    if (size > 1) siftDown(keys, size);
  }

  private popLane(): void {
    const { lane } = this;
    this.target = lane.target;
    this.argument = lane.argument;
    lane.dropFirst();
    this.executed++;
  }

  private grow(): void {
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
    const { keys, size, far } = this;
    const orders = new Float64Array(size + this.farCount);
    for (let place = 0; place < size; place++) orders[place] = keys[2 * place + 1]!;
    far.copyOrders(orders, size);
    orders.sort();
    const renumbered = new Float64Array(slotsBefore);
    this.nextOrder = 0;
    for (const order of orders) {
      const slot = order & (slotsBefore - 1);
      renumbered[slot] = this.nextOrder + slot;
      this.nextOrder += this.capacity;
    }
    for (let at = 1; at < 2 * size; at += 2) keys[at] = renumbered[keys[at]! & (slotsBefore - 1)]!;
    far.setOrders(renumbered);
    invariant(this.nextOrder < this.orderLimit, 'events: too many are pending');
  }
}
