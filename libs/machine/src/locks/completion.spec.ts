import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../invariant.js';
import { testMachine } from '../testing/build.js';
import { Completion } from './completion.js';

describe('Completion', () => {
  it('remembers a completion that came before the wait, and costs nothing then', () => {
    const machine = testMachine();
    const done = new Completion(machine, 'done');
    done.complete();
    done.complete();
    const log: number[] = [];
    machine.spawn('a', function* () {
      yield* done.wait();
      yield* done.wait();
      log.push(machine.events.executed);
      yield* done.wait();
      log.push(-1);
    });
    machine.run(Infinity);
    expect(log).toEqual([1]);
    expect([done.waiting, done.isDone, machine.scheduler.liveTasks]).toEqual([1, false, 1]);
  });

  it('lets one task through per completion, first come, first served, also when several come at once', () => {
    const machine = testMachine();
    const done = new Completion(machine, 'done');
    const log: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      machine.spawn(name, function* () {
        yield* done.wait();
        log.push(name);
      });
    }
    machine.spawn('completer', function* () {
      yield 100;
      done.complete();
      done.complete();
      yield 100;
      done.complete();
      yield machine.sleep(100);
      log.push('end');
    });
    machine.run(Infinity);
    expect(log).toEqual(['a', 'b', 'c', 'end']);
  });

  it('lets everybody through from complete_all() on, until it is initialised anew', () => {
    const machine = testMachine();
    const done = new Completion(machine, 'done');
    let through = 0;
    for (let i = 0; i < 5; i++) {
      machine.spawn(`t${i}`, function* () {
        yield machine.sleep(i * 10);
        yield* done.wait();
        through++;
      });
    }
    machine.spawn('all', function* () {
      yield machine.sleep(25);
      done.completeAll();
    });
    machine.run(Infinity);
    expect(through).toBe(5);
    done.reinit();
    expect(done.isDone).toBe(false);
  });

  it('goes to whoever is there first, and a woken waiter that finds nothing waits on', () => {
    const machine = testMachine();
    const done = new Completion(machine, 'done');
    const log: string[] = [];
    machine.spawn('waiter', function* () {
      yield* done.wait();
      log.push('waiter');
    });
    machine.spawn('thief', function* () {
      yield 10;
      done.complete();
      yield* done.wait();
      log.push('thief');
      yield machine.sleep(10);
      done.complete();
    });
    machine.run(Infinity);
    expect(log).toEqual(['thief', 'waiter']);
  });

  it.each([
    ['in time', 500, true, 500],
    ['at the last instant', 1000, true, 1000],
    ['too late', 1500, false, 1000],
  ])('waits with a timeout: %s', (_, atNs, inTime, backNs) => {
    const machine = testMachine(2);
    const done = new Completion(machine, 'done');
    // The completer comes first at an instant that both share.
    machine.schedule(
      atNs,
      machine.addActor(() => done.complete()),
      0,
    );
    let result: [boolean, number] | undefined;
    machine.spawn('a', function* () {
      const got = yield* done.waitTimeout(1000);
      result = [got, machine.nowNs];
    });
    machine.run(Infinity);
    expect(result).toEqual([inTime, backNs]);
    expect([done.waiting, done.isDone]).toEqual([0, !inTime]);
  });

  it('keeps its timeout when the task is woken for something else', () => {
    const machine = testMachine();
    const done = new Completion(machine, 'done');
    let backNs = 0;
    const task = machine.spawn('a', function* () {
      yield* done.waitTimeout(1000);
      backNs = machine.nowNs;
    });
    const actor = machine.addActor(() => machine.wake(task));
    for (const atNs of [1, 400, 999]) machine.schedule(atNs, actor, 0);
    machine.run(Infinity);
    expect(backNs).toBe(1000);
  });

  it('is not initialised anew while somebody waits', () => {
    const machine = testMachine();
    const done = new Completion(machine, 'done');
    machine.spawn('a', () => done.wait());
    machine.run(Infinity);
    expect(() => done.reinit()).toThrow(InvariantViolation);
  });
});
