import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from './random.js';

const first = (stream: RandomStream, count: number) => Array.from({ length: count }, () => stream.uint32());
const seed = fc.nat({ max: 0xffffffff });

describe('RandomStream', () => {
  it.each([
    [1, 'rcu', [1718798824, 3975701432, 2034537926, 578801333]],
    [0, '', [13427626, 2461317305, 2870655925, 3403525835]],
    [0xffffffff, 'ticks', [2093393678, 1786154811, 3863809775, 2871267482]],
  ])('has pinned values for seed %d and name "%s"', (seedValue, name, expected) => {
    expect(first(new RandomStream(seedValue, name), 4)).toEqual(expected);
  });

  it('depends on seed and name and on nothing else', () => {
    fc.assert(
      fc.property(seed, fc.string(), (seedValue, name) => {
        const expected = first(new RandomStream(seedValue, name), 8);
        const again = new RandomStream(seedValue, name);
        const other = new RandomStream(seedValue, `${name}'`);
        const interleaved = expected.map(() => {
          other.uint32();
          return again.uint32();
        });
        expect(interleaved).toEqual(expected);
        expect(first(new RandomStream(seedValue, `${name}'`), 8)).not.toEqual(expected);
        expect(first(new RandomStream(seedValue ^ 1, name), 8)).not.toEqual(expected);
      }),
    );
  });

  it('has streams of different names that do not follow each other', () => {
    const n = 20_000;
    const a = new RandomStream(1, 'cpu 0');
    const b = new RandomStream(1, 'cpu 1');
    let covariance = 0;
    for (let i = 0; i < n; i++) covariance += (a.uniform() - 0.5) * (b.uniform() - 0.5);
    // The standard error of the correlation is 1 / sqrt(n); five of them.
    expect(Math.abs((covariance / n) * 12)).toBeLessThan(5 / Math.sqrt(n));
  });

  it('fills 64 bins evenly (chi-square)', () => {
    const stream = new RandomStream(7, 'bins');
    const bins = new Float64Array(64);
    const n = 64_000;
    for (let i = 0; i < n; i++) bins[stream.below(64)]!++;
    const chiSquare = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 63 degrees of freedom: mean 63, 99.99 % below 113.
    expect(chiSquare).toBeGreaterThan(25);
    expect(chiSquare).toBeLessThan(113);
  });

  it('has exponential draws of the right mean, integers of at least 1', () => {
    const stream = new RandomStream(3, 'exponential');
    const draws = Array.from({ length: 40_000 }, () => stream.exponential(1000));
    expect(draws.every((draw) => Number.isInteger(draw) && draw >= 1)).toBe(true);
    expect(draws.reduce((sum, draw) => sum + draw, 0) / draws.length).toBeCloseTo(1000, -2);
  });

  it('keeps jitter within its bounds, and draws nothing for a ratio of 0', () => {
    const ratio = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(seed, fc.nat({ max: 1e9 }), ratio, (seedValue, value, jitterRatio) => {
        const jittered = new RandomStream(seedValue, 'j').jitter(value, jitterRatio);
        expect(Number.isInteger(jittered)).toBe(true);
        expect(jittered).toBeGreaterThanOrEqual(Math.floor(value * (1 - jitterRatio)));
        expect(jittered).toBeLessThanOrEqual(Math.ceil(value * (1 + jitterRatio)));
      }),
    );
    const stream = new RandomStream(1, 'j');
    expect(stream.jitter(1234.4, 0)).toBe(1234);
    expect(stream.uint32()).toBe(new RandomStream(1, 'j').uint32());
  });

  it('never grants a chance of 0 and always one of 1', () => {
    const stream = new RandomStream(1, 'chance');
    for (let i = 0; i < 1000; i++) expect([stream.chance(0), stream.chance(1)]).toEqual([false, true]);
  });
});
