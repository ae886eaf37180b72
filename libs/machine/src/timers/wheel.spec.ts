import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timer } from './timer.js';
import { granularity, levelDepth, levelStart, TimerWheel } from './wheel.js';

/** The level that a distance goes into, by the kernel's table of ranges. */
function levelFor(distance: number, depth: number): number {
  for (let level = 0; level < depth - 1; level++) if (distance < levelStart(level + 1)) return level;
  return depth - 1;
}

/** Lets the wheel expire everything up to and with `jiffies`. */
function expireUpTo(wheel: TimerWheel, jiffies: number, expired: (timer: Timer, at: number) => void): void {
  while (wheel.firstExpiry() <= jiffies && wheel.nextExpiry < Infinity) {
    const at = wheel.nextExpiry;
    for (let list = wheel.collect() - 1; list >= 0; list--) {
      for (let timer = wheel.nextCollected(list); timer !== undefined; timer = wheel.nextCollected(list)) {
        expired(timer, at);
      }
    }
  }
}

const timer = (): Timer => new Timer(() => {});
const distance = fc.oneof(
  fc.integer({ min: -5, max: 70 }),
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: 0, max: 50_000_000 }),
);

describe('the table of the wheel', () => {
  // The comment at the head of kernel/time/timer.c.
  it.each([
    [0, 1, 0],
    [1, 8, 63],
    [2, 64, 504],
    [3, 512, 4032],
    [4, 4096, 32256],
    [5, 32768, 258048],
    [6, 262144, 2064384],
    [7, 2097152, 16515072],
    [8, 16777216, 132120576],
  ])('has level %d with a granularity of %d jiffies from a distance of %d on', (level, granule, start) => {
    expect(granularity(level)).toBe(granule);
    expect(level === 0 ? 0 : levelStart(level)).toBe(start);
  });

  it.each([
    [100, 8],
    [250, 9],
    [300, 9],
    [1000, 9],
  ])('has at HZ %d %d levels', (hz, depth) => {
    expect(levelDepth(hz)).toBe(depth);
  });
});

describe('a timer', () => {
  it.each([[8], [9]])('expires never early, and late by at most the granularity of its level (depth %d)', (depth) => {
    const start = fc.oneof(fc.nat({ max: 10_000 }), fc.integer({ min: 2 ** 31 - 100, max: 2 ** 33 }));
    fc.assert(
      fc.property(start, fc.array(distance, { minLength: 1, maxLength: 20 }), (clk, distances) => {
        const wheel = new TimerWheel(depth, clk);
        const timers = distances.map((ahead) => {
          const one = timer();
          wheel.enqueue(one, clk + ahead);
          return one;
        });
        const at = new Map<Timer, number>();
        expireUpTo(wheel, Infinity, (one, jiffy) => at.set(one, jiffy));
        timers.forEach((one, i) => {
          const due = clk + Math.max(-1, distances[i]!);
          const lateness = at.get(one)! - due;
          expect(lateness).toBeGreaterThanOrEqual(1);
          expect(lateness).toBeLessThanOrEqual(granularity(levelFor(distances[i]!, depth)));
        });
      }),
    );
  });

  it.each([
    [8, levelStart(8) - granularity(7)],
    [9, levelStart(9) - granularity(8)],
  ])('that is farther than a wheel of %d levels reaches expires at its limit', (depth, limit) => {
    const wheel = new TimerWheel(depth, 0);
    wheel.enqueue(timer(), 1e12);
    expect(wheel.nextExpiry).toBe(limit + granularity(depth - 1));
  });
});

describe('a wheel', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('arm' as const), which: fc.nat({ max: 9 }), ahead: distance }),
    fc.record({ do: fc.constant('remove' as const), which: fc.nat({ max: 9 }), ahead: fc.constant(0) }),
    fc.record({ do: fc.constant('advance' as const), which: fc.constant(0), ahead: fc.nat({ max: 3_000 }) }),
  );

  it('does what a sorted list of rounded times does, whatever is armed, moved and removed in between', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const wheel = new TimerWheel(9, 1000);
        const timers = Array.from({ length: 10 }, timer);
        /** When each pending timer is to expire. */
        const model = new Map<Timer, number>();
        let now = 1000;
        const advance = (to: number): void => {
          expireUpTo(wheel, to, (one, jiffy) => {
            expect(jiffy).toBe(model.get(one));
            expect(jiffy).toBe(Math.min(...model.values()));
            expect(one.pending).toBe(false);
            model.delete(one);
          });
          for (const due of model.values()) expect(due).toBeGreaterThan(to);
          now = to;
        };
        for (const { do: what, which, ahead } of steps) {
          const one = timers[which]!;
          if (what === 'advance') {
            advance(now + ahead);
            continue;
          }
          expect(one.pending).toBe(model.has(one));
          if (one.pending) {
            wheel.remove(one);
            model.delete(one);
          }
          if (what === 'remove') continue;
          wheel.forward(now);
          const clk = wheel.clk;
          wheel.enqueue(one, now + ahead);
          const level = levelFor(now + ahead - clk, 9);
          const granule = granularity(level);
          model.set(one, now + ahead < clk ? clk : (Math.floor((now + ahead) / granule) + 1) * granule);
          expect(wheel.firstExpiry()).toBe(Math.min(...model.values()));
        }
        advance(now + 1e9);
        expect([model.size, wheel.firstExpiry()]).toEqual([0, Infinity]);
      }),
    );
  });

  it('expires what is in one bucket with the newest first, and coarser levels before finer ones', () => {
    const wheel = new TimerWheel(9, 0);
    const [far, old, young] = [timer(), timer(), timer()];
    wheel.enqueue(far, 63);
    wheel.forward(30);
    wheel.enqueue(old, 71);
    wheel.enqueue(young, 71);
    const order: Timer[] = [];
    expireUpTo(wheel, 72, (one) => order.push(one));
    expect(order.map((one) => [far, old, young].indexOf(one))).toEqual([0, 2, 1]);
  });

  it('lets a timer go that was collected and not yet called', () => {
    const wheel = new TimerWheel(9, 0);
    const [first, second] = [timer(), timer()];
    for (const one of [second, first]) wheel.enqueue(one, 5);
    expect(wheel.collect()).toBe(1);
    expect(wheel.nextCollected(0)).toBe(first);
    expect(second.pending).toBe(true);
    wheel.remove(second);
    expect([wheel.nextCollected(0), second.pending]).toEqual([undefined, false]);
  });
});
