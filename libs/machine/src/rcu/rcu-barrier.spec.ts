import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../invariant.js';
import type { RcuBarrierOptions } from './rcu-barrier.js';
import { IPI_NS, MS, RCU_COSTS, testBarrier } from '../testing/build.js';

const CPUS = 4;
const JIFFY_NS = 4 * MS;
const KINDS = [['mutex'], ['sequence']] as const;

/** One barrier: the grace period under way and one more, a tick to ask and one to notice, an IPI to every CPU. */
const oneBarrierNs = (callbacksNs: number): number => 2 * RCU_COSTS.gpNs + 2 * JIFFY_NS + CPUS * IPI_NS + callbacksNs;

const at = fc.integer({ min: 1, max: 120 * MS });
const postings = fc.array(
  fc.record({ atNs: at, cpu: fc.nat({ max: CPUS - 1 }), count: fc.integer({ min: 1, max: 300 }) }),
  { maxLength: 40 },
);
const callers = fc.array(fc.record({ cpu: fc.nat({ max: CPUS - 1 }), atNs: fc.array(at, { maxLength: 4 }) }), {
  maxLength: 8,
});

interface Call {
  readonly tookNs: number;
  readonly alone: boolean;
  readonly early: boolean;
  /** Barriers begun at the call, and ended at the return. */
  readonly begun: number;
  readonly ended: number;
}

interface Load {
  readonly postings: readonly { atNs: number; cpu: number; count: number }[];
  readonly callers: readonly { cpu: number; atNs: readonly number[] }[];
}

function runLoad({ postings: posts, callers: tasks }: Load, options: Partial<RcuBarrierOptions>) {
  const { machine, rcu, barrier } = testBarrier(CPUS, options);
  const calls: Call[] = [];
  const outstanding = new Set<number>();
  const post = machine.addActor((index) => {
    const { cpu, count } = posts[index]!;
    outstanding.add(index);
    rcu.callRcu(machine.cpus[cpu]!, count, count * 100, () => outstanding.delete(index));
  });
  posts.forEach(({ atNs }, index) => machine.schedule(atNs, post, index));
  for (const { cpu, atNs } of tasks) {
    machine.spawn(
      'caller',
      function* () {
        for (const ns of [...atNs].sort((a, b) => a - b)) {
          yield machine.sleep(ns - machine.nowNs);
          const queuedBefore = [...outstanding];
          const startNs = machine.nowNs;
          const [begun, early, alone] = [barrier.full, barrier.early, barrier.inside === 0];
          yield* barrier.wait();
          // I4, by bookkeeping of our own.
          expect(queuedBefore.filter((index) => outstanding.has(index))).toEqual([]);
          calls.push({
            tookNs: machine.nowNs - startNs,
            alone,
            early: barrier.early > early,
            begun,
            ended: barrier.sequence >> 1,
          });
        }
      },
      { on: machine.cpus[cpu]! },
    );
  }
  let last = 0;
  machine.observe(100_000, () => {
    expect(barrier.sequence).toBeGreaterThanOrEqual(last);
    last = barrier.sequence;
  });
  machine.run(Infinity);
  expect(machine.scheduler.liveTasks - rcu.perCpu.filter(({ softirq }) => softirq !== undefined).length).toBe(0);
  return { barrier, calls };
}

const callbacksNs = (load: Load): number =>
  load.postings.reduce((sum, { count }) => sum + count * 100, 0) + 40 * RCU_COSTS.callbackNs;

describe.each(KINDS)('rcu_barrier with a %s', (kind) => {
  const options = fc.record({ fair: fc.boolean(), stealProbability: fc.constantFrom(0, 0.5, 1) });

  it('returns only after every callback that was queued before the call; its sequence never falls and is even at rest', () => {
    fc.assert(
      fc.property(fc.record({ postings, callers }), options, (load, mutexOptions) => {
        const { barrier, calls } = runLoad(load, { kind, ...mutexOptions });
        expect(barrier.sequence).toBe(2 * barrier.full);
        expect(barrier.full + barrier.early).toBe(barrier.calls);
        expect([barrier.inside, barrier.waiting]).toEqual([0, 0]);
        for (const { begun, ended } of calls) {
          // Early or not: a barrier that began after the call has ended.
          expect(ended).toBeGreaterThan(begun);
        }
      }),
    );
  });

  it('waits for two grace periods, a notice and the IPIs when no other is under way', () => {
    fc.assert(
      fc.property(fc.record({ postings, callers }), (load) => {
        const { calls } = runLoad(load, { kind });
        for (const { tookNs } of calls.filter(({ alone }) => alone)) {
          expect(tookNs).toBeLessThanOrEqual(oneBarrierNs(callbacksNs(load)));
        }
      }),
    );
  });

  it('returns at once on an empty system', () => {
    const { machine, barrier } = testBarrier(64, { kind });
    machine.spawn('a', function* () {
      yield* barrier.wait();
      yield* barrier.wait();
    });
    machine.run(Infinity);
    expect([machine.nowNs, machine.events.executed, barrier.full]).toEqual([0, 1, 2]);
  });

  it('leaves no wakeup behind that would cut short what its caller does next', () => {
    const { machine, rcu, barrier } = testBarrier(2, { kind });
    const starts: number[] = [];
    for (const on of machine.cpus) {
      machine.spawn(
        'user',
        function* () {
          for (let i = 0; i < 5; i++) {
            yield* barrier.wait();
            const startNs = machine.nowNs;
            yield machine.sleep(7 * MS);
            starts.push(machine.nowNs - startNs);
          }
        },
        { on },
      );
    }
    rcu.callRcu(machine.cpus[0]!, 1, 1000);
    machine.run(Infinity);
    expect(starts).toEqual(Array.from({ length: 10 }, () => 7 * MS));
  });

  it('sends an IPI only to CPUs that have callbacks', () => {
    const { machine, rcu, barrier } = testBarrier(8, { kind });
    for (const index of [2, 5, 7]) rcu.callRcu(machine.cpus[index]!, 1, 1000);
    const task = machine.spawn('a', () => barrier.wait());
    machine.run(Infinity);
    expect(task.cpuTimeNs).toBe(3 * IPI_NS);
  });

  it('ends the cell when a barrier returns too early (I4)', () => {
    const { machine, rcu, barrier } = testBarrier(2, { kind });
    rcu.entrain = (_, effect) => effect();
    rcu.callRcu(machine.cpus[0]!, 1, 1000);
    machine.spawn('a', () => barrier.wait());
    expect(() => machine.run(Infinity)).toThrow(InvariantViolation);
  });
});

describe('callers that wait on the sequence', () => {
  it('wait for the barrier under way and one more at most', () => {
    fc.assert(
      fc.property(fc.record({ postings, callers }), (load) => {
        const { calls } = runLoad(load, { kind: 'sequence' });
        for (const { tookNs } of calls) expect(tookNs).toBeLessThanOrEqual(2 * oneBarrierNs(callbacksNs(load)));
      }),
    );
  });

  it('share one barrier, however many they are', () => {
    const { machine, rcu, barrier } = testBarrier(CPUS, { kind: 'sequence' });
    for (const cpu of machine.cpus) rcu.callRcu(cpu, 1, 1000);
    for (let i = 0; i < 1000; i++) machine.spawn('a', () => barrier.wait(), { near: machine.cpus[i % CPUS]! });
    machine.run(Infinity);
    // The first runs one; those that come while it is under way share the next.
    expect([barrier.calls, barrier.full, barrier.early]).toEqual([1000, 2, 998]);
    expect(barrier.waitersMax).toBe(999);
  });
});

describe('callers of a fair mutex', () => {
  it('share barriers too: the second in the queue does the work for those behind it', () => {
    const { machine, rcu, barrier } = testBarrier(CPUS, { kind: 'mutex', fair: true });
    for (const cpu of machine.cpus) rcu.callRcu(cpu, 1, 1000);
    for (let i = 0; i < 100; i++) machine.spawn('a', () => barrier.wait(), { near: machine.cpus[i % CPUS]! });
    machine.run(Infinity);
    expect([barrier.calls, barrier.full, barrier.early]).toEqual([100, 2, 98]);
  });
});
