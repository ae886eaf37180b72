import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chainLength,
  type EstLimits,
  estLimits,
  estTickJiffies,
  IPVS_EST_CHAIN_FACTOR,
  IPVS_EST_NTICKS,
} from './est-limits.js';
import { Enqueued, EstPlacement, INITIAL_DELAY, type RowPolicy } from './est-placement.js';
import { EstState, Estimators } from './estimators.js';

function placementOf(limits: EstLimits, policy: RowPolicy = 'delay') {
  const estimators = new Estimators(64);
  const placement = new EstPlacement(estimators, policy);
  const add = (delay = INITIAL_DELAY): number => {
    const est = estimators.alloc(0, 0);
    estimators.ktrow[est] = delay;
    if (placement.needsKthread) placement.addKthread(0, limits);
    if (placement.enqueue(est) === Enqueued.Overrun) throw new Error('no row has room');
    return est;
  };
  const remove = (est: number): void => {
    const idle = placement.unlink(est, () => {});
    if (idle !== undefined) placement.dropKthread(idle);
    estimators.state[est] = EstState.Stopped;
    estimators.release(est);
  };
  const rows = (id: number): Map<number, number> => {
    const lengths = [...placement.kthreads[id]!.tickLen].map((length, row) => [row, length] as const);
    return new Map(lengths.filter(([, length]) => length > 0));
  };
  return { estimators, placement, add, remove, rows };
}

describe('the limits', () => {
  it('cut two seconds into 50 ticks of 40 ms, and a tick into 48 chains', () => {
    expect([IPVS_EST_NTICKS, IPVS_EST_CHAIN_FACTOR]).toEqual([50, 48]);
    expect([100, 250, 300, 1000].map(estTickJiffies)).toEqual([4, 10, 12, 40]);
  });

  it.each([
    [1775, 53, 127_200],
    [2444, 38, 91_200],
    [2834, 33, 79_200],
    [7319, 12, 28_800],
    [11_171, 8, 19_200],
    [4138, 22, 52_800],
    [13_090, 7, 16_800],
    [66_250, 1, 2_400],
    [494, 192, 460_800],
    [512, 185, 444_000],
  ])('of a measured %i ns are %i in a chain and %i in a kthread', (ns, length, perKthread) => {
    expect(chainLength(ns)).toBe(length);
    expect(estLimits(length, 48).maxCount).toBe(perKthread);
    expect(estLimits(length, 1).maxCount).toBe(perKthread);
    expect(estLimits(length, 48).chainMax).toBe(length);
    expect(estLimits(length, 1).chainMax).toBe(48 * length);
  });
});

describe('placement of many at once, PREEMPT_RCU, 33 in a chain', () => {
  const full = (count: number) => {
    const world = placementOf(estLimits(33, 1));
    for (let i = 0; i <= count; i++) world.add();
    world.placement.check();
    return world;
  };

  it('puts 1,000 and the total into one row', () => {
    expect(full(1000).rows(0)).toEqual(new Map([[49, 1001]]));
  });

  it('fills rows from the last one down with 10,000: first delays of 1,853 ms in the mean', () => {
    const rows = full(10_000).rows(0);
    expect([...rows.keys()]).toEqual([43, 44, 45, 46, 47, 48, 49]);
    expect(rows.get(43)).toBe(497);
    const meanMs = [...rows].reduce((sum, [row, length]) => sum + row * 40 * length, 0) / 10_001;
    expect(Math.round(meanMs)).toBe(1853);
  });

  it('fills all rows with 79,199', () => {
    const { rows, placement } = full(79_199);
    expect(rows(0).size).toBe(50);
    expect(new Set(rows(0).values())).toEqual(new Set([1584]));
    expect(placement.ktCount).toBe(1);
  });

  it('begins a second kthread with 100,000', () => {
    const { rows, placement } = full(100_000);
    expect(placement.kthreads.map((kd) => kd!.estCount)).toEqual([79_200, 20_801]);
    expect(Math.min(...rows(1).keys())).toBe(36);
    expect(rows(1).get(36)).toBe(209);
  });
});

describe('a slow addition', () => {
  it('goes to the row just estimated once a kthread has more than two rows full', () => {
    const { placement, add, estimators } = placementOf(estLimits(1, 1));
    for (let i = 0; i < 2 * 48; i++) add();
    placement.kthreads[0]!.estRow = 20;
    expect(estimators.ktrow[add()]).toBe(19);
  });

  it('keeps the delay that it is given when it is relinked, or gets a longer one', () => {
    const { placement, add, estimators } = placementOf(estLimits(1, 1));
    add();
    placement.kthreads[0]!.estRow = 45;
    const relinked = Array.from({ length: 49 }, () => estimators.ktrow[add(10)]!);
    expect(new Set(relinked.slice(0, 48))).toEqual(new Set([5]));
    expect(relinked[48]).toBe(6);
  });
});

describe('the kthreads of a namespace (invariant 7)', () => {
  it('have their slots used again lowest first, and trailing ones trimmed', () => {
    const limits = estLimits(1, 48);
    const { placement, add, remove } = placementOf(limits);
    const all = Array.from({ length: 3 * limits.maxCount }, () => add());
    const of = (id: number): number[] => all.slice(id * limits.maxCount, (id + 1) * limits.maxCount);
    of(1).forEach(remove);
    expect(placement.kthreads.map((kd) => kd !== undefined)).toEqual([true, false, true]);
    expect(placement.addKtid).toBe(1);
    add();
    expect(placement.kthreads.map((kd) => kd?.estCount)).toEqual([2400, 1, 2400]);
    of(2).forEach(remove);
    expect(placement.ktCount).toBe(2);
    of(0).forEach(remove);
    expect(placement.kthreads[0]!.estCount).toBe(0);
    expect(placement.addKtid).toBe(0);
  });

  it('have no row left when nobody has calculated limits: the kernel writes behind its arrays there', () => {
    const { placement, estimators } = placementOf(estLimits(0, 48));
    placement.addKthread(0, estLimits(0, 48));
    const done = Array.from({ length: 51 }, () => {
      const est = estimators.alloc(0, 0);
      estimators.ktrow[est] = INITIAL_DELAY;
      return placement.enqueue(est);
    });
    expect(done.filter((result) => result === Enqueued.Overrun)).toHaveLength(1);
    expect(done[50]).toBe(Enqueued.Overrun);
  });
});

describe('any series of additions and deletions (invariants 2 and 3)', () => {
  const step = fc.record({
    add: fc.boolean(),
    pick: fc.nat(),
    delay: fc.integer({ min: 0, max: 49 }),
    row: fc.nat(49),
  });

  it.each([
    ['48 chains', 48, 'delay'],
    ['one chain', 1, 'delay'],
    ['the rows of v4', 48, 'addRow'],
  ] as const)('leaves counters, bitmaps and limits in agreement: %s', (_what, chains, policy) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 400 }), (length, steps) => {
        const { placement, estimators, add, remove } = placementOf(estLimits(length, chains), policy);
        const alive: number[] = [];
        for (const { add: adds, pick, delay, row } of steps) {
          const kd = placement.kthreads[pick % Math.max(1, placement.ktCount)];
          if (kd !== undefined) kd.estRow = row;
          if (adds || alive.length === 0) alive.push(...Array.from({ length: 1 + (pick % 40) }, () => add(delay)));
          else for (const est of alive.splice(pick % alive.length, 1 + (pick % 40))) remove(est);
        }
        placement.check();
        expect(placement.placed).toBe(alive.length);
        expect(estimators.count).toBe(alive.length);
      }),
      { numRuns: 40 },
    );
  });
});
