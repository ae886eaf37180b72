// Where tasks run: affinity, FIFO, pulling and balance, on whole machines.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../machine.js';
import { at, burn, MS, testMachine } from '../testing/build.js';
import { CpuMask } from './cpu-mask.js';
import { CpuPhase } from './cpu.js';
import { SchedClass, type Task, type TaskBody, TaskState } from './task.js';

function* forever(): TaskBody {
  for (;;) yield 1e9;
}

function runFor(machine: Machine, ns: number): void {
  machine.run(machine.nowNs + ns);
  for (const cpu of machine.cpus) machine.scheduler.settle(cpu);
}

describe('a CPU mask', () => {
  it('finds the next member as a plain search does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2100 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        fc.nat(),
        (size, some, others, from) => {
          const members = new Set(some.map((n) => n % size));
          const among = new Set([...others.map((n) => n % size), ...[...members].slice(0, 2)]);
          const mask = new CpuMask(size, [...members, ...among]);
          for (const index of among) if (!members.has(index)) mask.remove(index);
          const start = from % (size + 1);
          const search = (allowed: (index: number) => boolean) => {
            for (let i = 0; i < size; i++) {
              const index = (start + i) % size;
              if (members.has(index) && allowed(index)) return index;
            }
            return -1;
          };
          expect(mask.count).toBe(members.size);
          expect(mask.nextFrom(start)).toBe(search(() => true));
          expect(mask.nextFrom(start, new CpuMask(size, among))).toBe(search((index) => among.has(index)));
          expect([...mask]).toEqual([...members].sort((a, b) => a - b));
        },
      ),
    );
  });
});

describe('affinity', () => {
  it('is obeyed by a waiting, a running and a sleeping task when it changes', () => {
    const machine = testMachine(4);
    const { scheduler } = machine;
    const hogs = machine.cpus.map((cpu) => machine.spawn('hog', forever, { on: cpu }));
    const tasks = ['a', 'b', 'c'].map((name) => machine.spawn(name, forever, { userMode: true }));
    const sleeper = machine.spawn(
      'sleeper',
      function* () {
        for (;;) {
          yield machine.sleep(3 * MS);
          yield 1 * MS;
        }
      },
      { near: machine.cpus[0]! },
    );
    runFor(machine, 20 * MS);
    for (const mask of [[2], [0, 3], [1], [1, 2]]) {
      const cpus = new CpuMask(4, mask);
      for (const task of [...tasks, sleeper]) scheduler.setAffinity(task, cpus);
      const before = tasks.map(({ cpuTimeNs }) => cpuTimeNs);
      runFor(machine, 200 * MS);
      for (const task of [...tasks, sleeper]) expect(mask).toContain(task.cpu.index);
      for (const [index, task] of tasks.entries()) expect(task.cpuTimeNs).toBeGreaterThan(before[index]!);
    }
    expect(hogs.map(({ cpu }) => cpu.index)).toEqual([0, 1, 2, 3]);
  });

  it('moves a task off its CPU at once where it may be preempted, else at its next chance', () => {
    for (const [preemption, ms] of [
      ['full', 1],
      ['none', 5],
    ] as const) {
      const machine = testMachine(2, { preemption });
      const task = machine.spawn('a', function* () {
        yield 5 * MS;
        yield 5 * MS;
      });
      let leftNs = 0;
      machine.scheduler.probe = {
        switchIn() {},
        switchOut() {},
        wake() {},
        migrate: () => (leftNs = machine.nowNs),
      };
      at(machine, 1 * MS, () => machine.scheduler.setAffinity(task, new CpuMask(2, [1])));
      machine.run(Infinity);
      expect([leftNs, task.cpu.index, task.cpuTimeNs]).toEqual([ms * MS, 1, 10 * MS]);
    }
  });

  it('must not be empty', () => {
    const machine = testMachine(2);
    const task = machine.spawn('a', forever);
    expect(() => machine.scheduler.setAffinity(task, new CpuMask(2))).toThrow('without CPUs');
  });
});

describe('FIFO', () => {
  it('runs above fair, by priority, in order of arrival within one, and a preempted task before its equals', () => {
    const machine = testMachine();
    const on = machine.cpus[0]!;
    const log: [string, number][] = [];
    const fifo = (name: string, rtPriority: number, ns: number, asleep = false): Task =>
      machine.spawn(name, burn(machine, log, name, ns), { on, schedClass: SchedClass.Fifo, rtPriority, asleep });
    machine.spawn('fair', burn(machine, log, 'fair', 1 * MS), { on, nice: -20 });
    fifo('low', 5, 10 * MS);
    fifo('low too', 5, 10 * MS);
    const high = fifo('high', 50, 1 * MS, true);
    at(machine, 3 * MS, () => machine.wake(high));
    machine.run(Infinity);
    expect(log.map(([name, ns]) => [name, ns / MS])).toEqual([
      ['high', 4],
      ['low', 11],
      ['low too', 21],
      ['fair', 22],
    ]);
  });

  it('goes to CPUs that run less important tasks', () => {
    const machine = testMachine(3);
    const log: [string, number][] = [];
    for (const cpu of machine.cpus) machine.spawn('fair', forever, { on: cpu });
    for (const rtPriority of [1, 2, 3, 4]) {
      const name = `rt ${rtPriority}`;
      machine.spawn(name, burn(machine, log, name, 5 * MS), { schedClass: SchedClass.Fifo, rtPriority });
    }
    machine.run(1e9);
    expect(
      log.map(([name, ns]) => [name, ns / MS]).sort((a, b) => +a[1]! - +b[1]! || (a[0]! < b[0]! ? -1 : 1)),
    ).toEqual([
      ['rt 2', 5],
      ['rt 3', 5],
      ['rt 4', 5],
      ['rt 1', 10],
    ]);
  });
});

describe('balance', () => {
  it('spreads equal tasks evenly, also three on two CPUs', () => {
    for (const [cpus, tasks] of [
      [2, 3],
      [4, 7],
      [8, 12],
    ] as const) {
      const machine = testMachine(cpus);
      const all = Array.from({ length: tasks }, (_, i) => machine.spawn(`${i}`, forever, { userMode: true }));
      runFor(machine, 20e9);
      for (const { cpuTimeNs } of all) expect(cpuTimeNs / 20e9 / (cpus / tasks)).toBeCloseTo(1, 1);
    }
  });

  it('gives light tasks the room between heavy ones', () => {
    const machine = testMachine(4);
    const light = Array.from({ length: 8 }, (_, i) =>
      machine.spawn(`light ${i}`, forever, { userMode: true, nice: 19 }),
    );
    const heavy = Array.from({ length: 3 }, (_, i) => machine.spawn(`heavy ${i}`, forever, { userMode: true }));
    runFor(machine, 20e9);
    for (const { cpuTimeNs } of heavy) expect(cpuTimeNs).toBeGreaterThan(0.97 * 20e9);
    const had = light.reduce((sum, { cpuTimeNs }) => sum + cpuTimeNs, 0);
    expect(had).toBeGreaterThan(0.99 * 20e9);
  });

  it('has no events on a machine that is idle, or busy and balanced', () => {
    const machine = testMachine(4, { schedSliceNs: 1e15 });
    const spins = Array.from({ length: 8 }, () =>
      machine.spawn('spins', function* () {
        yield 3600e9;
      }),
    );
    machine.run(1e9);
    const before = machine.events.executed;
    machine.run(3000e9);
    expect(machine.events.executed - before).toBe(0);
    expect(spins.filter(({ state }) => state === TaskState.Running).length).toBe(4);
  });

  it('moves a task that has asked for a busy CPU', () => {
    const machine = testMachine(2);
    const log: [string, number][] = [];
    machine.spawn('bound', burn(machine, log, 'bound', 50 * MS), { on: machine.cpus[1]! });
    machine.spawn('a', function* (task) {
      task.cpu = machine.cpus[1]!;
      yield -3;
      yield 10 * MS;
      log.push(['a', machine.nowNs]);
    });
    machine.run(Infinity);
    expect(log[0]![0]).toBe('a');
    expect(log[0]![1]).toBeLessThanOrEqual(14 * MS);
  });
});

describe('work conservation', () => {
  const CPUS = 4;
  const program = fc.array(
    fc.record({
      nice: fc.integer({ min: -20, max: 19 }),
      fifo: fc.boolean(),
      userMode: fc.boolean(),
      mask: fc.option(fc.uniqueArray(fc.nat({ max: CPUS - 1 }), { minLength: 1, maxLength: 3 }), { nil: undefined }),
      bursts: fc.array(fc.tuple(fc.integer({ min: 1, max: 9 * MS }), fc.integer({ min: 0, max: 9 * MS })), {
        minLength: 1,
        maxLength: 8,
      }),
      changes: fc.array(fc.tuple(fc.integer({ min: 1, max: 40 * MS }), fc.integer({ min: -20, max: 19 })), {
        maxLength: 2,
      }),
    }),
    { minLength: 1, maxLength: 10 },
  );
  const config = fc.record({
    fairClass: fc.constantFrom('eevdf' as const, 'cfs' as const),
    preemption: fc.constantFrom('none' as const, 'voluntary' as const, 'full' as const),
    contextSwitchNs: fc.constantFrom(0, 5_000),
    wakeupNs: fc.constantFrom(0, 2_000),
    schedSliceNs: fc.constantFrom(100_000, 3 * MS),
  });

  it('no CPU is idle while a task waits that may run there; no task is where it may not be; no time is lost', () => {
    fc.assert(
      fc.property(program, config, (tasks, overrides) => {
        const machine = testMachine(CPUS, overrides);
        const spawned = tasks.map(({ nice, fifo, userMode, mask, bursts, changes }, index) => {
          const task = machine.spawn(
            `${index}`,
            function* (): TaskBody {
              for (const [runNs, sleepNs] of bursts) {
                yield runNs;
                yield machine.sleep(sleepNs);
              }
            },
            {
              nice,
              userMode,
              schedClass: fifo ? SchedClass.Fifo : SchedClass.Fair,
              near: machine.cpus[index % CPUS]!,
              ...(mask === undefined ? {} : { affinity: new CpuMask(CPUS, mask) }),
            },
          );
          for (const [ns, to] of changes) at(machine, ns, () => machine.scheduler.renice(task, to));
          return task;
        });
        const wrong: string[] = [];
        machine.observe(77_777, () => {
          const idle = machine.cpus.filter(({ phase }) => phase === CpuPhase.Idle);
          for (const task of spawned) {
            const { affinity, state, cpu } = task;
            const active = state === TaskState.Ready || state === TaskState.Running;
            if (active && affinity !== undefined && !affinity.has(cpu.index)) wrong.push(`${task.name} misplaced`);
            if (state === TaskState.Ready && idle.some((one) => task.allowedOn(one))) wrong.push(`${task.name} waits`);
          }
        });
        machine.run(Infinity);
        expect(wrong).toEqual([]);
        expect(spawned.map(({ state }) => state)).toEqual(tasks.map(() => TaskState.Dead));
        const asked = tasks.map(({ bursts }) => bursts.reduce((sum, [runNs]) => sum + runNs, 0));
        expect(spawned.map(({ cpuTimeNs }) => cpuTimeNs)).toEqual(asked);
        const busyNs = machine.cpus.reduce((sum, cpu) => sum + cpu.busyNs, 0);
        const switchNs = machine.cpus.reduce((sum, cpu) => sum + cpu.switchNs, 0);
        expect(busyNs).toBe(asked.reduce((sum, ns) => sum + ns, 0) + switchNs);
        for (const cpu of machine.cpus) {
          expect([cpu.fairQueue.length, cpu.fairQueue.load, cpu.fifoQueue.length, cpu.movableWaiting]).toEqual([
            0, 0, 0, 0,
          ]);
        }
      }),
      { numRuns: 200 },
    );
  });
});
