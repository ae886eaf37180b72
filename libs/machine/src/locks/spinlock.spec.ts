import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../invariant.js';
import type { Machine } from '../machine.js';
import { PARK, SchedClass, type TaskBody } from '../sched/task.js';
import { testMachine } from '../testing/build.js';
import { lineOf } from '../testing/lock-program.js';
import { LockStats } from './lock-stats.js';
import { SpinLock } from './spinlock.js';

/** Takes the lock at `atNs` and holds it for `holdNs`; notes when it has it. */
function taker(machine: Machine, lock: SpinLock, log: [string, number][], name: string, atNs: number, holdNs: number) {
  return function* (): TaskBody {
    yield machine.sleep(atNs);
    for (let wait; (wait = lock.acquire()) !== 0;) yield wait;
    log.push([name, machine.nowNs]);
    yield holdNs;
    lock.unlock();
  };
}

describe('SpinLock', () => {
  it('costs no event when nobody contends', () => {
    const machine = testMachine();
    const lock = new SpinLock(machine, 's');
    machine.spawn('a', function* () {
      for (let i = 0; i < 100; i++) {
        yield* lock.lock();
        lock.unlock();
      }
    });
    machine.run(Infinity);
    expect(machine.events.executed).toBe(1);
  });

  it('is taken in the order of arrival, and waiting is CPU time', () => {
    const machine = testMachine(4);
    const lock = new SpinLock(machine, 's');
    const log: [string, number][] = [];
    const tasks = [0, 300, 100, 200].map((atNs, i) =>
      machine.spawn(`t${i}`, taker(machine, lock, log, `t${i}`, atNs, 1000), { on: machine.cpus[i]! }),
    );
    machine.run(Infinity);
    expect(log).toEqual([
      ['t0', 0],
      ['t2', 1000],
      ['t3', 2000],
      ['t1', 3000],
    ]);
    expect(tasks.map(({ cpuTimeNs }) => cpuTimeNs)).toEqual([1000, 2700 + 1000, 900 + 1000, 1800 + 1000]);
  });

  it('moves its line to each holder in turn, after the release', () => {
    const machine = testMachine(3);
    const lock = new SpinLock(machine, 's', { line: lineOf(machine) });
    const log: [string, number][] = [];
    for (const [i, atNs] of [0, 100, 200].entries()) {
      machine.spawn(`t${i}`, taker(machine, lock, log, `t${i}`, atNs, 1000), { on: machine.cpus[i]! });
    }
    machine.run(Infinity);
    // 80 ns from memory. Then the line goes back to who releases, 30 ns, for those who queued have had it meanwhile,
    // and from there to the next, 30 ns.
    expect(log).toEqual([
      ['t0', 80],
      ['t1', 1080 + 60],
      ['t2', 2140 + 30],
    ]);
  });

  it.each(['none', 'voluntary', 'full'] as const)('keeps its holder on the CPU, with preemption %s', (preemption) => {
    const machine = testMachine(1, { preemption });
    const lock = new SpinLock(machine, 's');
    const log: [string, number][] = [];
    const urgent = machine.spawn('urgent', taker(machine, lock, log, 'urgent', 500, 1), {
      schedClass: SchedClass.Fifo,
    });
    machine.spawn('holder', taker(machine, lock, log, 'holder', 0, 10_000));
    machine.run(Infinity);
    expect(log).toEqual([
      ['holder', 0],
      ['urgent', 10_000],
    ]);
    expect(urgent.cpuTimeNs).toBe(1);
  });

  it.each([
    ['delays the holder when bottom halves are on', 'acquire', 'unlock', 700],
    ['waits for the holder when they are off', 'acquireBh', 'unlockBh', 10_000],
    ['waits for the holder when interrupts are off', 'acquireIrq', 'unlockIrq', 10_000],
  ] as const)('a softirq %s', (_, acquire, unlock, doneNs) => {
    const machine = testMachine();
    const lock = new SpinLock(machine, 's');
    let softirqNs = 0;
    machine.spawn('holder', function* () {
      for (let wait; (wait = lock[acquire]()) !== 0;) yield wait;
      yield 10_000;
      lock[unlock]();
    });
    machine.spawn(
      'softirq',
      function* () {
        yield machine.sleep(500);
        softirqNs = machine.nowNs;
        yield 200;
      },
      { on: machine.cpus[0]!, schedClass: SchedClass.Softirq },
    );
    machine.run(Infinity);
    expect(softirqNs + 200).toBe(doneNs === 700 ? 700 : 10_200);
    expect(machine.nowNs).toBe(10_200);
  });

  it('makes everybody wait while a softirq is on top of its holder', () => {
    const machine = testMachine(2);
    const stats = new LockStats(machine, 's');
    const lock = new SpinLock(machine, 's', { probe: stats });
    const log: [string, number][] = [];
    machine.spawn('holder', taker(machine, lock, log, 'holder', 0, 1000), { on: machine.cpus[0]! });
    machine.spawn('other', taker(machine, lock, log, 'other', 100, 1000), { on: machine.cpus[1]! });
    machine.spawn(
      'softirq',
      function* () {
        yield machine.sleep(500);
        yield 5000;
      },
      { on: machine.cpus[0]!, schedClass: SchedClass.Softirq },
    );
    machine.run(Infinity);
    expect(log[1]).toEqual(['other', 6000]);
    expect([stats.waitNs.max, stats.holdNs.max, stats.contentions]).toEqual([5900, 6000, 1]);
  });

  it.each<[string, (lock: SpinLock, machine: Machine) => TaskBody]>([
    [
      'its holder takes it again',
      function* (lock) {
        yield* lock.lock();
        yield* lock.lock();
      },
    ],
    [
      'somebody else gives it back',
      function* (lock) {
        yield 1;
        lock.unlock();
      },
    ],
    [
      'its holder sleeps',
      function* (lock) {
        yield* lock.lock();
        yield PARK;
      },
    ],
    [
      'its holder ends',
      function* (lock) {
        yield* lock.lock();
      },
    ],
  ])('ends the cell when %s', (_, body) => {
    const machine = testMachine();
    const lock = new SpinLock(machine, 's');
    machine.spawn('a', () => body(lock, machine));
    expect(() => machine.run(Infinity)).toThrow(InvariantViolation);
  });

  it('is not waited for by a trylock', () => {
    const machine = testMachine();
    const lock = new SpinLock(machine, 's');
    const got: boolean[] = [];
    machine.spawn('a', function* () {
      got.push(lock.tryLock(), lock.tryLock());
      yield 1;
      lock.unlock();
      got.push(lock.tryLock());
      lock.unlock();
    });
    machine.run(Infinity);
    expect(got).toEqual([true, false, true]);
  });
});
