// The event queue: a total order on (time, sequence), so that a run is the same everywhere.
//
// A binary heap on typed arrays, plus a FIFO lane for events at the present instant. The lane keeps the order: an event
// that was pushed on the heap for `now` was pushed before time reached `now`, so all of those go before the lane.
// Events are (target, argument) pairs of integers; whoever cancels one lets it fire and ignores it by its argument.

import { invariant } from '../invariant.js';

const INITIAL_CAPACITY = 1024;

export class EventQueue {
  /** Virtual time in ns: an integer in a double, exact for 104 days. */
  now = 0;
  /** Events popped so far. */
  executed = 0;
  /** Target and argument of the event that {@link pop} returned. */
  target = 0;
  argument = 0;

  private times = new Float64Array(INITIAL_CAPACITY);
  private sequences = new Float64Array(INITIAL_CAPACITY);
  private targets = new Int32Array(INITIAL_CAPACITY);
  private args = new Int32Array(INITIAL_CAPACITY);
  private size = 0;
  private nextSequence = 0;

  private laneTargets = new Int32Array(INITIAL_CAPACITY);
  private laneArgs = new Int32Array(INITIAL_CAPACITY);
  private laneHead = 0;
  private laneSize = 0;

  get pending(): number {
    return this.size + this.laneSize;
  }

  /** Time of the next event, or Infinity. */
  get nextTime(): number {
    if (this.laneSize > 0) return this.now;
    return this.size > 0 ? this.times[0]! : Infinity;
  }

  /**
   * Schedules an event `delayNs` from now.
   * @throws InvariantViolation unless the delay is an integer of at least 0: fractions would make time inexact, and a
   * burst that is over by less than a rounding error would never end.
   */
  push(delayNs: number, target: number, argument: number): void {
    if (delayNs === 0) {
      this.pushLane(target, argument);
      return;
    }
    invariant(delayNs > 0 && Number.isInteger(delayNs), 'events: a delay must be an integer of at least 0 ns');
    this.pushHeap(this.now + delayNs, target, argument);
  }

  /** Takes the next event; false when there is none. Advances {@link now}. */
  pop(): boolean {
    if (this.laneSize > 0 && !(this.size > 0 && this.times[0]! === this.now)) {
      this.target = this.laneTargets[this.laneHead]!;
      this.argument = this.laneArgs[this.laneHead]!;
      this.laneHead = (this.laneHead + 1) & (this.laneTargets.length - 1);
      this.laneSize--;
      this.executed++;
      return true;
    }
    if (this.size === 0) return false;
    this.now = this.times[0]!;
    this.target = this.targets[0]!;
    this.argument = this.args[0]!;
    this.removeRoot();
    this.executed++;
    return true;
  }

  private pushLane(target: number, argument: number): void {
    const capacity = this.laneTargets.length;
    if (this.laneSize === capacity) this.growLane();
    const at = (this.laneHead + this.laneSize) & (this.laneTargets.length - 1);
    this.laneTargets[at] = target;
    this.laneArgs[at] = argument;
    this.laneSize++;
  }

  private pushHeap(time: number, target: number, argument: number): void {
    if (this.size === this.times.length) this.growHeap();
    const { times, sequences, targets, args } = this;
    const sequence = this.nextSequence++;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      // A parent with the same time was pushed earlier: it stays above.
      if (times[parent]! <= time) break;
      times[at] = times[parent]!;
      sequences[at] = sequences[parent]!;
      targets[at] = targets[parent]!;
      args[at] = args[parent]!;
      at = parent;
    }
    times[at] = time;
    sequences[at] = sequence;
    targets[at] = target;
    args[at] = argument;
  }

  private removeRoot(): void {
    const { times, sequences, targets, args } = this;
    const last = --this.size;
    const time = times[last]!;
    const sequence = sequences[last]!;
    const half = last >> 1;
    let at = 0;
    while (at < half) {
      let child = 2 * at + 1;
      const right = child + 1;
      if (
        right < last &&
        (times[right]! < times[child]! || (times[right]! === times[child]! && sequences[right]! < sequences[child]!))
      ) {
        child = right;
      }
      if (times[child]! > time || (times[child]! === time && sequences[child]! > sequence)) break;
      times[at] = times[child]!;
      sequences[at] = sequences[child]!;
      targets[at] = targets[child]!;
      args[at] = args[child]!;
      at = child;
    }
    times[at] = time;
    sequences[at] = sequence;
    targets[at] = targets[last]!;
    args[at] = args[last]!;
  }

  private growHeap(): void {
    const capacity = this.times.length * 2;
    const grow = <A extends Float64Array | Int32Array>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    this.times = grow(this.times, new Float64Array(capacity));
    this.sequences = grow(this.sequences, new Float64Array(capacity));
    this.targets = grow(this.targets, new Int32Array(capacity));
    this.args = grow(this.args, new Int32Array(capacity));
  }

  private growLane(): void {
    const capacity = this.laneTargets.length;
    const targets = new Int32Array(capacity * 2);
    const args = new Int32Array(capacity * 2);
    for (let i = 0; i < this.laneSize; i++) {
      const from = (this.laneHead + i) & (capacity - 1);
      targets[i] = this.laneTargets[from]!;
      args[i] = this.laneArgs[from]!;
    }
    this.laneTargets = targets;
    this.laneArgs = args;
    this.laneHead = 0;
  }
}
