import { describe, expect, it } from 'vitest';
import { testMachine } from '../testing/build.js';
import type { Task } from './task.js';

describe('TaskTable', () => {
  it('has as many slots after a million short tasks as there were tasks at once', () => {
    const machine = testMachine();
    let ended = 0;
    function* short() {
      yield 1;
      ended++;
    }
    const start = machine.addActor((left) => {
      machine.spawn('short', short);
      if (left > 1) machine.schedule(5, start, left - 1);
    });
    for (let i = 0; i < 4; i++) machine.schedule(1 + i, start, 250_000);
    machine.run(Infinity);
    expect(ended).toBe(1_000_000);
    expect(machine.scheduler.tasks.size).toBeLessThanOrEqual(4);
  });

  it('lets no sleep timer of a task that has ended wake the task that has its slot', () => {
    const machine = testMachine();
    const first: Task = machine.spawn('first', function* () {
      // Woken early: the timer for 100 stays under way, out of date.
      yield machine.sleep(100);
    });
    machine.schedule(
      10,
      machine.addActor(() => machine.wake(first)),
      0,
    );
    machine.run(20);
    let wokenAtNs = 0;
    const second = machine.spawn('second', function* () {
      yield machine.sleep(1000);
      wokenAtNs = machine.nowNs;
    });
    expect(second.target).toBe(first.target);
    machine.run(Infinity);
    expect(wokenAtNs).toBe(1020);
  });
});
