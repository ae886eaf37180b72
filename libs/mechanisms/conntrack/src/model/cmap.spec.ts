import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cmap, mix } from './cmap.js';

const any = (): boolean => true;

describe('a cmap', () => {
  it('finds what was inserted and not removed, like a map, while it grows and shrinks', () => {
    const operation = fc.record({ insert: fc.boolean(), key: fc.nat(400) });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 800 }), (operations) => {
        const cmap = new Cmap();
        const model = new Set<number>();
        for (const { insert, key } of operations) {
          if (insert === model.has(key)) continue;
          if (insert) {
            cmap.insert(mix(key), key);
            model.add(key);
          } else {
            cmap.remove(mix(key), key);
            model.delete(key);
          }
        }
        expect(cmap.size).toBe(model.size);
        for (let key = 0; key <= 400; key++) {
          expect(cmap.find(mix(key), (node) => node === key)).toBe(model.has(key) ? key : -1);
        }
        const seen: number[] = [];
        cmap.eachIn(0, cmap.buckets, (node) => seen.push(node));
        expect(seen.sort((a, b) => a - b)).toEqual([...model].sort((a, b) => a - b));
      }),
      { numRuns: 50 },
    );
  });

  it('doubles above 85 % of five entries a bucket and halves below 20 %', () => {
    const cmap = new Cmap();
    for (let key = 0; key < 10_000; key++) {
      cmap.insert(mix(key), key);
      expect(cmap.size).toBeLessThanOrEqual(0.85 * 5 * cmap.buckets);
    }
    // 2,048 buckets hold at most 8,704; 4,096 are enough unless two full buckets had no way out.
    expect(cmap.buckets).toBe(4096);
    expect(cmap.bytes).toBe(4096 * 64);
    for (let key = 0; key < 9_990; key++) cmap.remove(mix(key), key);
    expect(cmap.buckets).toBeLessThanOrEqual(16);
  });

  it('keeps several entries of one hash apart', () => {
    const cmap = new Cmap();
    for (let node = 0; node < 7; node++) cmap.insert(42, node);
    expect(cmap.find(42, (node) => node === 6)).toBe(6);
    cmap.remove(42, 3);
    expect(cmap.find(42, (node) => node === 3)).toBe(-1);
    expect(cmap.find(43, any)).toBe(-1);
  });

  it('refuses to remove what is not there', () => {
    expect(() => new Cmap().remove(1, 1)).toThrow('no such entry');
  });
});
