import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fairLevel, MemoryBandwidth, MemoryPhase } from './memory-bandwidth.js';

describe('the fair level', () => {
  it.each([
    ['no streams', [], 10, Infinity],
    ['streams that all fit', [3, 3, 4], 10, Infinity],
    ['equal streams that do not', [5, 5, 5, 5], 10, 2.5],
    ['a small one, whose rest the others share', [1, 9, 9], 10, 4.5],
    ['several small ones', [9, 1, 2, 9, 3], 14, 4],
    ['unequal ones, all above an equal part', [6, 7, 9], 9, 3],
  ])('of %s', (_, demands, capacity, level) => {
    expect(fairLevel(Float64Array.from(demands), demands.length, capacity)).toBe(level);
  });

  it('gives away the capacity to the last byte when it is short, and never more', () => {
    const demand = fc.double({ min: 0.01, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(demand, { minLength: 1, maxLength: 30 }), demand, (demands, capacity) => {
        const level = fairLevel(Float64Array.from(demands), demands.length, capacity);
        const given = demands.reduce((sum, wanted) => sum + Math.min(wanted, level), 0);
        const wanted = demands.reduce((sum, each) => sum + each, 0);
        expect(Math.abs(given - Math.min(capacity, wanted))).toBeLessThan(1e-9 * wanted);
      }),
    );
  });
});

describe('a memory node', () => {
  it('runs each of n equal streams at min(1 / e, S / n)', () => {
    // A Xeon that pins pages: 4.77 GiB/s alone, saturated by 13.79 such streams, inefficiency 1.03.
    const demand = 4.77 * 1.073741824;
    const memory = new MemoryBandwidth(32, 1, 13.79 * demand);
    const speeds = new Float64Array(32).fill(1);
    const phase = new MemoryPhase(0, demand, 1 / 1.03);
    for (let n = 1; n <= 32; n++) {
      memory.join(n - 1, phase);
      memory.settle(0, speeds);
      for (let cpu = 0; cpu < n; cpu++) {
        expect(memory.rate(cpu, 1)).toBeCloseTo(Math.min(1 / 1.03, 13.79 / n), 12);
      }
    }
  });

  it('knows its streams, whoever comes and goes', () => {
    const memory = new MemoryBandwidth(8, 2, 1);
    const phases = [new MemoryPhase(0, 1), new MemoryPhase(1, 1)];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(7), fc.nat(1)), { maxLength: 40 }), (steps) => {
        const model = new Map<number, number>();
        for (let cpu = 0; cpu < 8; cpu++) if (memory.phaseOf(cpu) !== undefined) memory.part(cpu);
        for (const [cpu, node] of steps) {
          if (model.delete(cpu)) memory.part(cpu);
          else {
            model.set(cpu, node);
            memory.join(cpu, phases[node]!);
          }
        }
        for (const node of [0, 1]) {
          const members = Array.from({ length: memory.streams(node) }, (_, i) => memory.memberAt(node, i));
          const expected = [...model].filter(([, at]) => at === node).map(([cpu]) => cpu);
          expect(members.sort()).toEqual(expected.sort());
        }
      }),
    );
  });
});
