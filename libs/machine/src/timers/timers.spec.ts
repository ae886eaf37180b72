import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { burn, MS, testMachine } from '../testing/build.js';
import { PARK } from '../sched/task.js';
import { Timer } from './timer.js';
import { Timers, type TimersConfig } from './timers.js';

function testTimers(cpus = 1, hz = 250, config: TimersConfig = {}) {
  const machine = testMachine(cpus, { hz });
  const timers = new Timers(machine, config);
  const at = (ns: number, what: () => void): void => machine.schedule(ns, machine.addActor(what), 0);
  return { machine, timers, at };
}

describe('a timer that arms itself again for 2 s', () => {
  it.each([
    [100, 2.08],
    [250, 2.016],
    [300, 2.1333],
    [1000, 2.048],
  ])('runs at HZ %d every %d s', (hz, seconds) => {
    const { machine, timers } = testTimers(1, hz);
    const at: number[] = [];
    const timer = new Timer(() => {
      at.push(machine.nowNs);
      timers.mod(timer, timers.jiffies + 2 * hz);
    });
    timers.mod(timer, timers.jiffies + 2 * hz);
    machine.run(60e9);
    const periods = at.slice(1).map((ns, i) => ns - at[i]!);
    expect(new Set(periods).size).toBe(1);
    expect(periods[0]! / 1e9).toBeCloseTo(seconds, 3);
    // A tick, the softirq in, and out.
    expect(machine.events.executed).toBeLessThanOrEqual(3 * at.length + 1);
  });

  it('keeps that period also when its function takes a quarter of a second, and takes it from whoever else runs', () => {
    const { machine, timers } = testTimers();
    const log: [string, number][] = [];
    const timer = new Timer(function* () {
      log.push(['walk', machine.nowNs]);
      yield 268 * MS;
      timers.mod(timer, timers.jiffies + 500);
    });
    timers.mod(timer, 500);
    machine.spawn('user', burn(machine, log, 'user', 6e9));
    machine.run(10e9);
    const walks = log.filter(([name]) => name === 'walk').map(([, ns]) => ns);
    expect(walks.slice(1).map((ns, i) => ns - walks[i]!)).toEqual([2272 * MS, 2272 * MS, 2272 * MS]);
    expect(log.find(([name]) => name === 'user')![1]).toBe(6e9 + 2 * 268 * MS);
  });
});

describe('the functions of timers', () => {
  it('run never before their jiffy, and once each unless they were removed', () => {
    const step = fc.record({
      atNs: fc.integer({ min: 1, max: 2_000 * MS }),
      timer: fc.nat({ max: 5 }),
      cpu: fc.nat({ max: 2 }),
      what: fc.constantFrom('mod', 'mod', 'delete'),
      jiffies: fc.nat({ max: 300 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat({ max: 1000 }), (steps, jiffiesAtStart) => {
        const { machine, timers, at } = testTimers(3, 250, { jiffiesAtStart });
        const due: (number | undefined)[] = [];
        const all = Array.from({ length: 6 }, (_, index) => {
          return new Timer(() => {
            expect(timers.jiffies).toBeGreaterThan(due[index]!);
            // At a tick.
            expect(machine.nowNs % machine.jiffyNs).toBe(0);
            due[index] = undefined;
          });
        });
        for (const { atNs, timer, cpu, what, jiffies } of steps) {
          at(atNs, () => {
            const one = all[timer]!;
            expect(one.pending).toBe(due[timer] !== undefined);
            const before = one.pending;
            const remove = what === 'delete';
            due[timer] = remove ? undefined : timers.jiffies + jiffies;
            const was = remove ? timers.delete(one) : timers.modOn(one, machine.cpus[cpu]!, due[timer]!);
            expect(was).toBe(before);
          });
        }
        machine.run(Infinity);
        expect(due.every((jiffy) => jiffy === undefined)).toBe(true);
      }),
    );
  });

  it('run in softirq context on the CPU that they were armed for: one that takes long delays the next, not that of others', () => {
    const { machine, timers } = testTimers(2);
    const at: [string, number][] = [];
    const long = new Timer(function* () {
      at.push(['long', machine.current.cpu.index]);
      yield 50 * MS;
    });
    const [behind, elsewhere] = ['behind', 'elsewhere'].map((name) => {
      return new Timer(() => void at.push([name, machine.nowNs / MS]));
    });
    timers.modOn(behind!, machine.cpus[1]!, 2);
    timers.modOn(long, machine.cpus[1]!, 2);
    timers.modOn(elsewhere!, machine.cpus[0]!, 2);
    machine.run(Infinity);
    expect(at).toEqual([
      ['long', 1],
      ['elsewhere', 12],
      ['behind', 62],
    ]);
  });

  it('are waited for by deleteSync, and do not run any more after it', () => {
    const { machine, timers } = testTimers(2);
    let runs = 0;
    let endNs = 0;
    const timer = new Timer(function* () {
      runs++;
      yield 10 * MS;
      timers.mod(timer, timers.jiffies + 1);
    });
    timers.modOn(timer, machine.cpus[1]!, 1);
    machine.spawn('remover', function* () {
      yield machine.sleep(9 * MS);
      yield* timers.deleteSync(timer);
      endNs = machine.nowNs;
      expect(timer.pending).toBe(false);
    });
    machine.run(Infinity);
    expect([runs, endNs]).toEqual([1, 18 * MS]);
  });
});

describe('timers that are moved and removed before their time', () => {
  it('leave no more events behind than there are jiffies', () => {
    const { machine, timers } = testTimers();
    const all = Array.from({ length: 100_000 }, () => new Timer(() => {}));
    all.forEach((timer, i) => timers.mod(timer, 1 + ((i * 7919) % 1000)));
    all.forEach((timer) => timers.delete(timer));
    expect(machine.events.pending).toBeLessThanOrEqual(20);
    // A time-out that is pushed on by every packet.
    for (let i = 0; i < 100_000; i++) timers.mod(all[0]!, 100 + i);
    machine.run(Infinity);
    expect(machine.events.executed).toBeLessThanOrEqual(25);
  });

  it('keep their place when they are moved within their bucket', () => {
    const { machine, timers } = testTimers();
    const order: string[] = [];
    const [a, b] = ['a', 'b'].map((name) => new Timer(() => void order.push(name)));
    timers.mod(a!, 100);
    timers.mod(b!, 100);
    expect(timers.mod(a!, 101)).toBe(true);
    machine.run(Infinity);
    expect(order).toEqual(['b', 'a']);
  });
});

describe('schedule_timeout', () => {
  it.each([
    ['0 jiffies at once', 0, 1, 0],
    ['1 jiffy one to two ticks later', 1, 1, 2],
    ['10 jiffies ten to eleven ticks later', 10, 3 * MS, 11],
    ['100 jiffies, rounded to eight', 100, 1, 104],
  ])('ends %s', (_, jiffies, startNs, endTick) => {
    const { machine, timers } = testTimers();
    const ends: number[] = [];
    machine.spawn('sleeper', function* () {
      yield machine.sleep(startNs);
      ends.push(yield* timers.scheduleTimeout(jiffies), machine.nowNs);
    });
    machine.run(Infinity);
    expect(ends).toEqual([0, endTick === 0 ? startNs : endTick * machine.jiffyNs]);
  });

  it('returns what is left when the task is woken before, and leaves no timer behind', () => {
    const { machine, timers, at } = testTimers();
    const ends: number[] = [];
    const task = machine.spawn('sleeper', function* () {
      ends.push(yield* timers.scheduleTimeout(50), machine.nowNs);
      yield PARK;
      ends.push(-1);
    });
    at(82 * MS, () => machine.wake(task));
    machine.run(1e9);
    expect(ends).toEqual([30, 82 * MS]);
  });

  it.each([
    [1, 12],
    [0, 8],
  ])('under msleep() of 4 ms, with %d jiffies extra, lasts %d ms whoever wakes the task', (msleepExtraJiffies, ms) => {
    const { machine, timers, at } = testTimers(1, 250, { msleepExtraJiffies });
    let endNs = 0;
    const task = machine.spawn('sleeper', function* () {
      yield* timers.msleep(4);
      endNs = machine.nowNs;
    });
    at(1 * MS, () => machine.wake(task));
    machine.run(Infinity);
    expect(endNs).toBe(ms * MS);
  });
});

describe('round_jiffies', () => {
  it.each([
    [1000, 0, 1000],
    [1061, 0, 1000],
    [1063, 0, 1250],
    [1000, 3, 991],
    [10, 0, 10],
  ])('makes jiffy %d on CPU %d at HZ 250 jiffy %d', (jiffy, cpu, rounded) => {
    const { machine, timers } = testTimers(4);
    expect(timers.roundJiffies(jiffy, machine.cpus[cpu]!)).toBe(rounded);
  });
});

describe('an idle machine', () => {
  it('of 4,096 CPUs with one timer far away does nothing until then', () => {
    const { machine, timers } = testTimers(4096);
    let ran = 0;
    timers.modOn(new Timer(() => void ran++), machine.cpus[4095]!, 900_000);
    machine.run(3600e9);
    // The granularity of that distance is 18 minutes.
    expect([ran, machine.events.executed]).toEqual([0, 0]);
    machine.run(4200e9);
    expect(ran).toBe(1);
  });
});
