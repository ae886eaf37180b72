// Optimistic spinning of the mutex: who burns CPU time, until when, and who gets the mutex then.
import { describe, expect, it } from 'vitest';
import type { Machine } from '../machine.js';
import { SchedClass, type Task, type TaskBody } from '../sched/task.js';
import { testMachine } from '../testing/build.js';
import { lineOf } from '../testing/lock-program.js';
import { Mutex, type MutexOptions } from './mutex.js';

interface Section {
  readonly cpu: number;
  readonly atNs: number;
  readonly holdNs: number;
  readonly asleepNs?: number;
  readonly thenNs?: number;
  readonly rounds?: number;
  readonly thinkNs?: number;
}

function run(sections: readonly Section[], options: MutexOptions = {}, also: (machine: Machine) => void = () => {}) {
  const machine = testMachine(4, { contextSwitchNs: 1_000 });
  const mutex = new Mutex(machine, 'm', options);
  const log: [number, number][] = [];
  const tasks: Task[] = sections.map(
    ({ cpu, atNs, holdNs, asleepNs = 0, thenNs = 0, rounds = 1, thinkNs = 0 }, index) => {
      const body = function* (): TaskBody {
        // One context switch to sleep, one to come back.
        yield machine.sleep(atNs - 2_000);
        for (let round = 0; round < rounds; round++) {
          for (let wait; (wait = mutex.acquire()) !== 0;) yield wait;
          log.push([index, machine.nowNs]);
          yield holdNs;
          if (asleepNs > 0) yield machine.sleep(asleepNs);
          yield thenNs;
          mutex.unlock();
          yield thinkNs;
        }
      };
      return machine.spawn(`t${index}`, body, { on: machine.cpus[cpu]! });
    },
  );
  also(machine);
  machine.run(1e9);
  expect(machine.scheduler.liveTasks).toBe(0);
  return { log, cpuNs: tasks.map(({ cpuTimeNs }) => cpuTimeNs), mutex };
}

describe('a task that finds a mutex taken', () => {
  it('spins while the owner runs, and has the mutex at the release without a context switch', () => {
    const { log, cpuNs } = run([
      { cpu: 0, atNs: 3_000, holdNs: 49_000 },
      { cpu: 1, atNs: 10_000, holdNs: 100 },
    ]);
    expect(log).toEqual([
      [0, 3_000],
      [1, 52_000],
    ]);
    expect(cpuNs).toEqual([49_000, 42_000 + 100]);
  });

  it('stops spinning when the owner blocks, and sleeps until the release', () => {
    const { log, cpuNs } = run([
      { cpu: 0, atNs: 3_000, holdNs: 49_000, asleepNs: 30_000 },
      { cpu: 1, atNs: 10_000, holdNs: 100 },
    ]);
    // The owner needs a context switch to come back and release, the waiter one to take it.
    expect(log[1]).toEqual([1, 52_000 + 30_000 + 1_000 + 1_000]);
    expect(cpuNs[1]).toBe(42_000 + 100);
  });

  it('sleeps at once when the owner sleeps, and when there is no spinning', () => {
    const asleep = run([
      { cpu: 0, atNs: 3_000, holdNs: 1_000, asleepNs: 30_000 },
      { cpu: 1, atNs: 10_000, holdNs: 100 },
    ]);
    const without = run(
      [
        { cpu: 0, atNs: 3_000, holdNs: 49_000 },
        { cpu: 1, atNs: 10_000, holdNs: 100 },
      ],
      { spinOnOwner: false },
    );
    expect([asleep.cpuNs[1], without.cpuNs[1]]).toEqual([100, 100]);
    expect(without.log[1]).toEqual([1, 52_000 + 1_000]);
  });

  it('stops spinning when the owner is preempted', () => {
    const { cpuNs } = run(
      [
        { cpu: 0, atNs: 3_000, holdNs: 49_000 },
        { cpu: 1, atNs: 10_000, holdNs: 100 },
      ],
      {},
      (machine) =>
        machine.spawn(
          'urgent',
          function* () {
            yield machine.sleep(20_000);
            yield 100_000;
          },
          { on: machine.cpus[0]!, schedClass: SchedClass.Fifo },
        ),
    );
    expect(cpuNs[1]).toBeLessThan(20_000);
  });

  it('goes on spinning while a softirq is on top of the owner', () => {
    const { log, cpuNs } = run(
      [
        { cpu: 0, atNs: 3_000, holdNs: 49_000 },
        { cpu: 1, atNs: 10_000, holdNs: 100 },
      ],
      {},
      (machine) =>
        machine.spawn(
          'softirq',
          function* () {
            yield machine.sleep(20_000);
            yield 7_000;
          },
          { on: machine.cpus[0]!, schedClass: SchedClass.Softirq },
        ),
    );
    expect(log[1]).toEqual([1, 59_000]);
    expect(cpuNs[1]).toBe(49_000 + 100);
  });

  it('stops spinning when it loses its own CPU, and sleeps when it is back', () => {
    const { log, cpuNs } = run(
      [
        { cpu: 0, atNs: 3_000, holdNs: 49_000 },
        { cpu: 1, atNs: 10_000, holdNs: 100 },
      ],
      {},
      (machine) =>
        machine.spawn(
          'urgent',
          function* () {
            yield machine.sleep(20_000);
            yield 5_000;
          },
          { on: machine.cpus[1]!, schedClass: SchedClass.Fifo },
        ),
    );
    expect(log[1]).toEqual([1, 52_000 + 1_000]);
    expect(cpuNs[1]).toBe(12_000 + 100);
  });

  it.each(['none', 'voluntary', 'full'] as const)(
    'gives its CPU to an equal after a slice: preemption %s',
    (preemption) => {
      const machine = testMachine(2, { contextSwitchNs: 1_000, schedSliceNs: 1_000_000, preemption });
      const mutex = new Mutex(machine, 'm');
      let ranAtNs = -1;
      const holder = function* (holdNs: number): TaskBody {
        yield* mutex.lock();
        yield holdNs;
        mutex.unlock();
      };
      machine.spawn('owner', () => holder(50_000_000), { on: machine.cpus[0]! });
      machine.spawn('spinner', () => holder(1_000), { on: machine.cpus[1]! });
      const other = function* (): TaskBody {
        ranAtNs = machine.nowNs;
        yield 1_000;
      };
      machine.spawn('other', other, { on: machine.cpus[1]! });
      machine.run(1e9);
      expect(ranAtNs).toBeGreaterThan(0);
      expect(ranAtNs).toBeLessThan(3_000_000);
    },
  );

  it('takes its turn among the spinners', () => {
    const { log } = run([
      { cpu: 0, atNs: 3_000, holdNs: 49_000 },
      { cpu: 3, atNs: 10_000, holdNs: 1_000 },
      { cpu: 1, atNs: 11_000, holdNs: 1_000 },
      { cpu: 2, atNs: 12_000, holdNs: 1_000 },
    ]);
    expect(log).toEqual([
      [0, 3_000],
      [1, 52_000],
      [2, 53_000],
      [3, 54_000],
    ]);
  });

  it('may be overtaken by a newcomer while the line is on its way', () => {
    // Task 1 spins; task 0 releases at 1,080 and wants the mutex again at once: its line is near.
    const machine = testMachine(2);
    const mutex = new Mutex(machine, 'm', { line: lineOf(machine) });
    const log: [string, number][] = [];
    const body = (name: string, atNs: number, rounds: number) =>
      function* (): TaskBody {
        yield machine.sleep(atNs);
        for (let round = 0; round < rounds; round++) {
          for (let wait; (wait = mutex.acquire()) !== 0;) yield wait;
          log.push([name, machine.nowNs]);
          yield 1_000;
          mutex.unlock();
        }
      };
    machine.spawn('owner', body('owner', 0, 2), { on: machine.cpus[0]! });
    machine.spawn('spinner', body('spinner', 500, 1), { on: machine.cpus[1]! });
    machine.run(Infinity);
    expect(log).toEqual([
      ['owner', 80],
      ['owner', 1_170],
      ['spinner', 2_260],
    ]);
  });

  it('leaves a free mutex to the next spinner when it has seen the release and loses its CPU', () => {
    const machine = testMachine(3);
    const line = { read: () => 0, write: (cpu: number) => (machine.nowNs === 2_000 && cpu === 1 ? 500 : 0) };
    const mutex = new Mutex(machine, 'm', { line });
    const log: [number, number][] = [];
    for (const cpu of machine.cpus) {
      const body = function* (): TaskBody {
        yield machine.sleep(cpu.index);
        yield* mutex.lock();
        log.push([cpu.index, machine.nowNs]);
        yield 2_000;
        mutex.unlock();
      };
      machine.spawn('t', body, { on: cpu });
    }
    const urgent = function* (): TaskBody {
      yield machine.sleep(2_100);
      yield 50_000;
    };
    machine.spawn('urgent', urgent, { on: machine.cpus[1]!, schedClass: SchedClass.Fifo });
    machine.run(Infinity);
    expect(log.slice(0, 2)).toEqual([
      [0, 0],
      [2, 2_100],
    ]);
  });

  it('stops spinning when the mutex is handed to a task that sleeps', () => {
    // Task 1 is woken in vain at 14,000 and sleeps again as the thief, task 2, does; task 3 then spins on task 2.
    const { log, cpuNs } = run([
      { cpu: 0, atNs: 3_000, holdNs: 1_000, asleepNs: 9_000 },
      { cpu: 1, atNs: 5_000, holdNs: 5_000 },
      { cpu: 2, atNs: 14_100, holdNs: 100, asleepNs: 9_000, thenNs: 10_000 },
      { cpu: 3, atNs: 30_000, holdNs: 100 },
    ]);
    const releasedNs = 14_200 + 9_000 + 1_000 + 10_000;
    expect(log.slice(2)).toEqual([
      [1, releasedNs + 1_000],
      [3, releasedNs + 1_000 + 5_000 + 1_000],
    ]);
    expect(cpuNs[3]).toBe(releasedNs - 30_000 + 100);
  });

  it('is handed the mutex by the release after it was woken in vain, however many spin', () => {
    // Task 0 sleeps inside, so that task 1 sleeps too; tasks 2 and 3 then pass the mutex to each other by spinning.
    const { log, mutex } = run([
      { cpu: 0, atNs: 3_000, holdNs: 1_000, asleepNs: 9_000 },
      { cpu: 1, atNs: 5_000, holdNs: 100 },
      { cpu: 2, atNs: 14_100, holdNs: 10_000, rounds: 20, thinkNs: 500 },
      { cpu: 3, atNs: 15_000, holdNs: 10_000, rounds: 20, thinkNs: 500 },
    ]);
    const served = log.findIndex(([index]) => index === 1);
    // Task 0 releases at 14,000, task 2 takes it before task 1 has been switched in; the woken task 1 sets HANDOFF and gets it from task 2.
    expect(log.slice(0, 3).map(([index]) => index)).toEqual([0, 2, 1]);
    expect(served).toBe(2);
    expect([mutex.handoffs, mutex.steals]).toEqual([1, 1]);
  });

  it('spins as first waiter after a wakeup in vain, while the thief runs', () => {
    const { log, cpuNs } = run([
      { cpu: 0, atNs: 3_000, holdNs: 1_000, asleepNs: 9_000 },
      { cpu: 1, atNs: 5_000, holdNs: 100 },
      { cpu: 2, atNs: 14_100, holdNs: 20_000 },
    ]);
    // Woken at 14,000, it acts at 15,000 and spins until 34,100: no context switch more.
    expect(log[2]).toEqual([1, 34_100]);
    expect(cpuNs[1]).toBe(19_100 + 100);
  });

  it('with a chance of 0 to steal is never overtaken by anybody who came later', () => {
    const { log } = run(
      [
        { cpu: 0, atNs: 3_000, holdNs: 1_000, asleepNs: 9_000 },
        { cpu: 1, atNs: 5_000, holdNs: 10_000 },
        { cpu: 2, atNs: 14_100, holdNs: 20_000 },
        { cpu: 3, atNs: 14_500, holdNs: 20_000 },
      ],
      { stealProbability: 0 },
    );
    expect(log.map(([index]) => index)).toEqual([0, 1, 2, 3]);
  });
});
