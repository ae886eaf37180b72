// Both fair classes on whole machines: who gets how much of a CPU, and when.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Machine, SpawnOptions } from '../machine.js';
import { MS, testMachine } from '../testing/build.js';
import { EevdfQueue } from './eevdf-queue.js';
import { sliceNsOf } from './scheduler-config.js';
import { PARK, SchedClass, Task, type TaskBody } from './task.js';
import { NICE_MAX, NICE_MIN, weightOf } from './weights.js';

function* forever(): TaskBody {
  for (;;) yield 1e9;
}

function hog(machine: Machine, nice: number, options: SpawnOptions = {}): Task {
  return machine.spawn(`nice ${nice}`, forever, { on: machine.cpus[0]!, nice, userMode: true, ...options });
}

function runFor(machine: Machine, ns: number): void {
  machine.run(machine.nowNs + ns);
  for (const cpu of machine.cpus) machine.scheduler.settle(cpu);
}

const classes = [{ fairClass: 'eevdf' }, { fairClass: 'cfs' }] as const;

describe.each(classes)('fair tasks on one CPU under $fairClass', ({ fairClass }) => {
  it.each([
    [0, 19, 1024 / 15],
    [-20, 10, 88761 / 110],
    [0, 1, 1024 / 820],
    [-5, 5, 3121 / 335],
    [10, 15, 110 / 36],
  ])('nice %i beside nice %i has its share by weight within 2 %%', (nice, other, ratio) => {
    const machine = testMachine(1, { fairClass, schedSliceNs: 1 * MS });
    const [a, b] = [hog(machine, nice), hog(machine, other)];
    runFor(machine, 70e9);
    expect(a.cpuTimeNs + b.cpuTimeNs).toBe(70e9);
    expect(a.cpuTimeNs / b.cpuTimeNs / ratio).toBeGreaterThan(0.98);
    expect(a.cpuTimeNs / b.cpuTimeNs / ratio).toBeLessThan(1.02);
  });

  it('are served by weight however many they are', () => {
    const machine = testMachine(1, { fairClass, schedSliceNs: 1 * MS });
    const nices = [-10, -3, 0, 0, 4, 7, 12, 19];
    const tasks = nices.map((nice) => hog(machine, nice));
    runFor(machine, 50e9);
    const all = nices.reduce((sum, nice) => sum + weightOf(nice), 0);
    for (const task of tasks) expect(task.cpuTimeNs / 50e9 / (task.weight / all)).toBeCloseTo(1, 1);
  });

  it('share anew when one is reniced, running or waiting', () => {
    const machine = testMachine(1, { fairClass });
    const [a, b] = [hog(machine, 0), hog(machine, 0)];
    runFor(machine, 100.3 * MS);
    for (const [task, nice, ratio] of [
      [a, 10, 110 / 1024],
      [b, 10, 1],
      [b, -5, 110 / 3121],
      [a, 0, 1024 / 3121],
    ] as const) {
      machine.scheduler.renice(task, nice);
      const before = [a.cpuTimeNs, b.cpuTimeNs] as const;
      runFor(machine, 20e9);
      expect((a.cpuTimeNs - before[0]) / (b.cpuTimeNs - before[1]) / ratio).toBeCloseTo(1, 1);
    }
  });

  it('starve nobody: a random crowd that sleeps and runs is served within a bound', () => {
    const member = fc.record({
      nice: fc.integer({ min: -10, max: 10 }),
      runNs: fc.integer({ min: MS / 2, max: 20 * MS }),
      sleepNs: fc.integer({ min: 0, max: 20 * MS }),
    });
    fc.assert(
      fc.property(fc.array(member, { minLength: 2, maxLength: 6 }), (crowd) => {
        const machine = testMachine(1, { fairClass, schedSliceNs: 1 * MS });
        const cpu = machine.cpus[0]!;
        const worst = crowd.map(() => 0);
        const tasks = crowd.map(({ nice, runNs, sleepNs }, index) =>
          machine.spawn(
            `${index}`,
            function* () {
              for (;;) {
                const startNs = machine.nowNs;
                yield runNs;
                worst[index] = Math.max(worst[index]!, machine.nowNs - startNs);
                yield machine.sleep(sleepNs);
              }
            },
            { on: cpu, nice, userMode: true },
          ),
        );
        machine.run(2e9);
        let longest = 0;
        const all = tasks.reduce((sum, task) => sum + task.weight, 0);
        for (const [index, task] of tasks.entries()) {
          // Its share if all ran all the time, and what others may have in advance of it: slices and lags, and under
          // CFS the credit of sleepers, which is much CPU time to heavy ones, and the debit of a new task: a whole
          // latency target of its own for one that began alone (START_DEBIT).
          const share = task.weight / all;
          const [debitNs, creditNs] = fairClass === 'cfs' ? [8 * MS, 40 * MS] : [4 * MS, 8 * MS];
          const boundNs = (crowd[index]!.runNs + debitNs) / share + crowd.length * creditNs;
          expect(worst[index]).toBeLessThan(boundNs);
          longest = Math.max(longest, worst[index]!);
        }
        expect(longest).toBeGreaterThan(0);
      }),
      { numRuns: 25, examples: [[[6, -7, -6, -7].map((nice) => ({ nice, runNs: MS / 2, sleepNs: 0 }))]] },
    );
  });

  it('conserve time: what tasks had and what went into switching is what the CPU was busy', () => {
    const machine = testMachine(1, { fairClass, contextSwitchNs: 3_000, schedSliceNs: 1 * MS });
    const tasks = [0, 3, -3].map((nice) => hog(machine, nice));
    runFor(machine, 10e9 + 123);
    const cpu = machine.cpus[0]!;
    expect(cpu.busyNs).toBe(10e9 + 123);
    const had = tasks.reduce((sum, { cpuTimeNs }) => sum + cpuTimeNs, 0);
    expect(had + cpu.switchNs).toBe(cpu.busyNs);
  });
});

describe('EEVDF', () => {
  it.each([
    [1, {}, 700_000],
    [2, {}, 1_400_000],
    [4, {}, 2_100_000],
    [8, {}, 2_800_000],
    [104, {}, 2_800_000],
    [104, { baseSliceNs: 750_000 }, 3_000_000],
    [104, { schedSliceNs: 4_000_000 }, 4_000_000],
    [8, { fairClass: 'cfs' }, 3_000_000],
  ] as const)('on %i CPUs with %o has a slice of %i ns', (cpus, config, sliceNs) => {
    expect(sliceNsOf({ contextSwitchNs: 0, ...config }, cpus)).toBe(sliceNs);
  });

  it('runs a task of nice 19 beside one of nice 0 about one slice of 2.8 ms in 194 ms', () => {
    const machine = testMachine(1, { schedSliceNs: 2.8 * MS });
    const startsNs: number[] = [];
    const [, low] = [hog(machine, 0), hog(machine, 19)];
    machine.scheduler.probe = {
      switchIn: (_, task) => void (task === low && startsNs.push(machine.nowNs)),
      switchOut() {},
      wake() {},
      migrate() {},
    };
    runFor(machine, 100e9);
    const periodsNs = startsNs.slice(2).map((ns, i) => ns - startsNs[i + 1]!);
    const meanNs = periodsNs.reduce((sum, ns) => sum + ns, 0) / periodsNs.length;
    expect(meanNs / MS).toBeCloseTo((2.8 * 1039) / 15, 0);
    expect(low.cpuTimeNs / startsNs.length / MS).toBeCloseTo(2.8, 1);
  });

  it('takes in a new task without lag: it gets its share from then on and nothing for the past', () => {
    const machine = testMachine(1, { schedSliceNs: 1 * MS });
    const old = hog(machine, 0);
    runFor(machine, 50e9);
    const young = hog(machine, 0);
    runFor(machine, 10e9);
    expect(Math.abs(young.cpuTimeNs - 5e9)).toBeLessThan(3 * MS);
    expect(old.cpuTimeNs + young.cpuTimeNs).toBe(60e9);
  });

  it('lets a task that slept preempt, and hoard no more than about two slices', () => {
    const machine = testMachine(1, { schedSliceNs: 2 * MS });
    hog(machine, 0);
    const latencies: number[] = [];
    let dueNs = 0;
    machine.spawn(
      'probe',
      function* () {
        for (;;) {
          dueNs = machine.nowNs + 50 * MS;
          yield machine.sleep(50 * MS);
          latencies.push(machine.nowNs - dueNs);
          yield 0.1 * MS;
        }
      },
      { on: machine.cpus[0]! },
    );
    runFor(machine, 10e9);
    expect(Math.max(...latencies)).toBeLessThanOrEqual(2 * MS);
    expect(latencies.length).toBeGreaterThan(190);
  });

  const op = fc.oneof(
    fc.record({ do: fc.constant('add' as const), nice: fc.integer({ min: NICE_MIN, max: NICE_MAX }) }),
    fc.record({ do: fc.constant('run' as const), ns: fc.integer({ min: 1, max: 10 * MS }) }),
    fc.record({ do: fc.constantFrom('leave' as const, 'move' as const, 'back' as const), which: fc.nat() }),
    fc.record({
      do: fc.constant('renice' as const),
      which: fc.nat(),
      nice: fc.integer({ min: NICE_MIN, max: NICE_MAX }),
    }),
  );

  it('keeps the weighted lags at a sum of 0, and picks an eligible task with the earliest deadline', () => {
    const task = (nice: number): Task => {
      const created = new Task(0, 'task', testCpu, true, SchedClass.Fair, undefined);
      created.weight = weightOf(nice);
      return created;
    };
    const testCpu = testMachine().cpus[0]!;
    fc.assert(
      fc.property(fc.array(op, { minLength: 1, maxLength: 60 }), (ops) => {
        const queue = new EevdfQueue(3 * MS, 4 * MS);
        const gone: Task[] = [];
        const queued = () => [
          ...Array.from({ length: queue.length }, (_, i) => queue.at(i)),
          ...(queue.current === undefined ? [] : [queue.current]),
        ];
        for (const step of ops) {
          const all = queued();
          if (step.do === 'add') queue.enqueue(task(step.nice));
          else if (step.do === 'run') {
            if (queue.current === undefined) queue.pick();
            if (queue.current !== undefined) queue.charge(step.ns);
            if (queue.current !== undefined && queue.shouldYield()) {
              queue.putBack();
              queue.pick();
            }
          } else if (step.do === 'renice') {
            const pool = [...all, ...gone];
            if (pool.length > 0) queue.reweigh(pool[step.which % pool.length]!, weightOf(step.nice));
          } else if (step.do === 'back') {
            if (gone.length > 0) queue.enqueue(gone.splice(step.which % gone.length, 1)[0]!);
          } else if (all.length > 0) {
            const leaver = all[step.which % all.length]!;
            queue.leave(leaver, step.do === 'move');
            gone.push(leaver);
          }

          const now = queued();
          const average = queue.averageNs;
          const lags = now.map(({ weight, vruntime }) => weight * (average - vruntime));
          const scale = now.reduce((sum, { weight }) => sum + weight, 1) * 100 * MS;
          expect(Math.abs(lags.reduce((sum, lag) => sum + lag, 0))).toBeLessThan(scale * 1e-6);
          expect(queue.load).toBe(now.reduce((sum, { weight }) => sum + weight, 0));
          const picked = queue.current === undefined ? queue.pick() : undefined;
          const slack = 1e-3;
          const eligible = now.filter(({ vruntime }) => vruntime <= average - slack);
          expect(picked === undefined || picked.vruntime <= average + slack).toBe(true);
          expect(picked === undefined || eligible.every(({ deadline }) => picked.deadline <= deadline)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('CFS', () => {
  it('gives each of two equals half of the latency target, and none of many less than the minimum granularity', () => {
    for (const [tasks, sliceMs] of [
      [2, 12],
      [4, 6],
      [8, 3],
      [20, 3],
    ] as const) {
      const machine = testMachine(1, { fairClass: 'cfs', schedSliceNs: 3 * MS });
      const ran: number[] = [];
      let sinceNs = 0;
      for (let i = 0; i < tasks; i++) hog(machine, 0);
      machine.scheduler.probe = {
        switchIn: () => (sinceNs = machine.nowNs),
        switchOut: () => ran.push(machine.nowNs - sinceNs),
        wake() {},
        migrate() {},
      };
      runFor(machine, 5e9);
      const settled = ran.slice(3 * tasks);
      expect(settled.reduce((sum, ns) => sum + ns, 0) / settled.length / MS).toBeCloseTo(sliceMs, 1);
    }
  });

  it('gives sleepers half a latency target of credit at most', () => {
    const machine = testMachine(1, { fairClass: 'cfs', schedSliceNs: 3 * MS });
    const other = hog(machine, 0);
    let wake = false;
    const sleeper = machine.spawn(
      'sleeper',
      function* () {
        while (!wake) yield PARK;
        for (;;) yield 1e9;
      },
      { on: machine.cpus[0]!, userMode: true },
    );
    runFor(machine, 60e9);
    wake = true;
    machine.wake(sleeper);
    const before = other.cpuTimeNs;
    runFor(machine, 10e9);
    const lead = sleeper.cpuTimeNs - (other.cpuTimeNs - before);
    expect(lead).toBeGreaterThanOrEqual(0);
    expect(lead).toBeLessThanOrEqual(12 * MS + 12 * MS);
  });
});

describe('weights', () => {
  it('refuse a nice outside of -20 to 19', () => {
    for (const nice of [-21, 20, 0.5, NaN]) expect(() => weightOf(nice)).toThrow('nice');
    expect([weightOf(-20), weightOf(0), weightOf(19)]).toEqual([88761, 1024, 15]);
  });
});
