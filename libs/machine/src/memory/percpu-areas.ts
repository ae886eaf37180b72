// Per-CPU memory (mm/percpu.c): an allocation of n bytes takes n in the unit of every possible CPU. Units are in chunks,
// whose pages are populated when something needs them, for all CPUs at once, and given back with the chunk. So memory
// grows with the number of possible CPUs, and what is left in a chunk keeps its pages.
import { invariant } from '../invariant.js';
import { PAGE_BYTES } from './slab-layout.js';
import type { PageSource } from './slab-cache.js';

/** PCPU_MIN_ALLOC_SIZE. */
const GRANULE_BYTES = 4;

interface Gap {
  startBytes: number;
  sizeBytes: number;
}

class Chunk {
  /** Free areas in order of their place. */
  readonly gaps: Gap[];
  readonly populated: Uint8Array;
  populatedPages = 0;
  usedBytes = 0;

  constructor(unitBytes: number) {
    this.gaps = [{ startBytes: 0, sizeBytes: unitBytes }];
    this.populated = new Uint8Array(Math.ceil(unitBytes / PAGE_BYTES));
  }
}

/** What {@link PercpuAreas.alloc} returns. */
export interface PercpuArea {
  readonly chunk: Chunk;
  readonly startBytes: number;
  readonly sizeBytes: number;
}

export class PercpuAreas {
  /** Sum over the allocations, in one unit. */
  usedBytes = 0;
  private populatedPages = 0;
  private readonly chunks: Chunk[] = [];

  constructor(
    private readonly pages: PageSource,
    private readonly possibleCpus: number,
    /** Size of a unit: 32 KiB at least; 256 KiB where the first chunk is embedded. */
    private readonly unitBytes = 262_144,
  ) {}

  /** Populated pages of all units (Percpu in /proc/meminfo). */
  get bytes(): number {
    return this.populatedPages * PAGE_BYTES * this.possibleCpus;
  }

  get chunkCount(): number {
    return this.chunks.length;
  }

  /** __alloc_percpu(): the first place where it fits. */
  alloc(bytes: number): PercpuArea {
    const sizeBytes = Math.ceil(bytes / GRANULE_BYTES) * GRANULE_BYTES;
    invariant(sizeBytes > 0 && sizeBytes <= this.unitBytes, `percpu: an allocation of ${bytes} bytes`);
    for (const chunk of this.chunks) {
      const startBytes = place(chunk, sizeBytes);
      if (startBytes >= 0) return this.take(chunk, startBytes, sizeBytes);
    }
    const chunk = new Chunk(this.unitBytes);
    this.chunks.push(chunk);
    return this.take(chunk, place(chunk, sizeBytes), sizeBytes);
  }

  /** free_percpu(). Of chunks that are empty one is kept (pcpu_balance_free()). */
  free({ chunk, startBytes, sizeBytes }: PercpuArea): void {
    let at = chunk.gaps.findIndex((gap) => gap.startBytes > startBytes);
    if (at < 0) at = chunk.gaps.length;
    const [before, after] = [chunk.gaps[at - 1], chunk.gaps[at]];
    const fits =
      (before === undefined || before.startBytes + before.sizeBytes <= startBytes) &&
      (after === undefined || startBytes + sizeBytes <= after.startBytes);
    invariant(fits, 'percpu: freed twice');
    chunk.gaps.splice(at, 0, { startBytes, sizeBytes });
    merge(chunk.gaps, at);
    merge(chunk.gaps, at - 1);
    chunk.usedBytes -= sizeBytes;
    this.usedBytes -= sizeBytes;
    if (chunk.usedBytes > 0 || !this.chunks.some((other) => other !== chunk && other.usedBytes === 0)) return;
    this.chunks.splice(this.chunks.indexOf(chunk), 1);
    this.populatedPages -= chunk.populatedPages;
    this.pages.uncharge(chunk.populatedPages * PAGE_BYTES * this.possibleCpus, 0);
  }

  private take(chunk: Chunk, startBytes: number, sizeBytes: number): PercpuArea {
    chunk.usedBytes += sizeBytes;
    this.usedBytes += sizeBytes;
    let pages = 0;
    const last = Math.floor((startBytes + sizeBytes - 1) / PAGE_BYTES);
    for (let page = Math.floor(startBytes / PAGE_BYTES); page <= last; page++) {
      if (chunk.populated[page] === 1) continue;
      chunk.populated[page] = 1;
      pages++;
    }
    chunk.populatedPages += pages;
    this.populatedPages += pages;
    if (pages > 0) this.pages.charge(pages * PAGE_BYTES * this.possibleCpus, 0);
    return { chunk, startBytes, sizeBytes };
  }
}

/** Takes so many bytes of the first gap that has them: where; -1 when none has. */
function place({ gaps }: Chunk, sizeBytes: number): number {
  const at = gaps.findIndex((gap) => gap.sizeBytes >= sizeBytes);
  if (at < 0) return -1;
  const gap = gaps[at]!;
  const { startBytes } = gap;
  gap.startBytes += sizeBytes;
  gap.sizeBytes -= sizeBytes;
  if (gap.sizeBytes === 0) gaps.splice(at, 1);
  return startBytes;
}

/** Makes one of a gap and the next, if nothing lies between. */
function merge(gaps: Gap[], at: number): void {
  const [gap, next] = [gaps[at], gaps[at + 1]];
  if (gap === undefined || next === undefined || gap.startBytes + gap.sizeBytes !== next.startBytes) return;
  gap.sizeBytes += next.sizeBytes;
  gaps.splice(at + 1, 1);
}
