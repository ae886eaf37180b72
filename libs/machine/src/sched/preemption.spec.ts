// When a running task gives way, and when it must not; rates, probes.
import { describe, expect, it } from 'vitest';
import { InvariantViolation } from '../invariant.js';
import type { Machine } from '../machine.js';
import { at, burn, MS, testMachine } from '../testing/build.js';
import type { Preemption } from './scheduler-config.js';
import { DONE, PARK, Routine, SchedClass, type Task, type TaskBody, TaskState, YIELD } from './task.js';

/** When a FIFO task that is woken after 1 ms gets its 10 us beside `body`. */
function fifoDoneNs(
  preemption: Preemption,
  body: (machine: Machine, task: Task) => TaskBody,
  userMode = false,
): number {
  const machine = testMachine(1, { preemption });
  const log: [string, number][] = [];
  machine.spawn('body', (task) => body(machine, task), { userMode });
  const options = { on: machine.cpus[0]!, schedClass: SchedClass.Fifo, asleep: true };
  const fifo = machine.spawn('fifo', burn(machine, log, 'fifo', 10_000), options);
  at(machine, 1 * MS, () => machine.wake(fifo));
  machine.run(Infinity);
  return log[0]![1] / MS;
}

function* inKernel(): TaskBody {
  yield 5 * MS;
  yield 5 * MS;
  yield YIELD;
  yield 5 * MS;
}

describe('preemption models', () => {
  it.each([
    ['none', 10.01],
    ['voluntary', 5.01],
    ['full', 1.01],
  ] as const)('%s: code in the kernel gives way after %d ms', (preemption, ms) => {
    expect(fifoDoneNs(preemption, inKernel)).toBe(ms);
  });

  it.each(['none', 'voluntary', 'full'] as const)('%s: user code gives way at once', (preemption) => {
    expect(fifoDoneNs(preemption, inKernel, true)).toBe(1.01);
  });

  it.each(['none', 'voluntary', 'full'] as const)('%s: a return to user mode is a point to give way', (preemption) => {
    const done = fifoDoneNs(preemption, function* (machine, task) {
      machine.preemptDisable();
      yield 3 * MS;
      machine.preemptEnable();
      machine.scheduler.setUserMode(task, true);
      yield 20 * MS;
    });
    expect(done).toBe(3.01);
  });

  it.each(['none', 'voluntary', 'full'] as const)('%s: a slice ends where the task may be preempted', (preemption) => {
    const machine = testMachine(1, { preemption });
    const log: [string, number][] = [];
    const on = machine.cpus[0]!;
    machine.spawn('a', burn(machine, log, 'a', 20 * MS), { on });
    machine.spawn('b', burn(machine, log, 'b', 1 * MS), { on });
    machine.run(Infinity);
    expect(log[0]).toEqual(preemption === 'full' ? ['b', 2.5 * MS] : ['a', 20 * MS]);
  });
});

describe('sections', () => {
  it.each([
    ['preemption', 'preemptDisable', 'preemptEnable', [1.2, 3.21]],
    ['bottom halves', 'localBhDisable', 'localBhEnable', [3.2, 3.21]],
    ['interrupts', 'localIrqDisable', 'localIrqEnable', [3.2, 3.21]],
  ] as const)('with %s off hold back what they should, until they end', (_, disable, enable, expected) => {
    const machine = testMachine();
    const log: [string, number][] = [];
    const on = machine.cpus[0]!;
    machine.spawn('body', function* () {
      machine[disable]();
      machine[disable]();
      yield 2 * MS;
      machine[enable]();
      yield 1 * MS;
      machine[enable]();
      yield 4 * MS;
    });
    const softirq = machine.spawn('softirq', burn(machine, log, 'softirq', 0.2 * MS), {
      on,
      schedClass: SchedClass.Softirq,
      asleep: true,
    });
    const fifo = machine.spawn('fifo', burn(machine, log, 'fifo', 10_000), {
      on,
      schedClass: SchedClass.Fifo,
      asleep: true,
    });
    at(machine, 1 * MS, () => {
      machine.wake(softirq);
      machine.wake(fifo);
    });
    machine.run(Infinity);
    // With preemption off the softirq ran within the section, and prolonged it.
    const fifoMs = expected[0] < 2 ? 3.21 : expected[1];
    expect(log.map(([name, ns]) => [name, ns / MS])).toEqual([
      ['softirq', expected[0]],
      ['fifo', fifoMs],
    ]);
  });

  it.each([PARK, YIELD])('must not be left by %i: scheduling while atomic', (request) => {
    const machine = testMachine();
    machine.spawn('atomic', function* () {
      machine.localBhDisable();
      yield request;
    });
    expect(() => machine.run(Infinity)).toThrow('atomic');
  });

  it('must not end more often than they began, nor outlive their task', () => {
    for (const wrong of ['preemptEnable', 'localBhEnable', 'localIrqEnable', 'preemptDisable'] as const) {
      const machine = testMachine();
      machine.spawn('wrong', function* () {
        if (wrong === 'preemptEnable') machine.localIrqDisable();
        yield 1;
        machine[wrong]();
      });
      expect(() => machine.run(Infinity)).toThrow(InvariantViolation);
    }
  });
});

describe('softirq', () => {
  it('goes on as a fair task when it lowers itself, and the task under it gets its share again', () => {
    const machine = testMachine(1, { schedSliceNs: 1 * MS });
    const on = machine.cpus[0]!;
    const log: [string, number][] = [];
    machine.spawn('a', burn(machine, log, 'a', 4 * MS), { on });
    machine.spawn(
      'ksoftirqd',
      function* (task) {
        yield 2 * MS;
        machine.scheduler.setClass(task, SchedClass.Fair);
        yield 4 * MS;
        log.push(['ksoftirqd', machine.nowNs]);
        machine.scheduler.setClass(task, SchedClass.Softirq);
      },
      { on, schedClass: SchedClass.Softirq },
    );
    machine.run(Infinity);
    expect(on.busyNs).toBe(10 * MS);
    expect(Math.min(log[0]![1], log[1]![1])).toBeGreaterThan(8 * MS);
  });

  it('leaves the task on its CPU as far as others can see', () => {
    const machine = testMachine();
    const on = machine.cpus[0]!;
    const seen: unknown[] = [];
    const under = machine.spawn('under', burn(machine, [], 'under', 1 * MS), { on });
    under.watcher = { leftCpu: () => seen.push(machine.nowNs) };
    machine.spawn('softirq', burn(machine, [], 's', 0.5 * MS), { on, schedClass: SchedClass.Softirq });
    at(machine, 0.2 * MS, () => seen.push(under.onCpu, on.current === under));
    machine.run(Infinity);
    expect(seen).toEqual([true, false, 1.5 * MS]);
  });
});

describe('rates', () => {
  it('stretch the burst under way from when they change, and count as CPU time', () => {
    const machine = testMachine();
    const cpu = machine.cpus[0]!;
    const task = machine.spawn('a', function* () {
      yield 10 * MS;
    });
    // 4 ms at full speed, 4 ms of work at half, 2 ms of work at 4 / 5
    at(machine, 4 * MS, () => machine.scheduler.setRate(cpu, 0.5));
    at(machine, 12 * MS, () => machine.scheduler.setRate(cpu, 0.8));
    machine.run(Infinity);
    expect([task.cpuTimeNs, cpu.busyNs]).toEqual([14.5 * MS, 14.5 * MS]);
  });

  it('are exact to a nanosecond however often they change', () => {
    const machine = testMachine();
    const cpu = machine.cpus[0]!;
    machine.spawn('a', function* () {
      yield 30_000;
    });
    let work = 0;
    let doneNs = 0;
    for (let ns = 0; work < 30_000; ns += 7) {
      const rate = [1 / 3, 0.7, 1, 2 / 7][(ns / 7) % 4]!;
      at(machine, ns, () => machine.scheduler.setRate(cpu, rate));
      doneNs = ns + (30_000 - work) / rate;
      work += 7 * rate;
    }
    machine.run(Infinity);
    const endNs = cpu.busyNs;
    expect(Math.abs(endNs - doneNs)).toBeLessThanOrEqual(1);
  });

  it('follow a model that is told who runs', () => {
    // Two CPUs that share a pipeline: each runs at 60 % while both run.
    const machine = testMachine(2);
    const { scheduler } = machine;
    const busy = new Set<number>();
    const apply = () => {
      for (const cpu of machine.cpus) scheduler.setRate(cpu, busy.size === 2 ? 0.6 : 1);
    };
    scheduler.rates = {
      switchedIn: (cpu) => (busy.add(cpu.index), apply()),
      switchedOut: (cpu) => (busy.delete(cpu.index), apply()),
    };
    const log: [string, number][] = [];
    machine.spawn('a', burn(machine, log, 'a', 6 * MS), { on: machine.cpus[0]! });
    machine.spawn('b', burn(machine, log, 'b', 3 * MS), { on: machine.cpus[1]! });
    machine.run(Infinity);
    expect(log).toEqual([
      ['b', 5 * MS],
      ['a', 8 * MS],
    ]);
  });

  it.each([0, -1, NaN, Infinity])('are not %d', (rate) => {
    const machine = testMachine();
    expect(() => machine.scheduler.setRate(machine.cpus[0]!, rate)).toThrow(InvariantViolation);
  });
});

describe('a routine', () => {
  it('does what a generator does that yields the same', () => {
    class Twice extends Routine {
      private steps = 0;
      protected step(): number {
        const steps = [100, PARK, 50, YIELD, 25];
        return steps[this.steps++] ?? DONE;
      }
    }
    const machine = testMachine();
    const task = machine.spawn('twice', () => new Twice());
    at(machine, 400, () => machine.wake(task));
    machine.run(Infinity);
    expect([machine.nowNs, task.cpuTimeNs, task.state]).toEqual([475, 175, TaskState.Dead]);
  });
});

describe('a probe', () => {
  it('sees every wakeup, switch and migration', () => {
    const machine = testMachine(2, { contextSwitchNs: 10 });
    const seen: string[] = [];
    const name = (task: Task) => `${task.name}@${machine.nowNs}`;
    machine.scheduler.probe = {
      switchIn: (cpu, task) => seen.push(`in ${name(task)} on ${cpu.index}`),
      switchOut: (cpu, task, state) => seen.push(`out ${name(task)} on ${cpu.index} ${state}`),
      wake: (task, target) => seen.push(`wake ${name(task)} to ${target.index}`),
      migrate: (task, from, to) => seen.push(`migrate ${name(task)} ${from.index} ${to.index}`),
    };
    machine.spawn('a', burn(machine, [], 'a', 100), { on: machine.cpus[0]! });
    machine.spawn('b', burn(machine, [], 'b', 50));
    machine.run(Infinity);
    expect(seen).toEqual([
      'wake a@0 to 0',
      'in a@0 on 0',
      'wake b@0 to 1',
      'migrate b@0 0 1',
      'in b@0 on 1',
      `out b@60 on 1 ${TaskState.Dead}`,
      `out a@110 on 0 ${TaskState.Dead}`,
    ]);
  });
});
