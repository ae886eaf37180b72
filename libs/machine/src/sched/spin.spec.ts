// SPIN: a task that keeps its CPU busy until somebody ends that, and the work that follows.
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../invariant.js';
import { at, burn, MS, testMachine } from '../testing/build.js';
import { SchedClass, SPIN, type TaskBody } from './task.js';
describe('SPIN', () => {
  it('goes over into the work that is to follow, which slice and preemption treat as any other', () => {
    const machine = testMachine(1);
    const log: [string, number][] = [];
    const spins = machine.spawn('spins', function* () {
      yield SPIN;
      log.push(['spins', machine.nowNs]);
    });
    const fifo = machine.spawn('fifo', burn(machine, log, 'fifo', 1 * MS), {
      on: machine.cpus[0]!,
      schedClass: SchedClass.Fifo,
      asleep: true,
    });
    at(machine, 5 * MS, () => machine.scheduler.endSpinIn(spins, 2 * MS));
    at(machine, 6 * MS, () => machine.wake(fifo));
    machine.run(Infinity);
    expect(log).toEqual([
      ['fifo', 7 * MS],
      ['spins', 8 * MS],
    ]);
    expect(spins.cpuTimeNs).toBe(7 * MS);
  });

  it('ends with work to follow only on a CPU', () => {
    const machine = testMachine(1);
    const body = function* (): TaskBody {
      yield SPIN;
    };
    const [first, second] = [machine.spawn('first', body), machine.spawn('second', body)];
    machine.run(1);
    expect([first, second].map((task) => machine.scheduler.burns(task))).toEqual([true, false]);
    expect(() => machine.scheduler.endSpinIn(second, 1)).toThrow(InvariantViolation);
  });

  it('burns the CPU until it is ended, and costs one event then', () => {
    const machine = testMachine();
    const task = machine.spawn('spins', function* () {
      yield SPIN;
      yield 10;
    });
    at(machine, 5 * MS, () => machine.scheduler.endSpin(task));
    machine.run(Infinity);
    expect([machine.nowNs, task.cpuTimeNs, machine.events.executed]).toEqual([5 * MS + 10, 5 * MS + 10, 4]);
  });

  it('does not begin when its end came first, once', () => {
    const machine = testMachine();
    const task = machine.spawn('spins', function* () {
      yield 100;
      yield SPIN;
      expect(machine.nowNs).toBe(100);
      yield SPIN;
    });
    at(machine, 50, () => machine.scheduler.endSpin(task));
    at(machine, 700, () => machine.scheduler.endSpin(task));
    machine.run(Infinity);
    expect(task.cpuTimeNs).toBe(700);
  });

  it.each([
    ['goes on when it gets the CPU back', 7 * MS, 7 * MS],
    ['is over when it ended meanwhile', 2 * MS, 3 * MS],
  ])('that is preempted %s', (_, endNs, doneNs) => {
    const machine = testMachine();
    const on = machine.cpus[0]!;
    const log: [string, number][] = [];
    const spins = machine.spawn(
      'spins',
      function* () {
        yield SPIN;
        log.push(['spins', machine.nowNs]);
      },
      { on },
    );
    const fifo = machine.spawn('fifo', burn(machine, log, 'fifo', 2 * MS), {
      on,
      schedClass: SchedClass.Fifo,
      asleep: true,
    });
    at(machine, 1 * MS, () => machine.wake(fifo));
    at(machine, endNs, () => machine.scheduler.endSpin(spins));
    machine.run(Infinity);
    expect(log).toEqual([
      ['fifo', 3 * MS],
      ['spins', doneNs],
    ]);
    expect(spins.cpuTimeNs).toBe(doneNs - 2 * MS);
  });

  it('shares its CPU by slices', () => {
    const machine = testMachine();
    const on = machine.cpus[0]!;
    const log: [string, number][] = [];
    const spins = machine.spawn('spins', function* () {
      yield SPIN;
    });
    machine.spawn('b', burn(machine, log, 'b', 6 * MS), { on });
    at(machine, 100 * MS, () => machine.scheduler.endSpin(spins));
    machine.run(Infinity);
    expect(log[0]![1]).toBeLessThanOrEqual(15 * MS);
    expect(spins.cpuTimeNs).toBe(94 * MS);
  });
});
