import { describe, expect, it } from 'vitest';
import { PARK } from './sched/task.js';
import { at, MS, RCU_COSTS, testMachine } from './testing/build.js';
import { Rcu } from './rcu/rcu.js';
import { Workqueues } from './workqueue/workqueues.js';

describe('Machine.observe', () => {
  it('serves several observers, each at its own period, in the order in which they came', () => {
    const machine = testMachine();
    const seen: string[] = [];
    machine.observe(20, (timeNs) => seen.push(`a${timeNs}`));
    machine.observe(30, (timeNs) => seen.push(`b${timeNs}`));
    const actor = machine.addActor(() => machine.observe(20, (timeNs) => seen.push(`c${timeNs}`)));
    machine.schedule(45, actor, 0);
    machine.run(61);
    expect(seen).toEqual(['a0', 'b0', 'a20', 'b30', 'a40', 'a60', 'b60', 'c60']);
  });

  it('samples at exact multiples, with the state after all that happened then, and costs no events', () => {
    const run = (observed: boolean) => {
      const machine = testMachine();
      const samples: [number, number][] = [];
      let value = 0;
      const step = machine.addActor((to) => {
        value = to;
      });
      for (const [atNs, to] of [
        [10, 1],
        [20, 2],
        [20, 3],
        [21, 4],
        [45, 5],
      ] as const)
        machine.schedule(atNs, step, to);
      if (observed) machine.observe(10, (timeNs) => samples.push([timeNs, value]));
      machine.run(Infinity);
      return { samples, events: machine.events.executed };
    };
    expect(run(true).samples).toEqual([
      [0, 0],
      [10, 1],
      [20, 3],
      [30, 4],
      [40, 4],
    ]);
    expect(run(true).events).toBe(run(false).events);
  });

  it('takes the sample of the limit of a run only once time goes on, and each sample once', () => {
    const machine = testMachine();
    const samples: number[] = [];
    machine.observe(10, (timeNs) => samples.push(timeNs));
    machine.run(20);
    expect(samples).toEqual([0, 10]);
    machine.run(20);
    machine.run(35);
    expect(samples).toEqual([0, 10, 20, 30]);
  });
});

describe('Machine.run', () => {
  it('runs the events of its limit, stops there, and goes on from there', () => {
    const machine = testMachine();
    const log: number[] = [];
    const actor = machine.addActor(() => log.push(machine.nowNs));
    for (const atNs of [5, 10, 11]) machine.schedule(atNs, actor, 0);
    expect(machine.run(10)).toBe(false);
    expect([log, machine.nowNs]).toEqual([[5, 10], 10]);
    expect(machine.run(100)).toBe(false);
    expect([log, machine.nowNs]).toEqual([[5, 10, 11], 100]);
  });

  it('never takes time back', () => {
    const machine = testMachine();
    machine.run(100);
    machine.run(50);
    expect(machine.nowNs).toBe(100);
  });

  it('ends when nothing is left to happen, without a limit too, and runs no event twice', () => {
    const machine = testMachine();
    let runs = 0;
    machine.observe(10, () => {});
    machine.schedule(
      5,
      machine.addActor(() => runs++),
      0,
    );
    expect([machine.run(Infinity), machine.run(Infinity), runs, machine.nowNs]).toEqual([false, false, 1, 5]);
  });

  it('says when it was stopped, and leaves what comes after', () => {
    const machine = testMachine();
    machine.schedule(
      5,
      machine.addActor(() => machine.stop()),
      0,
    );
    machine.schedule(
      6,
      machine.addActor(() => {}),
      0,
    );
    expect([machine.run(100), machine.nowNs, machine.events.pending]).toEqual([true, 5, 1]);
  });

  it('simulates an idle hour on 4,096 CPUs, with RCU, workqueues and a sleeping task, without an event', () => {
    const machine = testMachine(4096);
    const rcu = new Rcu(machine, RCU_COSTS);
    const workqueues = new Workqueues(machine, { workerCreateNs: 1000, workerIdleTimeoutNs: 300e9 });
    workqueues.alloc(256);
    machine.spawn(
      'sleeper',
      function* () {
        yield PARK;
      },
      { asleep: true },
    );
    let samples = 0;
    machine.observe(100 * MS, () => samples++);
    machine.run(3600e9);
    expect([machine.events.executed, machine.nowNs, samples]).toEqual([0, 3600e9, 36_000]);
    expect([rcu.gpStarted, workqueues.workers]).toEqual([0, 0]);
  });
});

describe('Machine.wakeIn', () => {
  it.each([
    ['later', 500, 0, [[600, 'woken']]],
    ['at once without a delay', 0, 0, [[100, 'woken']]],
    [
      'not a second time when somebody else is faster',
      500,
      300,
      [
        [400, 'woken'],
        [10_100, 'again'],
      ],
    ],
  ])('wakes a task %s', (_, delayNs, otherNs, expected) => {
    const machine = testMachine();
    const log: [number, string][] = [];
    const task = machine.spawn('sleeps', function* () {
      yield PARK;
      log.push([machine.nowNs, 'woken']);
      yield PARK;
      log.push([machine.nowNs, 'again']);
    });
    at(machine, 100, () => machine.wakeIn(task, delayNs));
    if (otherNs > 0) {
      at(machine, 100 + otherNs, () => machine.wake(task));
      at(machine, 10_100, () => machine.wake(task));
    }
    machine.run(20_000);
    expect(log).toEqual(expected);
  });

  it('keeps the wakeup of a task that does not sleep yet for its next PARK', () => {
    const machine = testMachine();
    let wokenNs = -1;
    const task = machine.spawn('works', function* () {
      yield 1_000;
      yield PARK;
      wokenNs = machine.nowNs;
    });
    at(machine, 100, () => machine.wakeIn(task, 5_000));
    machine.run(Infinity);
    expect(wokenNs).toBe(1_000);
  });
});
