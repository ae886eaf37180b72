// VFIO_IOMMU_MAP_DMA of one range as a job: chunks that pin (pin-chunk.ts), and the undo of those that had succeeded.
import {
  type HardwareRates,
  type Machine,
  Mutex,
  type RandomStream,
  type Task,
  type TaskBody,
  type Topology,
} from '@kworkbench/machine';
import type { PadataKernel } from '../kernel.js';
import type { Range } from '../job/undo.js';
import { BATCH_PAGES, PAGE_BYTES, type PinCosts } from './costs.js';
import type { Mm } from './mm.js';
import { PinChunk } from './pin-chunk.js';
import { JobTraffic } from './stream.js';
import type { ChunkWork, ThreadFn } from './thread-fn.js';

/** The main thread undoes so many pages between two looks at whether it should give way. */
const UNDO_PAGES = 64 * BATCH_PAGES;

/** Cache lines that every pinner on the machine writes (counters of the node, lists): one at a time has them. */
export class SharedLines {
  private busyUntilNs = 0;

  constructor(private readonly machine: Machine) {}

  /** ns until a use of `ns` is over, behind those before it. */
  use(ns: number): number {
    if (ns === 0) return 0;
    const { nowNs } = this.machine;
    this.busyUntilNs = Math.max(this.busyUntilNs, nowNs) + ns;
    return this.busyUntilNs - nowNs;
  }
}

export interface PinPlace {
  readonly machine: Machine;
  readonly rates: HardwareRates;
  readonly topology: Topology;
  readonly shared: SharedLines;
  readonly random: (entity: string) => RandomStream;
}

export interface PinOptions {
  /** Pages of the guest are on node 0 by the policy of the main thread, which helpers do not have. */
  readonly taskPolicy: boolean;
  readonly prefaulted: boolean;
}

/** The pinning of one address space: everything that its chunks share. */
export class PinContext implements ThreadFn {
  readonly machine: Machine;
  readonly cachePages: number;
  /** Off where the whole range is accounted before. */
  readonly accountsRuns: boolean;
  readonly signalPoll: boolean;
  /** iommu->lock, which a MAP call holds from its begin to its end; undefined where calls share it. */
  readonly containerLock: Mutex | undefined;
  /** Kernel memory that was charged to nobody, and pages that were allocated on a node outside of the policy. */
  leakedBytes = 0;
  misplacedBytes = 0;
  /** Undone by chunks themselves, in pages. */
  chunkUndonePages = 0;
  undoNs = 0;
  undoCalls = 0;
  private readonly traffic: JobTraffic;

  constructor(
    private readonly place: PinPlace,
    private readonly kernel: PadataKernel,
    readonly mm: Mm,
    readonly costs: PinCosts,
    private readonly options: PinOptions,
  ) {
    this.machine = place.machine;
    this.accountsRuns = !kernel.accountWhole;
    this.cachePages = this.accountsRuns ? kernel.cachePages : 0;
    this.signalPoll = kernel.signalPoll;
    this.containerLock = kernel.containerLock ? new Mutex(place.machine, 'iommu->lock') : undefined;
    this.traffic = new JobTraffic(place.rates, 0, costs.bytesPerNs, costs.workerSpeed);
  }

  worker(task: Task, helper: boolean, workers: number): { begin(start: number, end: number): ChunkWork } {
    const stream = this.traffic.of(task, workers);
    const chunk = new PinChunk(this, task, helper, stream, this.place.random(`${this.mm.name}/${task.name}`));
    return { begin: (start, end) => chunk.begin(start / PAGE_BYTES, end / PAGE_BYTES) };
  }

  /** Time of this batch on the lines that all pinners share, with the wait for them. */
  sharedNs(): number {
    return Math.round(this.place.shared.use(this.costs.sharedNs));
  }

  /** What a batch of so many pages takes from the memory cgroup and where it comes from. @returns pages that may be had. */
  charge(pages: number, helper: boolean, task: Task): number {
    const { mm, options, kernel } = this;
    if (options.prefaulted || pages === 0) return pages;
    const granted = Math.min(pages, mm.limits.memoryPages - mm.chargedPages);
    mm.chargedPages += granted;
    if (!helper || granted === 0) return granted;
    // Page tables of the guest and of the IOMMU: a page for every 512.
    if (!kernel.memcgCharge) this.leakedBytes += Math.ceil(granted / BATCH_PAGES) * PAGE_BYTES;
    if (options.taskPolicy && !kernel.memPolicy && this.place.topology.nodeOf[task.cpu.index] !== 0) {
      this.misplacedBytes += granted * PAGE_BYTES;
    }
    return granted;
  }

  /** The pages stay where they are, charged to whom they are: only the pins go. */
  chunkUndone(pages: number): void {
    this.chunkUndonePages += pages;
  }

  /** vfio_unmap_unpin() of a range that is pinned as a whole. */
  readonly undo = (range: Range): TaskBody =>
    this.undoPages({ start: range.start / PAGE_BYTES, end: range.end / PAGE_BYTES });

  private *undoPages({ start, end }: Range): TaskBody {
    const { mm, costs } = this;
    const fromNs = this.machine.nowNs;
    this.undoCalls++;
    for (let at = start; at < end; at += UNDO_PAGES) {
      yield Math.round(Math.min(UNDO_PAGES, end - at) * costs.undoPageNs);
    }
    if (this.accountsRuns) {
      for (let wait; (wait = mm.mmapLock.downWrite()) !== 0;) yield wait;
      mm.writes++;
      yield mm.accountingNs(this.machine.current.cpu.index, costs.accountNs);
      mm.account(start - end);
      const wakesNs = mm.mmapLock.upWrite();
      if (wakesNs > 0) yield wakesNs;
    }
    mm.undo({ start, end });
    this.undoNs += this.machine.nowNs - fromNs;
  }
}
