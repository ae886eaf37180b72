import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mix32, reciprocalScale, tupleHash } from './hash.js';

describe('a hash scaled to a slot', () => {
  it.each([
    [0x3fffffff, [0, 0, 0, 1]],
    [0x40000000, [0, 0, 1, 2]],
    [0x55555555, [0, 0, 1, 2]],
    [0x55555556, [0, 1, 1, 2]],
    [0x7fffffff, [0, 1, 1, 3]],
    [0x80000000, [1, 1, 2, 4]],
    [0xaaaaaaab, [1, 2, 2, 5]],
    [0xc0000000, [1, 2, 3, 6]],
    [0xffffffff, [1, 2, 3, 7]],
  ])('%i is at %j among 2, 3, 4 and 8 (V-d)', (hash, slots) => {
    expect([2, 3, 4, 8].map((n) => reciprocalScale(hash, n))).toEqual(slots);
  });

  it('is what 64-bit arithmetic gives, and never decreases with the hash', () => {
    const hash = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(hash, hash, fc.integer({ min: 1, max: 65_535 }), (a, b, n) => {
        expect(reciprocalScale(a, n)).toBe(Number((BigInt(a) * BigInt(n)) >> 32n));
        expect(reciprocalScale(Math.min(a, b), n)).toBeLessThanOrEqual(reciprocalScale(Math.max(a, b), n));
      }),
    );
  });
});

describe('the mixer', () => {
  it('is a bijection on what it was tried with, and spreads neighbours evenly', () => {
    const count = 60_000;
    const bins = new Array<number>(64).fill(0);
    const seen = new Set<number>();
    for (let i = 0; i < count; i++) {
      const hash = tupleHash(12345, i);
      seen.add(mix32(hash));
      bins[hash >>> 26]!++;
    }
    expect(seen.size).toBe(count);
    const expected = count / bins.length;
    const chi2 = bins.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // 63 degrees of freedom: 99.99 % are below 116.
    expect(chi2).toBeLessThan(116);
  });
});
