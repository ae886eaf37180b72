import { describe, expect, it } from 'vitest';
import { CacheLines } from '../hardware/cache-line.js';
import { Topology } from '../hardware/topology.js';
import type { Machine } from '../machine.js';
import { SchedClass, type TaskBody } from '../sched/task.js';
import { testMachine } from '../testing/build.js';
import { lineOf } from '../testing/lock-program.js';
import type { LockOptions } from './lock.js';
import { UserMutex } from './user-mutex.js';

const COSTS = { spinLimitNs: 3_000, futexWaitNs: 300, futexWakeNs: 600, wakeLatencyNs: 4_000 };

function setup(cpus: number, costs = COSTS, options: (machine: Machine) => LockOptions = () => ({})) {
  const machine = testMachine(cpus, { schedSliceNs: 100_000 });
  const mutex = new UserMutex(machine, 'ct_lock', costs, options(machine));
  const log: [string, number][] = [];
  /** A thread on CPU `cpu` that takes the mutex at `atNs`, and again after each hold. */
  const thread = (cpu: number, atNs: number, holdNs: number, rounds = 1, thinkNs = 0) => {
    const name = `t${cpu}`;
    const body = function* (): TaskBody {
      yield machine.sleep(atNs);
      for (let round = 0; round < rounds; round++) {
        for (let wait; (wait = mutex.acquire()) !== 0;) yield wait;
        log.push([name, machine.nowNs]);
        yield holdNs;
        yield mutex.unlock();
        yield thinkNs;
      }
    };
    return machine.spawn(name, body, { on: machine.cpus[cpu]!, userMode: true });
  };
  return { machine, mutex, log, thread };
}

describe('UserMutex', () => {
  it('costs no event when nobody contends', () => {
    const { machine, mutex } = setup(1);
    machine.spawn('a', function* () {
      for (let i = 0; i < 100; i++) {
        yield* mutex.lock();
        yield mutex.unlock();
      }
    });
    machine.run(Infinity);
    expect(machine.events.executed).toBe(1);
  });

  it('goes to a spinner at the release, without system calls', () => {
    const { machine, mutex, log, thread } = setup(2);
    const [owner, spinner] = [thread(0, 0, 2_000), thread(1, 500, 100)];
    machine.run(Infinity);
    expect(log).toEqual([
      ['t0', 0],
      ['t1', 2_000],
    ]);
    expect([owner.cpuTimeNs, spinner.cpuTimeNs]).toEqual([2_000, 1_500 + 100]);
    expect([mutex.sleeps, mutex.futexWakes]).toEqual([0, 0]);
  });

  it('makes a thread spin up to its limit, then sleep; who releases pays for the wakeup', () => {
    const { machine, mutex, log, thread } = setup(2);
    const [owner, sleeper] = [thread(0, 0, 10_000), thread(1, 500, 100)];
    machine.run(Infinity);
    expect(log).toEqual([
      ['t0', 0],
      ['t1', 10_000 + COSTS.wakeLatencyNs],
    ]);
    expect(owner.cpuTimeNs).toBe(10_000 + COSTS.futexWakeNs);
    // It took the mutex as one for which others may sleep: its release wakes in vain.
    expect(sleeper.cpuTimeNs).toBe(COSTS.spinLimitNs + COSTS.futexWaitNs + 100 + COSTS.futexWakeNs);
    expect([mutex.sleeps, mutex.futexWakes]).toEqual([1, 2]);
  });

  it('does not let a thread sleep when the mutex was released while it entered the kernel', () => {
    const { machine, mutex, log, thread } = setup(2, { ...COSTS, spinLimitNs: 0 });
    thread(0, 0, 1_000);
    thread(1, 800, 100);
    machine.run(Infinity);
    expect(log[1]).toEqual(['t1', 800 + COSTS.futexWaitNs]);
    expect(mutex.sleeps).toBe(0);
  });

  it('may be taken by a newcomer before the woken sleeper is there, which then sleeps again', () => {
    const { machine, mutex, log, thread } = setup(3);
    thread(0, 0, 10_000);
    thread(1, 500, 100);
    thread(2, 11_000, 9_000);
    machine.run(Infinity);
    // The sleeper comes at 14,000, finds it taken, and goes back to sleep until the release at 20,000.
    expect(log.map(([name]) => name)).toEqual(['t0', 't2', 't1']);
    expect(log[2]![1]).toBe(20_000 + COSTS.wakeLatencyNs);
    expect(mutex.sleeps).toBe(2);
  });

  it('costs its line, which the owner of the moment has, at every attempt', () => {
    const { machine, log, thread } = setup(2, COSTS, (m) => ({ line: lineOf(m) }));
    thread(0, 0, 1_000);
    thread(1, 500, 100);
    machine.run(Infinity);
    // 80 ns from memory. The spinner had the line since its first attempt: it goes back for the release, and over again.
    expect(log).toEqual([
      ['t0', 80],
      ['t1', 1_080 + 60],
    ]);
  });

  it('counts CPU time against the limit: a spinner that loses its CPU spins on for the rest', () => {
    const { machine, mutex, thread } = setup(2);
    thread(0, 0, 20_000);
    const spinner = thread(1, 500, 0);
    machine.spawn(
      'urgent',
      function* () {
        yield machine.sleep(1_500);
        yield 5_000;
      },
      { on: machine.cpus[1]!, schedClass: SchedClass.Fifo },
    );
    let sleptNs = 0;
    machine.observe(100, (timeNs) => {
      if (sleptNs === 0 && mutex.waiting > 0) sleptNs = timeNs;
    });
    machine.run(Infinity);
    expect(sleptNs).toBe(500 + COSTS.spinLimitNs + 5_000 + COSTS.futexWaitNs);
    expect(spinner.cpuTimeNs).toBe(COSTS.spinLimitNs + COSTS.futexWaitNs + COSTS.futexWakeNs);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'goes to the other spinner when the one that saw the release loses its CPU, seed %i',
    (seed) => {
      const machine = testMachine(3, { seed });
      // The line takes 500 ns to whoever sees the release at 2,000.
      const line = { read: () => 0, write: (cpu: number) => (machine.nowNs === 2_000 && cpu > 0 ? 500 : 0) };
      const mutex = new UserMutex(machine, 'm', { ...COSTS, spinLimitNs: 1e6 }, { line });
      const gotNs: number[] = [];
      for (const cpu of machine.cpus) {
        const body = function* (): TaskBody {
          yield machine.sleep(cpu.index);
          yield* mutex.lock();
          gotNs.push(machine.nowNs);
          yield 2_000;
          yield mutex.unlock();
        };
        machine.spawn('t', body, { on: cpu });
      }
      const urgent = function* (): TaskBody {
        yield machine.sleep(2_100);
        yield 50_000;
      };
      machine.spawn('urgent', urgent, { on: machine.cpus[1]!, schedClass: SchedClass.Fifo });
      machine.run(Infinity);
      expect(gotNs[1]).toBeLessThanOrEqual(2_500);
    },
  );

  it('is taken by one of several spinners that take its line from each other all the time', () => {
    const machine = testMachine(8);
    const lines = new CacheLines(machine, new Topology(8), { nearNs: 50, farNs: 50, memoryNs: 50 });
    const mutex = new UserMutex(machine, 'm', { ...COSTS, spinLimitNs: 1e6 }, { line: lines.line() });
    let got = 0;
    for (const cpu of machine.cpus) {
      const body = function* (): TaskBody {
        yield* mutex.lock();
        got++;
        yield 50;
        yield mutex.unlock();
      };
      machine.spawn('t', body, { on: cpu });
    }
    machine.run(1e6);
    expect(got).toBe(8);
  });

  it('goes to any of several spinners, by the seed', () => {
    const winners = (seed: number) => {
      const machine = testMachine(9, { seed });
      const mutex = new UserMutex(machine, 'm', { ...COSTS, spinLimitNs: 1e6 });
      const order: number[] = [];
      for (const cpu of machine.cpus) {
        machine.spawn(
          't',
          function* () {
            yield machine.sleep(cpu.index);
            yield* mutex.lock();
            order.push(cpu.index);
            yield 1_000;
            yield mutex.unlock();
          },
          { on: cpu },
        );
      }
      machine.run(Infinity);
      return order;
    };
    expect(winners(1)).toEqual(winners(1));
    expect([...winners(1)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(winners(1)).not.toEqual(winners(2));
  });
});
