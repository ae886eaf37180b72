import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../invariant.js';
import { Mutex } from '../locks/mutex.js';
import { MIGRATE, PARK, SchedClass, type TaskBody, YIELD } from './task.js';
import { burn, MS, testMachine } from '../testing/build.js';

describe('a task alone on a CPU', () => {
  it('costs one event to start and one per burst, however long the burst', () => {
    const machine = testMachine();
    machine.spawn('a', function* () {
      yield 1;
      yield 3600e9;
    });
    machine.run(Infinity);
    expect(machine.events.executed).toBe(1 + 2);
    expect(machine.nowNs).toBe(3600e9 + 1);
  });

  it('pays a context switch when it is switched in, not between its bursts', () => {
    const machine = testMachine(1, { contextSwitchNs: 500 });
    const task = machine.spawn('a', function* () {
      yield 100;
      yield 100;
      yield machine.sleep(1000);
      yield 100;
    });
    machine.run(Infinity);
    expect(machine.nowNs).toBe(500 + 200 + 1000 + 500 + 100);
    expect(task.cpuTimeNs).toBe(300);
    expect(machine.cpus[0]!.busyNs).toBe(2 * 500 + 300);
  });

  it('goes on at once after 0, and rounds fractions of a nanosecond', () => {
    const machine = testMachine();
    const task = machine.spawn('a', function* () {
      yield 0;
      yield 10.4;
      yield 0.2;
      yield machine.sleep(0.4);
    });
    machine.run(Infinity);
    expect([task.cpuTimeNs, machine.nowNs]).toEqual([10, 10]);
  });

  it.each([-5, NaN, Infinity])('ends the cell when it yields %d', (request) => {
    const machine = testMachine();
    machine.spawn('a', function* () {
      yield request;
    });
    expect(() => machine.run(Infinity)).toThrow(InvariantViolation);
  });
});

describe('fair tasks on one CPU', () => {
  it('share it by slices, of which newcomers have half of one first', () => {
    const machine = testMachine();
    const log: [string, number][] = [];
    const on = machine.cpus[0]!;
    machine.spawn('a', burn(machine, log, 'a', 7 * MS), { on });
    machine.spawn('b', burn(machine, log, 'b', 4 * MS), { on });
    machine.spawn('c', burn(machine, log, 'c', 1 * MS), { on });
    machine.run(Infinity);
    // a 0-1.5, b 1.5-3, c 3-4, a 4-7, b 7-9.5, a 9.5-12
    expect(log).toEqual([
      ['c', 4 * MS],
      ['b', 9.5 * MS],
      ['a', 12 * MS],
    ]);
  });

  it.each([
    [
      'within its slice runs on when an equal wakes, to the end of the slice',
      1 * MS,
      [
        ['b', 2.5 * MS],
        ['a', 3 * MS],
      ],
    ],
    [
      'past its slice gives way to the first that comes',
      5 * MS,
      [
        ['b', 6 * MS],
        ['a', 7 * MS],
      ],
    ],
  ])('one that is %s', (_, wakeNs, expected) => {
    const machine = testMachine();
    const log: [string, number][] = [];
    const on = machine.cpus[0]!;
    machine.spawn('a', burn(machine, log, 'a', wakeNs + 1 * MS), { on });
    const b = machine.spawn('b', burn(machine, log, 'b', 1 * MS), { on, asleep: true });
    machine.schedule(
      wakeNs,
      machine.addActor(() => machine.wake(b)),
      0,
    );
    machine.run(Infinity);
    expect(log).toEqual(expected);
  });

  it('give way on YIELD when their slice is over, and not before', () => {
    const machine = testMachine(1, { preemption: 'none' });
    const log: string[] = [];
    const body = (name: string) =>
      function* (): TaskBody {
        for (let i = 0; i < 4; i++) {
          log.push(name + i);
          yield 1 * MS;
          yield YIELD;
        }
      };
    machine.spawn('a', body('a'), { on: machine.cpus[0]! });
    machine.spawn('b', body('b'), { on: machine.cpus[0]! });
    machine.run(Infinity);
    expect(log.join(' ')).toBe('a0 a1 b0 b1 a2 a3 b2 b3');
  });

  it('pay nothing for YIELD when nobody waits', () => {
    const machine = testMachine();
    machine.spawn('a', function* () {
      for (let i = 0; i < 9; i++) yield YIELD;
    });
    machine.run(Infinity);
    expect(machine.events.executed).toBe(1);
  });
});

describe('placement', () => {
  it('puts unbound tasks on idle CPUs', () => {
    const machine = testMachine(3);
    const log: [string, number][] = [];
    for (const name of ['a', 'b', 'c']) machine.spawn(name, burn(machine, log, name, 5 * MS));
    machine.run(Infinity);
    expect(log.map(([, ns]) => ns)).toEqual([5 * MS, 5 * MS, 5 * MS]);
  });

  it('lets a CPU that falls idle pull a waiting unbound task, and never a bound one', () => {
    const machine = testMachine(2);
    const log: [string, number][] = [];
    const [cpu0, cpu1] = [machine.cpus[0]!, machine.cpus[1]!];
    machine.spawn('long', burn(machine, log, 'long', 2 * MS), { on: cpu0 });
    machine.spawn('short', burn(machine, log, 'short', 1 * MS), { on: cpu1 });
    machine.spawn('bound', burn(machine, log, 'bound', 1 * MS), { on: cpu0 });
    const unbound = machine.spawn('unbound', burn(machine, log, 'unbound', 1 * MS), { near: cpu0 });
    machine.run(Infinity);
    expect(log).toEqual([
      ['short', 1 * MS],
      ['unbound', 2 * MS],
      ['bound', 2.5 * MS],
      ['long', 3 * MS],
    ]);
    expect(unbound.cpu).toBe(cpu1);
  });

  it('does not move a task at the end of its slice when nobody waits behind it any more', () => {
    const machine = testMachine(3);
    const log: [string, number][] = [];
    const runner = machine.spawn('runner', burn(machine, log, 'runner', 9 * MS), { near: machine.cpus[0]! });
    for (const index of [1, 2])
      machine.spawn('other', burn(machine, log, `other ${index}`, 1 * MS), { on: machine.cpus[index]! });
    machine.spawn('waits', burn(machine, log, 'waits', 100), { near: machine.cpus[0]! });
    machine.run(Infinity);
    expect(log.at(-1)).toEqual(['runner', 9 * MS]);
    expect(runner.cpu.index).toBe(0);
  });

  it('runs a task on the CPU that it migrates to', () => {
    const machine = testMachine(2);
    const seen: (number | boolean)[] = [];
    machine.spawn('a', function* (task) {
      task.cpu = machine.cpus[1]!;
      yield MIGRATE;
      yield 10;
      seen.push(task.cpu.index, machine.cpus[1]!.current === task, machine.cpus[0]!.current === undefined);
    });
    machine.run(Infinity);
    expect(seen).toEqual([1, true, true]);
  });

  it('finds the nearest idle CPU above, around the end and across words of its bitmap', () => {
    const machine = testMachine(70);
    const idle = new Set([3, 31, 64]);
    for (const cpu of machine.cpus) {
      if (!idle.has(cpu.index)) machine.spawn('busy', burn(machine, [], 'busy', MS), { on: cpu });
    }
    const find = (index: number) => machine.scheduler.findIdle(machine.cpus[index]!)?.index;
    expect([0, 3, 4, 30, 31, 32, 63, 64, 69].map(find)).toEqual([3, 31, 31, 31, 64, 64, 64, 3, 3]);
  });
});

describe('softirq', () => {
  it('preempts the current task, which then goes on with its remaining time and pays no switch', () => {
    const machine = testMachine(1, { contextSwitchNs: 100 });
    const log: [string, number][] = [];
    const on = machine.cpus[0]!;
    machine.spawn('fair', burn(machine, log, 'fair', 1 * MS), { on });
    const softirq = machine.spawn('softirq', burn(machine, log, 'softirq', 200), {
      on,
      schedClass: SchedClass.Softirq,
      asleep: true,
    });
    machine.schedule(
      500_000,
      machine.addActor(() => machine.wake(softirq)),
      0,
    );
    machine.run(Infinity);
    expect(log).toEqual([
      ['softirq', 500_200],
      ['fair', 1 * MS + 100 + 200],
    ]);
    expect(on.busyNs).toBe(machine.nowNs);
  });

  it('does not renew the slice of the task that it interrupts', () => {
    const machine = testMachine();
    const log: [string, number][] = [];
    const on = machine.cpus[0]!;
    machine.spawn('a', burn(machine, log, 'a', 9 * MS), { on });
    machine.spawn('b', burn(machine, log, 'b', 100), { on });
    machine.spawn(
      'softirq',
      function* () {
        for (let i = 0; i < 12; i++) {
          yield 1;
          yield machine.sleep(1 * MS);
        }
      },
      { on, schedClass: SchedClass.Softirq },
    );
    machine.run(Infinity);
    // Interrupted every millisecond, a still has one slice of 3 ms before b has its turn.
    expect(log[0]![0]).toBe('b');
    expect(log[0]![1]).toBeLessThan(4 * MS);
  });

  it('counts a switch that it interrupts by the time that passed', () => {
    const machine = testMachine(1, { contextSwitchNs: 1000 });
    const on = machine.cpus[0]!;
    machine.spawn('fair', burn(machine, [], 'fair', 5000), { on });
    const softirq = machine.spawn('softirq', burn(machine, [], 's', 200), {
      on,
      schedClass: SchedClass.Softirq,
      asleep: true,
    });
    machine.schedule(
      400,
      machine.addActor(() => machine.wake(softirq)),
      0,
    );
    machine.run(Infinity);
    expect([machine.nowNs, on.busyNs]).toEqual([400 + 200 + 1000 + 5000, 6600]);
  });
});

describe('PARK and wakeups', () => {
  it('remembers one wakeup that comes while the task runs', () => {
    const machine = testMachine();
    const log: number[] = [];
    const task = machine.spawn('a', function* () {
      yield 100;
      yield PARK;
      log.push(machine.nowNs);
      yield PARK;
      log.push(machine.nowNs);
    });
    const wake = machine.addActor(() => machine.wake(task));
    for (const delayNs of [50, 60, 500]) machine.schedule(delayNs, wake, 0);
    machine.run(Infinity);
    expect(log).toEqual([100, 500]);
  });

  it('takes two wakeups for one when the task has not acted between them', () => {
    const machine = testMachine(1, { contextSwitchNs: 100 });
    const log: number[] = [];
    const task = machine.spawn('a', function* () {
      yield PARK;
      yield machine.sleep(1000);
      log.push(machine.nowNs);
    });
    const wake = machine.addActor(() => machine.wake(task));
    for (const delayNs of [500, 550]) machine.schedule(delayNs, wake, 0);
    machine.run(Infinity);
    expect(log).toEqual([500 + 100 + 1000 + 100]);
  });

  it('ends a sleep early when woken, and the timer that is left over wakes nobody', () => {
    const machine = testMachine();
    const log: number[] = [];
    const task = machine.spawn('a', function* () {
      yield machine.sleep(1000);
      log.push(machine.nowNs);
      // This one ends before it began: the wakeup at 150 came first.
      yield 100;
      yield machine.sleep(2000);
      log.push(machine.nowNs);
      yield PARK;
      log.push(machine.nowNs);
    });
    const wake = machine.addActor(() => machine.wake(task));
    for (const delayNs of [100, 150, 9000]) machine.schedule(delayNs, wake, 0);
    machine.run(Infinity);
    expect(log).toEqual([100, 200, 9000]);
  });

  it('leaves a dead task dead', () => {
    const machine = testMachine();
    const task = machine.spawn('a', burn(machine, [], 'a', 1));
    machine.run(Infinity);
    machine.wake(task);
    machine.run(Infinity);
    expect([machine.scheduler.liveTasks, machine.events.pending]).toEqual([0, 0]);
  });

  it('survives a CPU whose event stamps wrap around', () => {
    const machine = testMachine();
    const log: [string, number][] = [];
    machine.cpus[0]!.version = 2 ** 31 - 2;
    machine.spawn('a', function* () {
      for (let i = 0; i < 5; i++) yield 10;
      log.push(['a', machine.nowNs]);
    });
    machine.run(Infinity);
    expect(log).toEqual([['a', 50]]);
  });

  it('knows no current task outside of one', () => {
    const machine = testMachine();
    expect(() => machine.current).toThrow(InvariantViolation);
    expect(() => new Mutex(machine, 'm').unlock()).toThrow(InvariantViolation);
  });
});
