// The address space that a guest lives in (struct mm_struct), as far as pinning sees it: mmap_lock, locked_vm, and which
// pages are pinned.
//
// Invariants: no page is pinned twice or undone twice; after a failed job locked_vm and pins are what they were before.
import {
  type CacheLine,
  type CacheLines,
  invariant,
  type Machine,
  Rwsem,
  type RwsemOptions,
} from '@kworkbench/machine';
import type { Range } from '../job/undo.js';

export interface MmLimits {
  /** RLIMIT_MEMLOCK in pages; Infinity with CAP_IPC_LOCK. */
  readonly lockedPages: number;
  /** Pages that the memory cgroup still has; Infinity without a limit. */
  readonly memoryPages: number;
}

export class Mm {
  readonly mmapLock: Rwsem;
  /** locked_vm. What chunks have reserved and not used yet is in it. */
  lockedPages = 0;
  lockedPagesMax = 0;
  /** Reserved by chunks and not used yet, now and at most. */
  cachedPages = 0;
  cachedPagesMax = 0;
  pinnedPages = 0;
  undonePages = 0;
  /** Times that mmap_lock was taken for writing, and how long that was waited for; the same for reading. */
  writes = 0;
  writeWaitNs = 0;
  reads = 0;
  readWaitNs = 0;
  /** A fatal signal is pending for the main thread. */
  killed = false;
  /** Charged to the memory cgroup so far. */
  chargedPages = 0;
  /** Tasks that work on it now: alone, nobody can get in between. */
  pinners = 0;
  private readonly done = new Map<number, number>();
  /** The line that locked_vm lies in; mmap_lock has one of its own (struct mm_struct). */
  private readonly lockedVmLine: CacheLine;

  constructor(
    machine: Machine,
    readonly name: string,
    readonly limits: MmLimits,
    /** Pages that cannot be pinned, by number, ascending. */
    readonly errorPages: readonly number[],
    lines: CacheLines,
    options: RwsemOptions,
  ) {
    this.mmapLock = new Rwsem(machine, 'mmap_lock', { ...options, line: lines.line() });
    this.lockedVmLine = lines.line();
  }

  /** Whole ns that a CPU accounts under mmap_lock: `workNs` once the line of locked_vm is there. */
  accountingNs(cpu: number, workNs: number): number {
    return Math.round(this.lockedVmLine.write(cpu) + workNs);
  }

  /** account_locked_vm() under mmap_lock: false is -ENOMEM, and nothing has changed. */
  account(pages: number): boolean {
    if (pages > 0 && this.lockedPages + pages > this.limits.lockedPages) return false;
    this.lockedPages += pages;
    invariant(this.lockedPages >= 0, `${this.name}: locked_vm below 0`);
    if (this.lockedPages > this.lockedPagesMax) this.lockedPagesMax = this.lockedPages;
    return true;
  }

  reserve(pages: number): void {
    this.cachedPages += pages;
    invariant(this.cachedPages >= 0 && this.cachedPages <= this.lockedPages, `${this.name}: more cached than locked`);
    if (this.cachedPages > this.cachedPagesMax) this.cachedPagesMax = this.cachedPages;
  }

  /** The first page from `from` on, and before `to`, that cannot be pinned; `to` when there is none. */
  firstBad(from: number, to: number): number {
    for (const page of this.errorPages) if (page >= from && page < to) return page;
    return to;
  }

  /** A chunk is pinned as a whole. Ranges in pages. */
  chunkPinned(start: number, end: number): void {
    invariant(!this.done.has(start), `${this.name}: chunk at ${start} pinned twice`);
    this.done.set(start, end);
  }

  /** What a gap between failed chunks holds: whole chunks, each undone once. */
  undo({ start, end }: Range): void {
    let at = start;
    while (at < end) {
      const to = this.done.get(at);
      if (to === undefined || to > end) invariant(false, `${this.name}: undo at ${at}, which is not pinned`);
      this.done.delete(at);
      at = to!;
    }
    this.undonePages += end - start;
    this.pinnedPages -= end - start;
  }

  /** The ranges that are pinned, ascending and joined. */
  pinnedRanges(): Range[] {
    const ranges: { start: number; end: number }[] = [];
    for (const [start, end] of [...this.done].sort(([a], [b]) => a - b)) {
      const last = ranges.at(-1);
      invariant(last === undefined || last.end <= start, `${this.name}: pages pinned twice`);
      if (last?.end === start) last.end = end;
      else ranges.push({ start, end });
    }
    return ranges;
  }
}
