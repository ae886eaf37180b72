// The timer wheel of kernel/time/timer.c: levels of 64 buckets, each level eight times as coarse as the one below.
//
// A timer goes into the level that its distance fits in and stays there; nothing cascades. Its time is rounded up to
// the granularity of the level, so that it never expires early, and late by one granule at most. Arming and removing
// take constant time. Buckets are lists with the newest first (hlist_add_head), and are expired in that order.
//
// Jiffies may grow beyond 32 bits: shifts are divisions, masks take the low bits only.
import type { Timer } from './timer.js';

export const LVL_BITS = 6;
export const LVL_SIZE = 2 ** LVL_BITS;
const LVL_MASK = LVL_SIZE - 1;
export const LVL_CLK_SHIFT = 3;
const LVL_CLK_DIV = 2 ** LVL_CLK_SHIFT;
const LVL_CLK_MASK = LVL_CLK_DIV - 1;

const DEPTH_MAX = 9;
const GRANULARITY = Float64Array.from({ length: DEPTH_MAX }, (_, level) => LVL_CLK_DIV ** level);
const START = Float64Array.from({ length: DEPTH_MAX + 1 }, (_, level) => (LVL_SIZE - 1) * LVL_CLK_DIV ** (level - 1));

/** LVL_GRAN(): jiffies that a bucket of this level stands for. */
export const granularity = (level: number): number => GRANULARITY[level]!;
/** LVL_START(): the shortest distance that goes into this level, from 1 on. */
export const levelStart = (level: number): number => START[level]!;
/** LVL_DEPTH. */
export const levelDepth = (hz: number): number => (hz > 100 ? DEPTH_MAX : DEPTH_MAX - 1);

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);

export class TimerWheel {
  /** The jiffy that is worked on next: everything before it has expired. */
  clk: number;
  /** When the first bucket expires, or earlier after a removal; Infinity when there is none. */
  nextExpiry = Infinity;
  /** The removed timer may have been the only one of the bucket that nextExpiry tells. */
  private recalculate = false;
  /** Result of {@link index}: when that bucket expires. */
  private bucketExpiry = 0;
  /** Heads of the buckets; after them one list per level of what was collected and has yet to be called. */
  private readonly heads: (Timer | undefined)[];
  private readonly size: number;
  /** A bit per bucket that is not empty, two words a level. */
  private readonly pendingMap: Int32Array;
  /** WHEEL_TIMEOUT_CUTOFF and WHEEL_TIMEOUT_MAX. */
  private readonly cutoff: number;
  private readonly maxTimeout: number;

  constructor(
    private readonly depth: number,
    clk: number,
  ) {
    this.clk = clk;
    this.size = depth * LVL_SIZE;
    this.heads = new Array<Timer | undefined>(this.size + depth).fill(undefined);
    this.pendingMap = new Int32Array(2 * depth);
    this.cutoff = levelStart(depth);
    this.maxTimeout = this.cutoff - granularity(depth - 1);
  }

  /** forward_timer_base(): an idle wheel catches up with `jiffies`, so that the next timer is not rounded too coarsely. */
  forward(jiffies: number): void {
    if (jiffies <= this.clk) return;
    this.clk = this.nextExpiry > jiffies ? jiffies : this.nextExpiry;
  }

  enqueue(timer: Timer, expires: number): void {
    const bucket = this.index(expires);
    timer.expires = expires;
    this.link(timer, bucket);
    this.pendingMap[bucket >> 5]! |= 1 << (bucket & 31);
    if (this.bucketExpiry < this.nextExpiry) {
      this.nextExpiry = this.bucketExpiry;
      this.recalculate = false;
    }
  }

  /** Whether a timer that is pending would go into the bucket where it is; then only its time changes. */
  staysInBucket(timer: Timer, expires: number): boolean {
    return this.index(expires) === timer.bucket;
  }

  /** detach_if_pending(). */
  remove(timer: Timer): void {
    const { bucket } = timer;
    this.unlink(timer);
    if (bucket >= this.size || this.heads[bucket] !== undefined) return;
    this.pendingMap[bucket >> 5]! &= ~(1 << (bucket & 31));
    this.recalculate = true;
  }

  /** When the first bucket expires, for sure. */
  firstExpiry(): number {
    if (this.recalculate) this.recalculateExpiry();
    return this.nextExpiry;
  }

  /**
   * collect_expired_timers(): takes the buckets that expire at the next expiry off the wheel and moves on behind it;
   * returns how many. What they held is still pending and is fetched by {@link nextCollected}.
   */
  collect(): number {
    let clk = this.nextExpiry;
    this.clk = clk;
    let lists = 0;
    for (let level = 0; level < this.depth; level++) {
      const bucket = level * LVL_SIZE + (clk & LVL_MASK);
      if (this.heads[bucket] !== undefined) this.moveList(bucket, this.size + lists++);
      if ((clk & LVL_CLK_MASK) !== 0) break;
      clk = Math.floor(clk / LVL_CLK_DIV);
    }
    this.clk++;
    this.recalculateExpiry();
    return lists;
  }

  /** The next timer of a collected list, no longer pending. */
  nextCollected(list: number): Timer | undefined {
    const timer = this.heads[this.size + list];
    if (timer !== undefined) this.unlink(timer);
    return timer;
  }

  /** calc_wheel_index(). */
  private index(expires: number): number {
    const delta = expires - this.clk;
    if (delta < 0) {
      this.bucketExpiry = this.clk;
      return this.clk & LVL_MASK;
    }
    for (let level = 0; level < this.depth - 1; level++) {
      if (delta < levelStart(level + 1)) return this.levelIndex(expires, level);
    }
    return this.levelIndex(delta >= this.cutoff ? this.clk + this.maxTimeout : expires, this.depth - 1);
  }

  /** calc_index(): rounded up, so that neither the edge of a tick nor the granularity makes a timer early. */
  private levelIndex(expires: number, level: number): number {
    const granule = granularity(level);
    const slot = Math.floor(expires / granule) + 1;
    this.bucketExpiry = slot * granule;
    return level * LVL_SIZE + (slot & LVL_MASK);
  }

  /** timer_recalc_next_expiry(): the earliest of the levels, each looked at from its own clock. */
  private recalculateExpiry(): void {
    this.recalculate = false;
    let next = Infinity;
    let clk = this.clk;
    for (let level = 0; level < this.depth; level++) {
      const distance = this.nextPendingBucket(level, clk & LVL_MASK);
      const levelClk = clk & LVL_CLK_MASK;
      if (distance >= 0) {
        next = Math.min(next, (clk + distance) * granularity(level));
        // Before the next level has its turn: no need to look there.
        if (distance <= ((LVL_CLK_DIV - levelClk) & LVL_CLK_MASK)) break;
      }
      clk = Math.floor(clk / LVL_CLK_DIV) + (levelClk === 0 ? 0 : 1);
    }
    this.nextExpiry = next;
  }

  /** next_pending_bucket(): how many buckets ahead of `from` the first one is that is not empty; -1 for none. */
  private nextPendingBucket(level: number, from: number): number {
    const low = this.pendingMap[2 * level]!;
    const high = this.pendingMap[2 * level + 1]!;
    if ((low | high) === 0) return -1;
    const ahead = -1 << (from & 31);
    const first = from < 32 ? low : high;
    const second = from < 32 ? high : low;
    const base = 32 - (from & 31);
    if ((first & ahead) !== 0) return lowestBit(first & ahead) - (from & 31);
    if (second !== 0) return base + lowestBit(second);
    return base + 32 + lowestBit(first);
  }

  private moveList(bucket: number, list: number): void {
    const head = this.heads[bucket];
    this.heads[bucket] = undefined;
    this.heads[list] = head;
    this.pendingMap[bucket >> 5]! &= ~(1 << (bucket & 31));
    for (let timer = head; timer !== undefined; timer = timer.next) timer.bucket = list;
  }

  private link(timer: Timer, bucket: number): void {
    const head = this.heads[bucket];
    timer.bucket = bucket;
    timer.next = head;
    timer.previous = undefined;
    if (head !== undefined) head.previous = timer;
    this.heads[bucket] = timer;
  }

  private unlink(timer: Timer): void {
    const { next, previous } = timer;
    if (previous === undefined) this.heads[timer.bucket] = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    timer.next = undefined;
    timer.previous = undefined;
    timer.bucket = -1;
  }
}
