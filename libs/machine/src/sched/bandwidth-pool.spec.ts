// Quota arithmetic without a scheduler.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../invariant.js';
import { LocalRuntime, MIN_LOCAL_NS } from './bandwidth-local.js';
import { BandwidthPool, type BandwidthLimits, type DebtModel } from './bandwidth-pool.js';

const MS = 1_000_000;
const DEBT_MODELS: readonly DebtModel[] = ['field', 'signed'];

describe('a pool', () => {
  it('starts with one quota, refills to quota and burst at most, and gives what it has', () => {
    const pool = new BandwidthPool({ quotaNs: 50 * MS, burstNs: 20 * MS });
    expect(pool.runtimeNs).toBe(50 * MS);
    pool.refill();
    expect(pool.runtimeNs).toBe(70 * MS);
    expect([pool.take(5 * MS), pool.take(100 * MS), pool.take(1)]).toEqual([5 * MS, 65 * MS, 0]);
    pool.refill();
    expect(pool.runtimeNs).toBe(50 * MS);
  });

  it('counts a burst when more than the quota went in one period, and by how much', () => {
    const pool = new BandwidthPool({ quotaNs: 50 * MS, burstNs: 30 * MS });
    pool.refill();
    pool.take(65 * MS);
    pool.refill();
    expect([pool.nrBursts, pool.burstUsedNs]).toEqual([1, 15 * MS]);
    pool.take(50 * MS);
    pool.refill();
    expect([pool.nrBursts, pool.burstUsedNs]).toEqual([1, 15 * MS]);
  });

  it('without a quota gives everything, owes nothing and never refills', () => {
    const pool = new BandwidthPool({ quotaNs: Infinity });
    pool.charge(500 * MS);
    pool.refill();
    expect([pool.take(7 * MS), pool.debtNs, pool.runtimeNs, pool.nrBursts]).toEqual([7 * MS, 0, 0, 0]);
  });

  it.each(DEBT_MODELS)('pays 500 ms charged to 80 ms left of 200 ms each 100 ms in three periods (%s)', (debtModel) => {
    const pool = new BandwidthPool({ quotaNs: 200 * MS, periodNs: 100 * MS }, debtModel);
    pool.take(120 * MS);
    pool.charge(500 * MS);
    const debtsMs = [pool.debtNs / MS];
    const grantedMs: number[] = [];
    for (let period = 0; period < 3; period++) {
      pool.refill();
      debtsMs.push(pool.debtNs / MS);
      grantedMs.push(pool.take(Infinity) / MS);
    }
    expect(debtsMs).toEqual([420, 220, 20, 0]);
    expect(grantedMs).toEqual([0, 0, 180]);
    expect(pool.refillsBlocked).toBe(2);
  });

  it.each([
    ['field', 30 * MS, 90 * MS],
    ['signed', 0, 60 * MS],
  ] as const)('pays debt with what a CPU gives back only when runtime is signed (%s)', (debtModel, pool2, debt2) => {
    const pool = new BandwidthPool({ quotaNs: 50 * MS }, debtModel);
    pool.take(50 * MS);
    pool.charge(90 * MS);
    pool.giveBack(30 * MS);
    expect([Math.max(0, pool.runtimeNs), pool.debtNs]).toEqual([pool2, debt2]);
  });

  it.each(DEBT_MODELS)('forgives debt when the quota changes (%s)', (debtModel) => {
    const pool = new BandwidthPool({ quotaNs: 50 * MS }, debtModel);
    pool.charge(500 * MS);
    pool.configure({ quotaNs: 60 * MS });
    expect([pool.debtNs, pool.runtimeNs, pool.debtForgivenNs]).toEqual([0, 60 * MS, 450 * MS]);
  });

  it.each<[string, BandwidthLimits]>([
    ['a quota below 1 ms', { quotaNs: 0.9 * MS }],
    ['a period below 1 ms', { quotaNs: MS, periodNs: 0.9 * MS }],
    ['a period above 1 s', { quotaNs: MS, periodNs: 1001 * MS }],
    ['a burst above the quota', { quotaNs: MS, burstNs: 2 * MS }],
    ['a negative burst', { quotaNs: MS, burstNs: -1 }],
    ['no number', { quotaNs: NaN }],
  ])('refuses %s', (_what, limits) => {
    expect(() => new BandwidthPool(limits)).toThrow(InvariantViolation);
  });
});

type Op =
  | { readonly do: 'run'; readonly cpu: number; readonly ns: number }
  | { readonly do: 'idle'; readonly cpu: number }
  | { readonly do: 'charge'; readonly ns: number }
  | { readonly do: 'refill' };

const CPUS = 3;
const cpu = fc.nat({ max: CPUS - 1 });
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('run'), cpu, ns: fc.integer({ min: 1, max: 8 * MS }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('idle'), cpu }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('charge'), ns: fc.integer({ min: 1, max: 90 * MS }) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'refill' }) },
);
const limitsArbitrary = fc
  .record({ quotaNs: fc.integer({ min: MS, max: 60 * MS }), burstShare: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ quotaNs, burstShare }) => ({ quotaNs, burstNs: Math.floor(quotaNs * burstShare) }));

/** CPUs that run on slices of one pool, each for what it holds at most. */
class Host {
  readonly locals = Array.from({ length: CPUS }, () => new LocalRuntime());
  usedNs = 0;
  refills = 0;
  highestRefillNs = 0;

  constructor(readonly pool: BandwidthPool) {}

  get outNs(): number {
    return this.pool.grantedNs + this.pool.chargedFromPoolNs + this.pool.debtPaidNs;
  }

  step(step: Op): void {
    switch (step.do) {
      case 'run':
        this.run(this.locals[step.cpu]!, step.ns);
        return;
      case 'idle':
        this.locals[step.cpu]!.giveBackSlack(this.pool);
        return;
      case 'charge':
        this.pool.charge(step.ns);
        return;
      case 'refill':
        this.pool.refill();
        this.refills++;
        this.highestRefillNs = Math.max(this.highestRefillNs, this.pool.runtimeNs);
    }
  }

  private run(local: LocalRuntime, ns: number): void {
    if (local.runtimeNs <= 0 && !local.extend(this.pool)) return;
    const ranNs = Math.min(ns, local.runtimeNs);
    local.runtimeNs -= ranNs;
    this.usedNs += ranNs;
  }
}

describe('quota arithmetic over any number of periods', () => {
  it('grants and pays N quotas at most beside what the pool held, and CPUs overrun that by 1 ms each at most', () => {
    const property = fc.property(
      limitsArbitrary,
      fc.constantFrom(...DEBT_MODELS),
      fc.array(op, { maxLength: 100 }),
      fc.array(op, { maxLength: 100 }),
      (limits, debtModel, before, window) => {
        const pool = new BandwidthPool(limits, debtModel);
        const host = new Host(pool);
        for (const step of before) host.step(step);
        // The window begins anywhere; every CPU then holds 1 ms at most, as one that has had nothing to run.
        for (const local of host.locals) local.giveBackSlack(pool);
        const start = { outNs: host.outNs, poolNs: Math.max(0, pool.runtimeNs), usedNs: host.usedNs };
        host.refills = 0;
        for (const step of window) {
          host.step(step);
          const allowedNs = host.refills * limits.quotaNs + start.poolNs;
          expect(host.outNs - start.outNs).toBeLessThanOrEqual(allowedNs);
          expect(host.usedNs - start.usedNs).toBeLessThanOrEqual(allowedNs + CPUS * MIN_LOCAL_NS);
          expect(host.highestRefillNs).toBeLessThanOrEqual(limits.quotaNs + limits.burstNs);
          expect(pool.debtNs).toBeGreaterThanOrEqual(0);
          expect(pool.chargedFromPoolNs + pool.debtAddedNs).toBe(pool.chargedNs);
          expect(pool.debtPaidNs + pool.debtNs).toBe(pool.debtAddedNs);
          // Nothing is lost between the pool and the CPUs.
          const heldNs = host.locals.reduce((sum, { runtimeNs }) => sum + runtimeNs, 0);
          expect(pool.grantedNs).toBe(host.usedNs + heldNs);
        }
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  it('leaves a CPU that falls idle with 1 ms, whatever it held', () => {
    const pool = new BandwidthPool({ quotaNs: 20 * MS });
    const local = new LocalRuntime();
    const heldNs = [5, 1, 0.4].map((ms) => {
      local.runtimeNs = ms * MS;
      local.giveBackSlack(pool);
      return local.runtimeNs;
    });
    expect(heldNs).toEqual([MS, MS, 0.4 * MS]);
    expect(pool.runtimeNs).toBe(24 * MS);
  });
});
