// Free pages by NUMA node, reclaim and out of memory (mm/page_alloc.c, mm/vmscan.c).
//
// An allocation takes from its node, else from the others by distance, while a node stays above its low watermark. Below
// that kswapd of each node is woken, and the allocation may go down to the min watermark. Below that it reclaims page cache
// itself, in batches, and waits as long as that takes (direct reclaim); when there is nothing to reclaim the OOM killer
// looks for a victim. Bytes are never lost: managed = free + page cache + isolated + used, per node, always.
import { invariant } from '../invariant.js';
import type { Machine } from '../machine.js';
import { PARK, type Task, type TaskBody } from '../sched/task.js';
import { Timers } from '../timers/timers.js';
import type { OomKiller } from './oom-killer.js';
import { PAGE_BYTES } from './slab-layout.js';
import type { Watermarks } from './watermarks.js';

/** SWAP_CLUSTER_MAX: pages that one round of reclaim frees. */
const BATCH_BYTES = 32 * PAGE_BYTES;
/** MAX_RECLAIM_RETRIES. */
const MAX_RETRIES = 16;

export interface NodeConfig {
  readonly managedBytes: number;
  readonly watermarks: Watermarks;
  /** Page cache at the start: what reclaim can give back. */
  readonly pageCacheBytes: number;
}

export interface PageAllocatorConfig {
  readonly nodes: readonly NodeConfig[];
  /** CPU time to reclaim one page of clean page cache. */
  readonly reclaimPageNs: number;
  /** distance[from][to], as numactl shows it; by default all others are equally far. */
  readonly distance?: readonly (readonly number[])[];
}

export class MemoryNode {
  freeBytes: number;
  pageCacheBytes: number;
  usedBytes = 0;
  /** Used here by allocations that wanted another node (numa_miss). */
  missedBytes = 0;
  kswapd: Task | undefined = undefined;
  /** Taken off the page cache by reclaim, and not free yet. */
  isolatedBytes = 0;
  /** Nodes to try for an allocation that wants this one, itself first. */
  zonelist: MemoryNode[] = [];

  constructor(
    readonly index: number,
    readonly config: NodeConfig,
  ) {
    this.pageCacheBytes = config.pageCacheBytes;
    this.freeBytes = config.managedBytes - config.pageCacheBytes;
    invariant(this.freeBytes >= 0, `memory: node ${index} has more page cache than memory`);
  }
}

export class PageAllocator {
  readonly nodes: readonly MemoryNode[];
  /** Allocations that had to reclaim themselves (allocstall), and their time in it. */
  stalls = 0;
  stallNs = 0;
  failures = 0;

  constructor(
    private readonly machine: Machine,
    private readonly config: PageAllocatorConfig,
    private readonly oom?: OomKiller,
  ) {
    this.nodes = config.nodes.map((node, index) => new MemoryNode(index, node));
    const distance = (from: number, to: number): number => config.distance?.[from]?.[to] ?? (from === to ? 10 : 20);
    for (const node of this.nodes) {
      node.zonelist = [...this.nodes].sort((a, b) => distance(node.index, a.index) - distance(node.index, b.index));
    }
  }

  /**
   * `const node = yield* allocator.allocate(bytes, preferred)`: __alloc_pages(GFP_KERNEL) by the current task. The node
   * that it came from, or -1: out of memory, and nobody to kill.
   */
  *allocate(bytes: number, preferred = 0): Generator<number, number, void> {
    const wanted = this.nodes[preferred]!;
    const node = this.tryAllocate(bytes, wanted);
    if (node >= 0) return node;
    const startNs = this.machine.nowNs;
    this.stalls++;
    const late = yield* this.allocateSlowly(bytes, wanted);
    this.stallNs += this.machine.nowNs - startNs;
    if (late < 0) this.failures++;
    return late;
  }

  /** __alloc_pages(GFP_NOWAIT): the node, or -1 when only reclaim could help. Wakes kswapd below the low watermark. */
  tryAllocate(bytes: number, wanted: MemoryNode): number {
    const node = this.takeAbove(bytes, wanted, false);
    if (node >= 0) return node;
    for (const each of wanted.zonelist) this.wakeKswapd(each);
    return this.takeAbove(bytes, wanted, true);
  }

  /** Gives pages back to the node that they came from; `preferred` as when they were allocated. */
  free(bytes: number, nodeIndex: number, preferred = nodeIndex): void {
    const node = this.nodes[nodeIndex]!;
    node.usedBytes -= bytes;
    node.freeBytes += bytes;
    if (preferred !== nodeIndex) node.missedBytes -= bytes;
    invariant(node.usedBytes >= 0 && node.missedBytes >= 0, `memory: node ${nodeIndex} gets back more than it gave`);
  }

  /** Free pages become page cache: somebody reads files. As much as stays above the high watermark. */
  cacheFiles(bytes: number, nodeIndex = 0): void {
    const node = this.nodes[nodeIndex]!;
    const spare = Math.max(0, Math.min(bytes, node.freeBytes - node.config.watermarks.highBytes));
    node.freeBytes -= spare;
    node.pageCacheBytes += spare;
  }

  /** get_page_from_freelist(). */
  private takeAbove(bytes: number, wanted: MemoryNode, toMin: boolean): number {
    for (const node of wanted.zonelist) {
      const { minBytes, lowBytes } = node.config.watermarks;
      if (node.freeBytes - bytes < (toMin ? minBytes : lowBytes)) continue;
      node.freeBytes -= bytes;
      node.usedBytes += bytes;
      if (node !== wanted) node.missedBytes += bytes;
      return node.index;
    }
    return -1;
  }

  /** __alloc_pages_slowpath(). */
  private *allocateSlowly(bytes: number, wanted: MemoryNode): Generator<number, number, void> {
    const timers = Timers.of(this.machine);
    for (let retries = 0; retries < MAX_RETRIES;) {
      const reclaimed = yield* this.reclaimBatch(wanted.zonelist.find(({ pageCacheBytes }) => pageCacheBytes > 0));
      const node = this.takeAbove(bytes, wanted, true);
      if (node >= 0) return node;
      retries = reclaimed > 0 ? 0 : retries + 1;
      if (reclaimed > 0) continue;
      if (this.oom?.outOfMemory() !== true) return -1;
      // __alloc_pages_may_oom(): lets the victim go.
      yield* timers.scheduleTimeout(1);
      retries = 0;
    }
    return -1;
  }

  /** shrink_node(), once: bytes that became free. */
  private *reclaimBatch(node: MemoryNode | undefined): Generator<number, number, void> {
    if (node === undefined) return 0;
    const bytes = Math.min(BATCH_BYTES, node.pageCacheBytes);
    // Nobody else takes the same pages off the list.
    node.pageCacheBytes -= bytes;
    node.isolatedBytes += bytes;
    yield Math.ceil(bytes / PAGE_BYTES) * this.config.reclaimPageNs;
    node.isolatedBytes -= bytes;
    node.freeBytes += bytes;
    return bytes;
  }

  private wakeKswapd(node: MemoryNode): void {
    node.kswapd ??= this.machine.spawn(`kswapd${node.index}`, () => this.kswapd(node), { asleep: true });
    this.machine.wake(node.kswapd);
  }

  /** balance_pgdat(): up to the high watermark. */
  private *kswapd(node: MemoryNode): TaskBody {
    for (;;) {
      while (node.freeBytes < node.config.watermarks.highBytes && node.pageCacheBytes > 0) {
        yield* this.reclaimBatch(node);
      }
      yield PARK;
    }
  }
}
