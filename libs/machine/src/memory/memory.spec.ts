import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../invariant.js';
import { Memory, type MemoryConfig } from './memory.js';

const CONFIG: MemoryConfig = {
  totalBytes: 1000,
  baseBytes: 100,
  lowWaterBytes: 300,
  minWaterBytes: 100,
  stallMinRatio: 2,
  stallMaxRatio: 20,
};

const operation = fc.record({
  cache: fc.nat({ max: 2 }),
  objects: fc.nat({ max: 9 }),
  bytes: fc.nat({ max: 200 }),
  free: fc.boolean(),
});

describe('Memory', () => {
  it('has exact sums over its caches, with their maxima, and is never negative', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
        const memory = new Memory({ ...CONFIG, minWaterBytes: 0 });
        const caches = ['a', 'b', 'c'].map((name) => memory.cache(name));
        let most = 0;
        for (const { cache: index, objects, bytes, free } of operations) {
          const cache = caches[index]!;
          if (free) cache.free(Math.min(objects, cache.objects), Math.min(bytes, cache.bytes));
          else cache.alloc(objects, bytes);
          const used = caches.reduce((sum, { bytes: held }) => sum + held, 0);
          most = Math.max(most, used);
          expect([memory.usedBytes, memory.usedMaxBytes]).toEqual([used, most]);
          expect(memory.availableBytes).toBe(Math.max(0, 900 - used));
          expect(memory.availableMinBytes).toBe(Math.max(0, 900 - most));
          expect(cache.bytesMax).toBeGreaterThanOrEqual(cache.bytes);
          expect(memory.has(memory.availableBytes) && !memory.has(memory.availableBytes + 1)).toBe(true);
        }
      }),
    );
  });

  it.each([
    ['objects', 3, 10],
    ['bytes', 2, 11],
  ])('ends the cell when more %s are freed than were allocated', (_, objects, bytes) => {
    const memory = new Memory(CONFIG);
    const [cache, other] = [memory.cache('a'), memory.cache('b')];
    other.alloc(100, 100);
    cache.alloc(2, 10);
    expect(() => cache.free(objects, bytes)).toThrow(InvariantViolation);
  });

  it.each([
    [900, 1, 'all free'],
    [300, 1, 'at the low watermark'],
    [299, 2.09, 'just below it'],
    [200, 11, 'half way'],
    [100, 20, 'at the min watermark'],
    [0, 20, 'at nothing'],
  ])('stalls an allocation with %d bytes available by the factor %d (%s)', (available, ratio) => {
    const memory = new Memory(CONFIG);
    memory.cache('a').alloc(1, 900 - available);
    expect(memory.stallRatio).toBeCloseTo(ratio, 9);
  });

  it('does not divide by nothing when both watermarks are the same', () => {
    const memory = new Memory({ ...CONFIG, lowWaterBytes: 100 });
    memory.cache('a').alloc(1, 850);
    expect(memory.stallRatio).toBe(20);
  });

  it('asks for a victim with each allocation that ends below the min watermark, and counts those that it got', () => {
    const memory = new Memory(CONFIG);
    const cache = memory.cache('a');
    const askedAt: number[] = [];
    memory.onOom = () => askedAt.push(memory.availableBytes) > 1;
    cache.alloc(1, 800);
    expect(askedAt).toEqual([]);
    cache.alloc(1, 1);
    cache.alloc(1, 1);
    cache.free(1, 2);
    cache.alloc(0, 0);
    expect(askedAt).toEqual([99, 98]);
    expect(memory.oomKills).toBe(1);
  });
});
