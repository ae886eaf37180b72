import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../invariant.js';
import { LockStats } from './lock-stats.js';
import { Mutex } from './mutex.js';
import { MS, testMachine } from '../testing/build.js';
import { runProgram, stepArbitrary } from '../testing/program.js';

describe('Mutex', () => {
  it('costs no event and no wait when nobody contends', () => {
    const machine = testMachine();
    const mutex = new Mutex(machine, 'm');
    machine.spawn('a', function* () {
      for (let i = 0; i < 100; i++) {
        yield* mutex.lock();
        mutex.unlock();
      }
    });
    machine.run(Infinity);
    expect([machine.events.executed, mutex.waitersMax, mutex.steals]).toEqual([1, 0, 0]);
  });

  it.each([[true], [false]])('excludes, whether fair (%s) or not, and serves everybody', (fair) => {
    const task = fc.record({
      on: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
      steps: fc.array(stepArbitrary(['lock', 'run', 'sleep'], 3), { maxLength: 10 }),
    });
    fc.assert(
      fc.property(fc.array(task, { maxLength: 8 }), fc.constantFrom(0, 0.5, 1), (program, stealProbability) => {
        const machine = testMachine(3, { contextSwitchNs: 1000 });
        const { mutexes, trace } = runProgram(machine, program, { fair, stealProbability });
        expect(trace.length).toBe(4 * program.reduce((sum, { steps }) => sum + steps.length, 0));
        for (const mutex of mutexes) {
          expect([mutex.owner, mutex.waiting]).toEqual([undefined, 0]);
          expect(mutex.steals === 0 || (!fair && stealProbability > 0)).toBe(true);
        }
      }),
    );
  });

  it('never has two tasks inside', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 2, maxLength: 12 }),
        fc.boolean(),
        (holds, fair) => {
          const machine = testMachine(2, { schedSliceNs: 1000 });
          const mutex = new Mutex(machine, 'm', { fair });
          let inside = 0;
          for (const [i, ns] of holds.entries()) {
            machine.spawn(`t${i}`, function* () {
              for (let round = 0; round < 5; round++) {
                yield* mutex.lock();
                expect(++inside).toBe(1);
                yield ns;
                yield machine.sleep(ns % 700);
                inside--;
                mutex.unlock();
              }
            });
          }
          machine.run(Infinity);
          expect(machine.scheduler.liveTasks).toBe(0);
        },
      ),
    );
  });

  it('is first come, first served when it is fair', () => {
    const machine = testMachine(4);
    const mutex = new Mutex(machine, 'm', { fair: true });
    const order: number[] = [];
    for (let i = 0; i < 8; i++) {
      machine.spawn(`t${i}`, function* () {
        yield machine.sleep(100 * (8 - i));
        for (let round = 0; round < 3; round++) {
          yield* mutex.lock();
          order.push(i);
          yield machine.sleep(5000);
          mutex.unlock();
        }
      });
    }
    machine.run(Infinity);
    const once = [7, 6, 5, 4, 3, 2, 1, 0];
    expect(order).toEqual([...once, ...once, ...once]);
  });

  /** Two tasks of one CPU: `a` holds, `b` waits; `a` releases and takes again before `b` has the CPU. */
  function convoy(stealProbability: number) {
    const machine = testMachine();
    const mutex = new Mutex(machine, 'm', { stealProbability });
    const order: string[] = [];
    const on = machine.cpus[0]!;
    const body = (name: string, rounds: number) =>
      function* () {
        for (let round = 0; round < rounds; round++) {
          yield* mutex.lock();
          order.push(name);
          yield machine.sleep(1000);
          mutex.unlock();
        }
      };
    machine.spawn('a', body('a', 4), { on });
    machine.spawn('b', body('b', 2), { on });
    machine.run(Infinity);
    return { order: order.join(''), steals: mutex.steals };
  }

  it('is stolen by the running task from the woken waiter of its own CPU, once: then HANDOFF gives it to the waiter', () => {
    // b has HANDOFF after the first theft; b then steals in turn from a, which waits.
    expect(convoy(1)).toEqual({ order: 'aabbaa', steals: 2 });
  });

  it('is never stolen with a steal probability of 0', () => {
    expect(convoy(0)).toEqual({ order: 'ababaa', steals: 0 });
  });

  it('lets a waiter be overtaken at most once by each release before it is handed the mutex', () => {
    const machine = testMachine();
    const mutex = new Mutex(machine, 'm');
    let releases = 0;
    let releasesBefore = 0;
    const on = machine.cpus[0]!;
    machine.spawn(
      'greedy',
      function* () {
        for (;;) {
          yield* mutex.lock();
          yield machine.sleep(1 * MS);
          releases++;
          mutex.unlock();
          if (releases > 50) return;
        }
      },
      { on },
    );
    machine.spawn(
      'waiter',
      function* () {
        yield* mutex.lock();
        releasesBefore = releases;
        mutex.unlock();
      },
      { on },
    );
    machine.run(Infinity);
    expect(releasesBefore).toBe(2);
  });

  it('records how long each caller waited', () => {
    const machine = testMachine(2);
    const stats = new LockStats(machine, 'm');
    const mutex = new Mutex(machine, 'm', { probe: stats });
    for (const cpu of machine.cpus) {
      machine.spawn(
        't',
        function* () {
          yield* mutex.lock();
          yield 5000;
          mutex.unlock();
        },
        { on: cpu },
      );
    }
    machine.run(Infinity);
    const { total, min, max } = stats.waitNs.snapshot();
    expect([total, min, max]).toEqual([2, 0, 5000]);
  });

  it.each([
    [
      'locked twice by one task',
      function* (mutex: Mutex) {
        yield* mutex.lock();
        yield* mutex.lock();
      },
    ],
    [
      'unlocked by a task that does not own it',
      function* (mutex: Mutex) {
        yield 1;
        mutex.unlock();
      },
    ],
  ])('ends the cell when it is %s', (_, body) => {
    const machine = testMachine();
    const mutex = new Mutex(machine, 'm');
    machine.spawn('a', () => body(mutex));
    expect(() => machine.run(Infinity)).toThrow(InvariantViolation);
  });
});
