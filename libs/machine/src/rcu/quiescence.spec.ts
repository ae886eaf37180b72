// What grace periods wait for.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Machine, MachineConfig } from '../machine.js';
import { type Task, type TaskBody, YIELD } from '../sched/task.js';
import type { Preemption } from '../sched/scheduler-config.js';
import { MS, testRcu } from '../testing/build.js';
import type { RcuCosts } from './costs.js';

const KERNELS: readonly (readonly [Preemption, boolean])[] = [
  ['none', false],
  ['voluntary', false],
  ['full', true],
];

describe.each(KERNELS)('with preemption %s, PREEMPT_RCU %s,', (preemption, preemptRcu) => {
  const build = (cpus: number, costs: Partial<RcuCosts> = {}, config: Partial<MachineConfig> = {}) =>
    testRcu(cpus, { preemptRcu, ...costs }, { preemption, ...config });

  it('no callback runs, and no synchronize_rcu returns, before all readers that were inside have left; all come to pass', () => {
    const CPUS = 3;
    const ns = fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 30 * MS }));
    const step = fc.record({
      do: fc.constantFrom('read', 'read', 'nest', 'run', 'sleep', 'yield', 'call', 'wait', 'expedite', 'user'),
      ns,
    });
    const program = fc.record({
      on: fc.nat({ max: CPUS - 1 }),
      bound: fc.boolean(),
      steps: fc.array(step, { maxLength: 12 }),
    });
    const gpNs = fc.constantFrom(undefined, 1000, 10 * MS);
    fc.assert(
      fc.property(fc.array(program, { minLength: 1, maxLength: 8 }), gpNs, (programs, gp) => {
        const { machine, rcu } = build(CPUS, { gpNs: gp });
        /** Sections under way. */
        const inside = new Set<object>();
        let owed = 0;
        let violations = 0;
        const check = (before: readonly object[]): void => {
          if (before.some((section) => inside.has(section))) violations++;
        };
        function* read(lengthNs: number, nested: boolean): TaskBody {
          const section = {};
          rcu.readLock();
          inside.add(section);
          yield lengthNs;
          if (nested) {
            rcu.readLock();
            yield lengthNs;
            rcu.readUnlock();
            yield lengthNs;
          }
          inside.delete(section);
          rcu.readUnlock();
        }
        for (const { on, bound, steps } of programs) {
          const place = bound ? { on: machine.cpus[on]! } : { near: machine.cpus[on]! };
          machine.spawn(
            'program',
            function* (task) {
              for (const { do: what, ns: lengthNs } of steps) {
                const before = [...inside];
                if (what === 'read' || what === 'nest') yield* read(lengthNs, what === 'nest');
                else if (what === 'run') yield lengthNs;
                else if (what === 'sleep') yield machine.sleep(lengthNs);
                else if (what === 'yield') yield YIELD;
                else if (what === 'user') {
                  machine.scheduler.setUserMode(task, true);
                  yield lengthNs;
                  machine.scheduler.setUserMode(task, false);
                } else if (what === 'call') {
                  owed++;
                  rcu.callRcu(task.cpu, 1, 1000, () => {
                    owed--;
                    check(before);
                  });
                } else if (what === 'wait') {
                  yield* rcu.synchronize();
                  check(before);
                } else {
                  yield* rcu.synchronizeExpedited();
                  check(before);
                }
              }
            },
            place,
          );
        }
        machine.run(Infinity);
        expect([violations, owed, inside.size, rcu.readers.inside, rcu.gpInProgress]).toEqual([0, 0, 0, 0, false]);
        expect([rcu.expedited.sequence & 1, rcu.gracePeriods.stalls]).toEqual([0, 0]);
        expect(machine.cpus.some(({ quiescent }) => quiescent !== undefined)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });
});

/** When `synchronize` beside a task on another CPU returned, in ms. */
function waitBeside(
  body: (machine: Machine) => (task: Task) => TaskBody,
  options: { preemption: Preemption; expedited?: boolean; userMode?: boolean },
) {
  const { machine, rcu } = testRcu(2, { gpNs: 10 * MS }, options);
  const beside = machine.spawn('beside', body(machine), { on: machine.cpus[1]! });
  machine.scheduler.setUserMode(beside, options.userMode ?? false);
  let endMs = -1;
  machine.spawn(
    'caller',
    function* () {
      yield machine.sleep(1 * MS);
      yield* options.expedited === true ? rcu.synchronizeExpedited() : rcu.synchronize();
      endMs = machine.nowNs / MS;
    },
    { on: machine.cpus[0]! },
  );
  machine.run(Infinity);
  return { endMs, rcu };
}

const longBurst = () =>
  function* (): TaskBody {
    yield 1000 * MS;
  };
const bursts = () =>
  function* (): TaskBody {
    for (let i = 0; i < 1000; i++) yield 1 * MS;
  };
const syscalls = ({ scheduler }: Machine) =>
  function* (task: Task): TaskBody {
    for (let i = 0; i < 667; i++) {
      yield 1.5 * MS;
      scheduler.setUserMode(task, true);
      yield 1;
      scheduler.setUserMode(task, false);
    }
  };
const condResched = () =>
  function* (): TaskBody {
    for (let i = 0; i < 1000; i++) {
      yield 1 * MS;
      yield YIELD;
    }
  };
const sleeper = (machine: Machine) =>
  function* (): TaskBody {
    for (let i = 0; i < 1000; i++) {
      yield 0.5 * MS;
      yield machine.sleep(0.5 * MS);
    }
  };

describe('a CPU that', () => {
  it.each([
    ['runs in the kernel for a second, without preemption', longBurst, { preemption: 'none' }, 1000, 1010],
    ['does so on a machine with PREEMPT_RCU', longBurst, { preemption: 'full' }, 11, 19],
    ['runs in user mode', longBurst, { preemption: 'none', userMode: true }, 11, 19],
    ['comes by might_sleep(), which counts after 100 ms', bursts, { preemption: 'voluntary' }, 101, 120],
    ['comes by it without voluntary preemption', bursts, { preemption: 'none' }, 1000, 1010],
    ['returns to user mode for moments between ticks', syscalls, { preemption: 'none' }, 101, 120],
    ['switches often', sleeper, { preemption: 'none' }, 11, 19],
    ['only calls cond_resched(), which counts after 100 ms', condResched, { preemption: 'none' }, 101, 120],
  ] as const)('%s has a grace period last no shorter and no longer than it must', (_, body, options, least, most) => {
    const { endMs, rcu } = waitBeside(body, options);
    expect(endMs).toBeGreaterThanOrEqual(least);
    expect(endMs).toBeLessThanOrEqual(most);
    expect(rcu.gracePeriods.longestNs).toBeGreaterThanOrEqual((least - 10) * MS);
  });

  it.each([
    ['runs in the kernel for a second, without preemption', longBurst, { preemption: 'none' }, 1000, 1000.1],
    ['does so on a machine with PREEMPT_RCU', longBurst, { preemption: 'full' }, 1.05, 1.1],
    ['runs in user mode', longBurst, { preemption: 'none', userMode: true }, 1.05, 1.1],
    ['calls cond_resched() every ms', condResched, { preemption: 'none' }, 2, 2.1],
    ['switches every half ms', sleeper, { preemption: 'none' }, 1.05, 1.6],
  ] as const)('%s lets an expedited one end at once, or as soon as it quiesces', (_, body, options, least, most) => {
    const { endMs } = waitBeside(body, { ...options, expedited: true });
    expect(endMs).toBeGreaterThanOrEqual(least);
    expect(endMs).toBeLessThanOrEqual(most);
  });

  it('never yields holds a grace period up until it does, and is warned about after 21 s, then every 63 s', () => {
    const { machine, rcu } = testRcu(2, {}, { preemption: 'none' });
    machine.spawn(
      'hog',
      function* () {
        yield 100e9;
      },
      { on: machine.cpus[1]! },
    );
    let ran = 0;
    machine.schedule(
      1,
      machine.addActor(() => rcu.callRcu(machine.cpus[0]!, 1, 1000, () => ran++)),
      0,
    );
    machine.run(99e9);
    expect([ran, rcu.gpStarted, rcu.gpCompleted, rcu.gracePeriods.stalls]).toEqual([0, 1, 0, 2]);
    machine.run(Infinity);
    expect([ran, rcu.gpCompleted]).toEqual([1, 1]);
    expect(rcu.gracePeriods.longestNs).toBeGreaterThanOrEqual(99e9);
  });

  it('is idle, or one of thousands, costs a grace period nothing', () => {
    const events = [2, 4096].map((cpus) => {
      const { machine, rcu } = testRcu(cpus);
      for (let i = 0; i < 100; i++) rcu.callRcu(machine.cpus[1]!, 1, 1000);
      machine.run(Infinity);
      return machine.events.executed;
    });
    expect(events[0]).toBe(events[1]);
  });
});

describe('a preempted reader', () => {
  it('holds the grace period up with PREEMPT_RCU, although its CPU has switched, and it ends when the reader leaves', () => {
    const { machine, rcu } = testRcu(1, { preemptRcu: true }, { preemption: 'full' });
    let leftNs = 0;
    let ranNs = 0;
    machine.spawn('reader', function* () {
      rcu.readLock();
      yield 100 * MS;
      rcu.readUnlock();
      leftNs = machine.nowNs;
    });
    machine.spawn('rival', function* () {
      for (let i = 0; i < 100; i++) yield 1 * MS;
    });
    rcu.callRcu(machine.cpus[0]!, 1, 1000, () => (ranNs = machine.nowNs));
    machine.run(Infinity);
    expect(leftNs).toBeGreaterThan(150 * MS);
    expect(ranNs).toBeGreaterThan(leftNs);
    // A tick to notice.
    expect(ranNs).toBeLessThanOrEqual(leftNs + 5 * MS);
  });
});

describe('without a measured length', () => {
  it.each([
    [100, 2, 10],
    [250, 2, 4],
    [300, 2, 3.333333],
    [1000, 2, 1],
  ])('at HZ %d a grace period lasts until the first scan', (hz, cpus, jiffyMs) => {
    const { machine, rcu } = testRcu(cpus, { gpNs: undefined }, { hz });
    rcu.callRcu(machine.cpus[0]!, 1, 1000);
    machine.run(Infinity);
    const jiffies = 1 + (hz > 250 ? 1 : 0) + (hz > 500 ? 1 : 0);
    expect(rcu.gpTotalNs).toBeGreaterThan(jiffies * jiffyMs * MS - 1);
    expect(rcu.gpTotalNs).toBeLessThanOrEqual((jiffies + 1) * jiffyMs * MS);
  });
});

describe('expedited grace periods', () => {
  it('are shared by those who come while one is under way', () => {
    const { machine, rcu } = testRcu(4, { expeditedNs: 1 * MS });
    const endsMs: number[] = [];
    for (let i = 0; i < 100; i++) {
      machine.spawn('caller', function* () {
        yield* rcu.synchronizeExpedited();
        endsMs.push(machine.nowNs / MS);
      });
    }
    machine.run(Infinity);
    expect([rcu.expedited.sequence >> 1, endsMs.length, Math.max(...endsMs)]).toEqual([2, 100, 2]);
  });
});
