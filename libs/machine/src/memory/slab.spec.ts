import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../invariant.js';
import { Memory } from './memory.js';
import { type Slab, SlabCache } from './slab-cache.js';
import { slabLayout } from './slab-layout.js';

describe('the layout of a slab', () => {
  // objsize, objperslab and pagesperslab of /proc/slabinfo on a host of 2 CPUs, Linux 6.18.
  it.each([
    ['buffer_head', 104, 39, 1],
    ['dentry', 192, 21, 1],
    ['btrfs_delayed_node', 312, 13, 1],
    ['radix_tree_node', 584, 14, 2],
    ['inode_cache', 624, 13, 2],
    ['sock_inode_cache', 832, 19, 4],
    ['kmalloc-1k', 1024, 16, 4],
    ['ext4_inode_cache', 1128, 14, 4],
    ['UDP', 1344, 12, 4],
    ['mm_struct', 1600, 20, 8],
    ['TCP', 2368, 13, 8],
    ['net_namespace', 4288, 7, 8],
    ['kmalloc-8k', 8192, 4, 8],
  ])('of %s, %d bytes an object, is %d objects in %d pages', (_, objectBytes, objects, pages) => {
    expect(slabLayout(objectBytes, 2)).toEqual({ objectsPerSlab: objects, slabBytes: 4096 * pages });
  });

  it('has room for at least one object, however large, and takes more pages on more CPUs', () => {
    expect(slabLayout(100_000, 2)).toEqual({ objectsPerSlab: 1, slabBytes: 131_072 });
    expect(slabLayout(192, 64).slabBytes).toBe(8192);
  });
});

describe('a slab cache', () => {
  const operation = fc.record({ cpu: fc.nat({ max: 2 }), free: fc.boolean(), which: fc.nat({ max: 10_000 }) });

  it('never loses a byte, whatever comes and goes; when all is free what is left is min_partial slabs and those of CPUs', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300 }), fc.constantFrom(64, 832, 4288), (operations, size) => {
        const held = [0, 0];
        const pages = {
          charge: (bytes: number, node: number) => void (held[node]! += bytes),
          uncharge: (bytes: number, node: number) => void (held[node]! -= bytes),
        };
        const cache = new SlabCache('a', pages, slabLayout(size, 2));
        const { objectsPerSlab } = cache.layout;
        const live: Slab[] = [];
        for (const { cpu, free, which } of operations) {
          if (free && live.length > 0) cache.free(live.splice(which % live.length, 1)[0]!);
          else live.push(cache.alloc(cpu, cpu >> 1));
          expect([cache.objects, held[0]! + held[1]!]).toEqual([live.length, cache.bytes]);
          expect(cache.objects).toBeLessThanOrEqual(cache.slabs * objectsPerSlab);
        }
        const slabs = new Set(live);
        expect(slabs.size).toBeLessThanOrEqual(cache.slabs);
        for (const slab of live) cache.free(slab);
        // Two nodes, three CPUs, and min_partial is 5 or 6.
        expect(cache.slabs).toBeLessThanOrEqual(2 * 6 + 3);
        cache.shrink();
        expect([cache.bytes, ...held]).toEqual([0, 0, 0]);
      }),
    );
  });

  it('keeps whole slabs for a few objects that stay', () => {
    const memory = new Memory({
      totalBytes: 1e9,
      baseBytes: 0,
      lowWaterBytes: 0,
      minWaterBytes: 0,
      stallMinRatio: 1,
      stallMaxRatio: 1,
    });
    const cache = memory.slabCache('sock_inode_cache', 832, 2);
    const slabs = Array.from({ length: 1900 }, () => cache.alloc(0));
    expect([cache.slabs, memory.usedBytes]).toEqual([100, 100 * 16_384]);
    slabs.forEach((slab, i) => i % 19 === 0 || cache.free(slab));
    expect([cache.objects, memory.usedBytes]).toEqual([100, 100 * 16_384]);
    // The holes are filled before anything new is taken.
    for (let i = 0; i < 1800; i++) cache.alloc(0);
    expect(cache.slabs).toBe(100);
  });

  it('ends the cell when a slab gets back more objects than it holds', () => {
    const cache = new SlabCache('a', { charge: () => {}, uncharge: () => {} }, slabLayout(64, 2));
    const slab = cache.alloc(0);
    cache.free(slab);
    expect(() => cache.free(slab)).toThrow(InvariantViolation);
  });
});
