// struct ip_vs_estimator of every service, destination and total, as columns: a million of them fit, and lists are links
// between indexes. An estimator is in one list at most; the list's head is kept by its owner.
//
// Life: Free, then started (Temp, later Linked, or Listed under the timer), then stopped; what stopped it frees it after a
// grace period, because a walker may still stand on it. `next` of a stopped one still leads on, as hlist_del_rcu() has it.
// The asserts here and in kthread-loop.ts are invariant 8 of the specification.
import { invariant } from '@kworkbench/machine';
import { COUNTERS } from './ip-vs-stats.js';

export const enum EstState {
  Free,
  /** In est_temp_list. */
  Temp,
  /** In a chain of a kthread. */
  Linked,
  /** In est_list of the timer. */
  Listed,
  /** In no list: in transfer, or never taken in. */
  Unhashed,
  /** Unlinked for good; freed after a grace period. */
  Stopped,
}

/** End of a list. */
export const NIL = -1;

/** Head of a list of estimators (struct hlist_head). */
export class EstList {
  first = NIL;
  last = NIL;
  length = 0;
}

export class Estimators {
  state!: Uint8Array;
  ktid!: Int16Array;
  ktrow!: Uint8Array;
  ktcid!: Uint8Array;
  next!: Int32Array;
  private previous!: Int32Array;
  /** When it was started, and when it was last sampled; the latter -1 before the first time. */
  startNs!: Float64Array;
  sampledNs!: Float64Array;
  /** Since when it is in est_temp_list. */
  waitingNs!: Float64Array;
  samples!: Uint32Array;
  last!: Float64Array;
  average!: Float64Array;
  /** Injected: packets per second, its share of all that comes since `startNs`. */
  packetsPerSecond!: Float64Array;
  /** Its packets are part of the namespace's total: those of a service are, those of its destinations are the same ones. */
  counted!: Uint8Array;
  count = 0;
  private used = 0;
  private readonly free: number[] = [];

  constructor(private capacity: number) {
    this.grow(capacity);
  }

  /** Indexes below this have been in use. */
  get top(): number {
    return this.used;
  }

  /** @param packetsPerSecond that are counted by it from now on. */
  alloc(nowNs: number, packetsPerSecond: number): number {
    const reused = this.free.pop();
    if (reused === undefined && this.used === this.capacity) this.grow(2 * this.capacity);
    const est = reused ?? this.used++;
    this.count++;
    this.state[est] = EstState.Unhashed;
    this.ktid[est] = -1;
    this.counted[est] = 0;
    this.startNs[est] = nowNs;
    this.sampledNs[est] = -1;
    this.samples[est] = 0;
    this.packetsPerSecond[est] = packetsPerSecond;
    this.last.fill(0, est * COUNTERS, (est + 1) * COUNTERS);
    this.average.fill(0, est * COUNTERS, (est + 1) * COUNTERS);
    return est;
  }

  /** After the grace period. */
  release(est: number): void {
    invariant(this.state[est] === EstState.Stopped, 'ipvs: an estimator is freed that was not stopped');
    this.state[est] = EstState.Free;
    this.count--;
    this.free.push(est);
  }

  /** hlist_add_head() */
  addHead(list: EstList, est: number, state: EstState): void {
    invariant(this.state[est] === EstState.Unhashed, 'ipvs: an estimator in two lists');
    const { first } = list;
    this.next[est] = first;
    this.previous[est] = NIL;
    if (first === NIL) list.last = est;
    else this.previous[first] = est;
    list.first = est;
    list.length++;
    this.state[est] = state;
  }

  /** hlist_del(): it keeps its own `next`, for those that walk the list. */
  remove(list: EstList, est: number): void {
    const next = this.next[est]!;
    const previous = this.previous[est]!;
    if (previous === NIL) {
      invariant(list.first === est, 'ipvs: an estimator is taken out of a list that it is not in');
      list.first = next;
    } else this.next[previous] = next;
    if (next === NIL) list.last = previous;
    else this.previous[next] = previous;
    list.length--;
    this.state[est] = EstState.Unhashed;
  }

  private grow(capacity: number): void {
    const move = <T extends { set(from: T): void }>(to: T, from: T | undefined): T => {
      if (from !== undefined) to.set(from);
      return to;
    };
    this.capacity = capacity;
    this.state = move(new Uint8Array(capacity), this.state);
    this.ktid = move(new Int16Array(capacity), this.ktid);
    this.ktrow = move(new Uint8Array(capacity), this.ktrow);
    this.counted = move(new Uint8Array(capacity), this.counted);
    this.ktcid = move(new Uint8Array(capacity), this.ktcid);
    this.next = move(new Int32Array(capacity), this.next);
    this.previous = move(new Int32Array(capacity), this.previous);
    this.startNs = move(new Float64Array(capacity), this.startNs);
    this.sampledNs = move(new Float64Array(capacity), this.sampledNs);
    this.waitingNs = move(new Float64Array(capacity), this.waitingNs);
    this.samples = move(new Uint32Array(capacity), this.samples);
    this.last = move(new Float64Array(capacity * COUNTERS), this.last);
    this.average = move(new Float64Array(capacity * COUNTERS), this.average);
    this.packetsPerSecond = move(new Float64Array(capacity), this.packetsPerSecond);
  }
}
