// A kmem_cache by slabs (mm/slub.c): memory comes and goes a slab at a time, so that a few objects that stay keep whole
// slabs. Whoever needs sums only uses {@link Cache}.
//
// A CPU allocates from its own slab; when that is full, from one of the node that has room, else from a new one. A slab
// whose last object goes is given back if the node has enough others with room (min_partial).
import { invariant } from '../invariant.js';
import type { SlabLayout } from './slab-layout.js';

/** Where pages come from: the sums of a host, or its page allocator. */
export interface PageSource {
  charge(bytes: number, node: number): void;
  uncharge(bytes: number, node: number): void;
}

/** One slab; what {@link SlabCache.alloc} returns and free() wants back. */
export class Slab {
  inUse = 0;
  /** A CPU allocates from it. */
  active = false;

  constructor(readonly node: number) {}
}

export class SlabCache {
  objects = 0;
  slabs = 0;
  private readonly minPartial: number;
  private readonly cpuSlabs = new Map<number, Slab>();
  /** By node: slabs with room that no CPU allocates from, the oldest first. */
  private readonly partial: Set<Slab>[] = [];

  constructor(
    readonly name: string,
    private readonly pages: PageSource,
    readonly layout: SlabLayout,
  ) {
    // set_min_partial(ilog2(size) / 2), between MIN_PARTIAL and MAX_PARTIAL.
    const sizeBytes = layout.slabBytes / layout.objectsPerSlab;
    this.minPartial = Math.max(5, Math.min(10, Math.floor(Math.floor(Math.log2(sizeBytes)) / 2)));
  }

  get bytes(): number {
    return this.slabs * this.layout.slabBytes;
  }

  /** kmem_cache_alloc() on a CPU of this node. */
  alloc(cpuIndex: number, node = 0): Slab {
    let slab = this.cpuSlabs.get(cpuIndex);
    if (slab === undefined || slab.node !== node) {
      if (slab !== undefined) this.deactivate(slab);
      slab = this.takePartial(node) ?? this.newSlab(node);
      slab.active = true;
      this.cpuSlabs.set(cpuIndex, slab);
    }
    this.objects++;
    if (++slab.inUse === this.layout.objectsPerSlab) {
      slab.active = false;
      this.cpuSlabs.delete(cpuIndex);
    }
    return slab;
  }

  /** kmem_cache_free(), of an object of this slab. */
  free(slab: Slab): void {
    invariant(slab.inUse > 0, `memory: ${this.name} frees more objects of a slab than it holds`);
    slab.inUse--;
    this.objects--;
    if (!slab.active) this.deactivate(slab);
  }

  /** kmem_cache_shrink(): empty slabs go, those of CPUs too. */
  shrink(): void {
    for (const slab of this.cpuSlabs.values()) this.deactivate(slab);
    this.cpuSlabs.clear();
    for (const list of this.partial) {
      for (const slab of list ?? []) {
        if (slab.inUse > 0) continue;
        list.delete(slab);
        this.discard(slab);
      }
    }
  }

  /** A slab that no CPU allocates from goes where it belongs by now. */
  private deactivate(slab: Slab): void {
    const list = this.partialOf(slab.node);
    slab.active = false;
    if (slab.inUse === 0 && list.size >= this.minPartial) {
      list.delete(slab);
      this.discard(slab);
    } else if (slab.inUse < this.layout.objectsPerSlab) {
      list.add(slab);
    }
  }

  private newSlab(node: number): Slab {
    this.slabs++;
    this.pages.charge(this.layout.slabBytes, node);
    return new Slab(node);
  }

  private discard(slab: Slab): void {
    this.slabs--;
    this.pages.uncharge(this.layout.slabBytes, slab.node);
  }

  private takePartial(node: number): Slab | undefined {
    const list = this.partialOf(node);
    const { value: slab } = list.values().next();
    if (slab !== undefined) list.delete(slab);
    return slab;
  }

  private partialOf(node: number): Set<Slab> {
    return (this.partial[node] ??= new Set());
  }
}
