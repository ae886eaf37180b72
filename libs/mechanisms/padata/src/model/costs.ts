// What one cell's machine takes for everything that is modelled, from the constants of its profile.
import type { PadataKernel } from '../kernel.js';
import type { PadataWorkload, PageKind } from '../workloads.js';

export type Constants = Readonly<Record<string, number>>;

export const PAGE_BYTES = 4096;
/** Pages whose pointers fit into one page: what one call pins at most. */
export const BATCH_PAGES = 512;

/** `hugetlb` and `cold` give `hugetlbColdPageNs`. */
export const constantName = (pages: PageKind, prefaulted: boolean, what: string): string =>
  `${pages}${prefaulted ? 'Prefaulted' : 'Cold'}${what}`;

export interface PinCosts {
  /** CPU time to pin a page under mmap_lock, of one thread alone; its part of accounting and mapping is apart. */
  readonly pageNs: number;
  /** Physically contiguous pages: what is accounted and mapped together. */
  readonly runPages: number;
  readonly mapNs: number;
  /** Looking at a pinned page, for where its run ends: outside of mmap_lock, which gives a woken writer its chance. */
  readonly checkNs: number;
  /** Work under mmap_lock to account one run; the lines that it writes come on top of it. */
  readonly accountNs: number;
  readonly undoPageNs: number;
  /** Variation of a batch, and of what follows it outside of mmap_lock, plus or minus. */
  readonly jitterRatio: number;
  readonly outsideJitterRatio: number;
  /** How long a CPU takes to run what wakes it, after it was idle for longer than `deepIdleNs`. */
  readonly idleExitNs: number;
  readonly deepIdleNs: number;
  /** What one thread alone moves to and from memory, and how much of its speed one of several workers reaches. */
  readonly bytesPerNs: number;
  readonly workerSpeed: number;
  /** Time per batch on cache lines that all workers write. */
  readonly sharedNs: number;
}

export function pinCosts(constants: Constants, kernel: PadataKernel, workload: PadataWorkload): PinCosts {
  const { pages, prefaulted } = workload;
  const own = (what: string): number => constants[constantName(pages, prefaulted, what)]!;
  const of = (name: string): number => constants[name]!;
  const runPages = pages === 'small' ? of('smallRunPages') : BATCH_PAGES;
  const mapNs = of('iommuMapNs');
  const accountNs = of('accountNs');
  const sharedNs = own('SharedNs');
  const folios = kernel.folioBatching && prefaulted && pages !== 'small' ? of('folioBatchingRatio') : 1;
  const totalNs = own('PageNs') * folios;
  // The published cost of a page is that of the whole loop.
  const checkNs = of('pageCheckNs') * folios;
  const apartNs = (mapNs + accountNs) / runPages + sharedNs / BATCH_PAGES + checkNs;
  return {
    pageNs: Math.max(totalNs - apartNs, 0.1 * totalNs),
    runPages,
    mapNs,
    checkNs,
    accountNs,
    undoPageNs: of(`${pages}UndoPageNs`),
    jitterRatio: own('BatchJitterRatio'),
    outsideJitterRatio: of('outsideJitterRatio'),
    idleExitNs: Math.round(of('idleExitNs')),
    deepIdleNs: of('deepIdleNs'),
    // Over all that a page costs, for the phase covers the whole loop.
    bytesPerNs: own('TrafficBytes') / totalNs,
    workerSpeed: own('WorkerSpeedRatio'),
    sharedNs,
  };
}
