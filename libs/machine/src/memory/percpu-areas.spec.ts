import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../invariant.js';
import { type PercpuArea, PercpuAreas } from './percpu-areas.js';

function build(cpus: number, unitBytes?: number) {
  const held = { bytes: 0 };
  const pages = {
    charge: (bytes: number) => void (held.bytes += bytes),
    uncharge: (bytes: number) => void (held.bytes -= bytes),
  };
  return { held, areas: new PercpuAreas(pages, cpus, unitBytes) };
}

describe('per-CPU areas', () => {
  it.each([
    [2, 1, 4096 * 2],
    [104, 102, 4096 * 104],
    [104, 103, 2 * 4096 * 104],
  ])('on %d possible CPUs %d counters of 40 bytes take %d bytes', (cpus, counters, bytes) => {
    const { areas, held } = build(cpus);
    for (let i = 0; i < counters; i++) areas.alloc(40);
    expect([areas.bytes, held.bytes]).toEqual([bytes, bytes]);
  });

  it('never overlap and never lose a byte; a chunk is kept when all are free', () => {
    const operation = fc.record({
      free: fc.boolean(),
      which: fc.nat({ max: 1000 }),
      bytes: fc.integer({ min: 1, max: 9000 }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
        const { areas, held } = build(4, 32_768);
        const live: PercpuArea[] = [];
        for (const { free, which, bytes } of operations) {
          if (free && live.length > 0) areas.free(live.splice(which % live.length, 1)[0]!);
          else live.push(areas.alloc(bytes));
          expect(held.bytes).toBe(areas.bytes);
          expect(areas.usedBytes).toBe(live.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
          expect(areas.bytes).toBeGreaterThanOrEqual(4 * areas.usedBytes);
        }
        const sorted = [...live].sort((a, b) => a.startBytes - b.startBytes);
        const overlaps = sorted.some((area, i) => {
          return sorted
            .slice(i + 1)
            .some((other) => other.chunk === area.chunk && other.startBytes < area.startBytes + area.sizeBytes);
        });
        expect(overlaps).toBe(false);
        for (const area of live) areas.free(area);
        expect(areas.usedBytes).toBe(0);
        expect(areas.chunkCount).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('end the cell when one is freed twice, or is larger than a unit', () => {
    const { areas } = build(2, 32_768);
    const area = areas.alloc(100);
    areas.alloc(100);
    areas.free(area);
    expect(() => areas.free(area)).toThrow(InvariantViolation);
    expect(() => areas.alloc(32_769)).toThrow(InvariantViolation);
  });
});
