import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { burn, MS, RCU_COSTS, testRcu } from '../testing/build.js';

const CPUS = 4;
const GP_NS = RCU_COSTS.gpNs;
const JIFFY_NS = 4 * MS;

const posting = fc.record({
  atNs: fc.integer({ min: 1, max: 200 * MS }),
  cpu: fc.nat({ max: CPUS - 1 }),
  count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 20_000 })),
});

interface Invocation {
  readonly postedNs: number;
  readonly ranNs: number;
  readonly gpStartedAtPost: number;
  readonly gpCompletedAtRun: number;
}

/** Posts all of them, and returns what ran, in the order of each CPU. */
function runPostings(postings: readonly { atNs: number; cpu: number; count: number }[], busy = false) {
  const { machine, rcu } = testRcu(CPUS);
  const invocations: Invocation[] = [];
  const orders: number[][] = machine.cpus.map(() => []);
  const expected: number[][] = machine.cpus.map(() => []);
  if (busy) for (const on of machine.cpus) machine.spawn('busy', burn(machine, [], 'busy', 400 * MS), { on });
  const post = machine.addActor((index) => {
    const { cpu, count } = postings[index]!;
    const postedNs = machine.nowNs;
    const gpStartedAtPost = rcu.gpStarted;
    expected[cpu]!.push(index);
    rcu.callRcu(machine.cpus[cpu]!, count, count * 100, () => {
      orders[cpu]!.push(index);
      invocations.push({ postedNs, ranNs: machine.nowNs, gpStartedAtPost, gpCompletedAtRun: rcu.gpCompleted });
    });
  });
  postings.forEach(({ atNs }, index) => machine.schedule(atNs, post, index));
  machine.run(Infinity);
  return { machine, rcu, invocations, orders, expected };
}

describe('call_rcu', () => {
  it.each([[false], [true]])(
    'never runs a callback before a grace period that began after it has ended (CPUs busy: %s)',
    (busy) => {
      fc.assert(
        fc.property(fc.array(posting, { maxLength: 40 }), (postings) => {
          const { rcu, invocations, orders, expected } = runPostings(postings, busy);
          expect(invocations.length).toBe(postings.length);
          expect(orders).toEqual(expected);
          for (const { postedNs, ranNs, gpStartedAtPost, gpCompletedAtRun } of invocations) {
            // Grace periods are numbered: this one had not begun at the posting.
            expect(gpCompletedAtRun).toBeGreaterThan(gpStartedAtPost);
            // And by the clock alone: a whole one lies in between.
            expect(ranNs - postedNs).toBeGreaterThanOrEqual(GP_NS);
          }
          expect([rcu.queued, rcu.queuedOnFullest, rcu.gpInProgress]).toEqual([0, 0, false]);
        }),
      );
    },
  );

  it('needs the rest of the grace period under way and a whole one, not more, and a tick to notice', () => {
    fc.assert(
      fc.property(fc.array(posting, { minLength: 1, maxLength: 20 }), (postings) => {
        const { invocations } = runPostings(postings.map((p) => ({ ...p, count: 1 })));
        for (const { postedNs, ranNs } of invocations) {
          // A tick to ask for it when RCU is idle, a tick to notice, and the callbacks of its CPU before it.
          expect(ranNs - postedNs).toBeLessThanOrEqual(2 * GP_NS + 2 * JIFFY_NS + 20 * 100);
        }
      }),
    );
  });

  it('gives the CPU to others between its callbacks when there are many: ksoftirqd is a fair task', () => {
    const { machine, rcu } = testRcu(1, { blimit: 10 });
    const log: [string, number][] = [];
    // 1000 callbacks of 1 ms each: a second of work.
    for (let i = 0; i < 1000; i++) rcu.callRcu(machine.cpus[0]!, 1, MS, () => log.push(['callback', machine.nowNs]));
    const task = machine.spawn('fair', burn(machine, log, 'fair', 100 * MS), { asleep: true });
    machine.schedule(
      100 * MS,
      machine.addActor(() => machine.wake(task)),
      0,
    );
    machine.run(Infinity);
    const at = log.findIndex(([name]) => name === 'fair');
    expect(log.length).toBe(1001);
    // Half the CPU each while both want it.
    expect(log[at]![1]).toBeGreaterThan(280 * MS);
    expect(log[at]![1]).toBeLessThan(320 * MS);
  });
});

describe('grace periods', () => {
  it('follow each other without a gap while anybody waits', () => {
    const { machine, rcu } = testRcu(2);
    const poster = machine.addActor((left) => {
      rcu.callRcu(machine.cpus[left % 2]!, 1, 100);
      if (left > 0) machine.schedule(1 * MS, poster, left - 1);
    });
    machine.schedule(1, poster, 1000);
    machine.run(500 * MS);
    // All but the first tick is inside some grace period.
    expect(rcu.gpCompleted).toBeGreaterThanOrEqual(Math.floor((500 * MS - JIFFY_NS) / GP_NS) - 1);
    expect(rcu.gpTotalNs).toBe(rcu.gpCompleted * GP_NS);
    expect(rcu.gpInProgress).toBe(true);
  });

  it('end when nobody waits any more; an idle RCU does nothing', () => {
    const { machine, rcu } = testRcu(64);
    rcu.callRcu(machine.cpus[5]!, 1, 1000);
    machine.run(3600e9);
    expect([rcu.gpStarted, rcu.gpCompleted, machine.events.pending]).toEqual([1, 1, 0]);
    // Two ticks, begin and end of the grace period, softirq in and out.
    expect(machine.events.executed).toBeLessThanOrEqual(7);
  });

  it('vary within their jitter', () => {
    const { machine, rcu } = testRcu(1, { gpJitterRatio: 0.2 });
    const ends: number[] = [];
    const again = (): void => {
      ends.push(rcu.gpTotalNs);
      if (ends.length < 200) rcu.callRcu(machine.cpus[0]!, 1, 10, again);
    };
    rcu.callRcu(machine.cpus[0]!, 1, 10, again);
    machine.run(Infinity);
    const lengths = ends.slice(1).map((ns, i) => ns - ends[i]!);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(0.8 * GP_NS);
    expect(Math.max(...lengths)).toBeGreaterThan(1.1 * GP_NS);
  });
});

describe('synchronize_rcu', () => {
  it.each([
    ['normal, on an idle RCU', 1, GP_NS, GP_NS + 2 * JIFFY_NS + 1000],
    ['normal, behind a grace period under way', 5 * MS + JIFFY_NS, GP_NS, 2 * GP_NS + JIFFY_NS + 2000],
  ])('%s, lasts a whole grace period that begins after the call', (_, atNs, leastNs, mostNs) => {
    const { machine, rcu } = testRcu(2);
    let tookNs = 0;
    rcu.callRcu(machine.cpus[1]!, 1, 1000);
    machine.spawn('a', function* () {
      yield machine.sleep(atNs);
      const startNs = machine.nowNs;
      yield* rcu.synchronize();
      tookNs = machine.nowNs - startNs;
    });
    machine.run(Infinity);
    expect(tookNs).toBeGreaterThanOrEqual(leastNs);
    expect(tookNs).toBeLessThanOrEqual(mostNs);
  });

  it('expedited takes its own time, also when something else wakes the task meanwhile, and starts no grace period', () => {
    const { machine, rcu } = testRcu(1, { expeditedNs: 50_000.4 });
    let endNs = 0;
    const task = machine.spawn('a', function* () {
      yield* rcu.synchronizeExpedited();
      endNs = machine.nowNs;
    });
    machine.schedule(
      10_000,
      machine.addActor(() => machine.wake(task)),
      0,
    );
    machine.run(Infinity);
    expect([endNs, rcu.gpStarted]).toEqual([50_000, 0]);
  });
});

describe('background callbacks', () => {
  it.each([
    [0, 0, 0],
    [1000, 900, 1100],
  ])('come at the rate of %d a second that they were given', (perSecond, least, most) => {
    const { machine, rcu } = testRcu(4);
    rcu.startBackground(perSecond);
    machine.run(1e9);
    expect(rcu.lastSerial).toBeGreaterThanOrEqual(least);
    expect(rcu.lastSerial).toBeLessThanOrEqual(most);
  });
});
