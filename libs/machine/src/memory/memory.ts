// Memory of the host: slab caches and per-CPU areas under one total, MemAvailable, watermarks, pressure and OOM.
// Slab memory here is SUnreclaim: what namespaces, connections or estimators hold is not given back by reclaim.
import { invariant } from '../invariant.js';
import { SlabCache } from './slab-cache.js';
import { slabLayout } from './slab-layout.js';

export interface MemoryConfig {
  readonly totalBytes: number;
  /** What everything else uses. */
  readonly baseBytes: number;
  readonly lowWaterBytes: number;
  readonly minWaterBytes: number;
  /** Cost of an allocation path at the low and at the min watermark, in units of its normal cost. */
  readonly stallMinRatio: number;
  readonly stallMaxRatio: number;
}

/** A kmem_cache, or a per-CPU area: objects and bytes that belong to it. */
export class Cache {
  objects = 0;
  bytes = 0;
  objectsMax = 0;
  bytesMax = 0;

  constructor(
    readonly name: string,
    private readonly memory: Memory,
  ) {}

  alloc(objects: number, bytes: number): void {
    this.objects += objects;
    this.bytes += bytes;
    if (this.objects > this.objectsMax) this.objectsMax = this.objects;
    if (this.bytes > this.bytesMax) this.bytesMax = this.bytes;
    this.memory.charge(bytes);
  }

  free(objects: number, bytes: number): void {
    this.objects -= objects;
    this.bytes -= bytes;
    invariant(this.objects >= 0 && this.bytes >= 0, `memory: ${this.name} freed more than it allocated`);
    this.memory.uncharge(bytes);
  }
}

export class Memory {
  readonly caches: Cache[] = [];
  usedBytes = 0;
  usedMaxBytes = 0;
  oomKills = 0;
  /** Called below the min watermark; picks a victim, true when there was one. */
  onOom: () => boolean = () => false;

  constructor(private readonly config: MemoryConfig) {}

  get availableBytes(): number {
    return Math.max(0, this.config.totalBytes - this.config.baseBytes - this.usedBytes);
  }

  get availableMinBytes(): number {
    return Math.max(0, this.config.totalBytes - this.config.baseBytes - this.usedMaxBytes);
  }

  cache(name: string): Cache {
    const cache = new Cache(name, this);
    this.caches.push(cache);
    return cache;
  }

  /** A cache whose bytes are those of its slabs, on a machine of `cpus`. */
  slabCache(name: string, objectBytes: number, cpus: number): SlabCache {
    return new SlabCache(name, this, slabLayout(objectBytes, cpus));
  }

  /** Whether `bytes` more can be had at all. */
  has(bytes: number): boolean {
    return this.availableBytes >= bytes;
  }

  /** Factor on the cost of an allocating path: 1 above the low watermark, rising towards the min watermark. */
  get stallRatio(): number {
    const { lowWaterBytes, minWaterBytes, stallMinRatio, stallMaxRatio } = this.config;
    const available = this.availableBytes;
    if (available >= lowWaterBytes) return 1;
    if (available <= minWaterBytes || lowWaterBytes <= minWaterBytes) return stallMaxRatio;
    const depth = (lowWaterBytes - available) / (lowWaterBytes - minWaterBytes);
    return stallMinRatio + (stallMaxRatio - stallMinRatio) * depth;
  }

  charge(bytes: number): void {
    this.usedBytes += bytes;
    if (this.usedBytes > this.usedMaxBytes) this.usedMaxBytes = this.usedBytes;
    if (this.availableBytes < this.config.minWaterBytes && this.onOom()) this.oomKills++;
  }

  uncharge(bytes: number): void {
    this.usedBytes -= bytes;
    invariant(this.usedBytes >= 0, 'memory: more freed than allocated');
  }
}
