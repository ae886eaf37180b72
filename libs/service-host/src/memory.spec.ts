import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryLimitBytes, threadsThatFit } from './memory.js';

const MB = 2 ** 20;

describe('threads that fit into the memory of a container', () => {
  it.each([
    ['a service of docker-compose.yml and of k8s', 1, 768, { workers: 1, heapMb: 544 }],
    ['two threads where one fits', 2, 768, { workers: 1, heapMb: 544 }],
    ['two threads where two fit', 2, 928, { workers: 2, heapMb: 320 }],
    ['as much as a cell may ever need', 1, 8_192, { workers: 1, heapMb: 1_024 }],
    ['less than a cell of the catalogue needs', 1, 384, { workers: 1, heapMb: 160 }],
    ['less than the process itself', 4, 128, { workers: 1, heapMb: 64 }],
  ])('%s', (_, wanted, limitMb, threads) => {
    expect(threadsThatFit(wanted, limitMb * MB)).toEqual(threads);
  });

  it('are as many as wanted, with all that a cell may need, where there is no limit', () => {
    expect(threadsThatFit(96, undefined)).toEqual({ workers: 96, heapMb: 1_024 });
  });

  it('never add up to more than the limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_024 }), fc.integer({ min: 512, max: 2 ** 20 }), (wanted, limitMb) => {
        const { workers, heapMb } = threadsThatFit(wanted, limitMb * MB);
        // 64 MB of each thread are outside of its heap, 160 MB are the process's own.
        expect(160 + workers * (heapMb + 64)).toBeLessThanOrEqual(limitMb);
        expect(workers).toBeLessThanOrEqual(wanted);
      }),
    );
  });

  it('is asked of the kernel, which knows no limit above the memory of the machine', () => {
    const constrained = process.constrainedMemory;
    try {
      for (const [told, limit] of [
        [768 * MB, 768 * MB],
        [0, undefined],
        [2 ** 64, undefined],
      ] as const) {
        process.constrainedMemory = () => told;
        expect(memoryLimitBytes()).toBe(limit);
      }
    } finally {
      process.constrainedMemory = constrained;
    }
  });
});
