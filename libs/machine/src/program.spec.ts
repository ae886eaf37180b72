// Whole random programs: what must hold whatever tasks do.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Machine } from './machine.js';
import { CpuPhase } from './sched/cpu.js';
import { TaskState } from './sched/task.js';
import { testMachine } from './testing/build.js';
import { ALL_STEPS, FREE_STEPS, programArbitrary, runProgram } from './testing/program.js';
import { SwitchLog } from './testing/switch-log.js';

const configArbitrary = fc.record({
  seed: fc.nat(),
  contextSwitchNs: fc.constantFrom(0, 1, 8_000),
  wakeupNs: fc.constantFrom(0, 2_000),
  schedSliceNs: fc.constantFrom(10_000, 3_000_000),
  fairClass: fc.constantFrom('eevdf' as const, 'cfs' as const),
  preemption: fc.constantFrom('none' as const, 'voluntary' as const, 'full' as const),
  throttleAt: fc.constantFrom('dequeue' as const, 'userReturn' as const),
});
const mutexArbitrary = fc.record({
  stealProbability: fc.constantFrom(0, 0.5, 1),
  spinOnOwner: fc.boolean(),
  fair: fc.boolean(),
});

/** A machine with a program for it. */
const cellArbitrary = fc.integer({ min: 1, max: 5 }).chain((cpus) =>
  fc.record({
    cpus: fc.constant(cpus),
    program: programArbitrary(cpus, ALL_STEPS),
    config: configArbitrary,
    options: mutexArbitrary,
  }),
);
type Cell = typeof cellArbitrary extends fc.Arbitrary<infer T> ? T : never;

function run({ cpus, program, config, options }: Cell) {
  const machine = testMachine(cpus, config);
  const log = new SwitchLog(machine, config.throttleAt);
  const result = runProgram(machine, program, options);
  log.checkAccounting();
  return { machine, log, ...result };
}

/** Calls `check` often within a program of milliseconds, with the state at that instant. */
function watch(machine: Machine, check: () => void): void {
  machine.observe(99_999, check);
}

describe('a random program', () => {
  it('ends with every task done, nothing lost and nothing where it must not be', () => {
    const property = fc.property(cellArbitrary, (cell) => {
      const { machine, log, ...result } = run(cell);
      expect(log.violations).toEqual([]);
      const tasks = [...result.tasks, ...result.children];
      expect(tasks.filter(({ state }) => state !== TaskState.Dead)).toEqual([]);
      const extraNs = tasks.map((task) => task.cpuTimeNs - result.requestedNs.get(task)!);
      expect(extraNs).toEqual(tasks.map(() => 0));
      expect(result.pingsSeen).toBe(result.pingsSent);
      expect(result.shortSleeps).toBe(0);
      const { memory, worksOwed, timersOwed, callbacksOwed, earlyTimers, brokenGuarantees } = result.parts;
      expect([memory.usedBytes, worksOwed, timersOwed, callbacksOwed]).toEqual([0, 0, 0, 0]);
      expect([earlyTimers, brokenGuarantees]).toEqual([0, 0]);
      for (const { phase, fairQueue, fifoQueue, softirqQueue, aside } of machine.cpus) {
        expect(phase).toBe(CpuPhase.Idle);
        expect([fairQueue.length, fifoQueue.length, softirqQueue.length, aside.length]).toEqual([0, 0, 0, 0]);
      }
      for (const { pool } of result.groups) {
        expect(pool.chargedFromPoolNs + pool.debtAddedNs).toBe(pool.chargedNs);
        expect(pool.debtPaidNs + pool.debtForgivenNs + pool.debtNs).toBe(pool.debtAddedNs);
      }
      expect(result.groups[2]!.pool.chargedNs).toBe(result.remoteNs[2]);
      expect(result.groups[0]!.pool.chargedNs).toBe(result.remoteNs[0]! + result.remoteNs[1]!);
    });
    fc.assert(property, { numRuns: 400 });
  });

  it('has the same switches, wakeups and migrations twice, on a thousand random machines', () => {
    const property = fc.property(cellArbitrary, (cell) => {
      const [first, second] = [run(cell), run(cell)];
      expect(second.log.digest.hex).toBe(first.log.digest.hex);
      expect(second.trace).toEqual(first.trace);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('never leaves a CPU idle while a task waits that may run there', () => {
    const property = fc.property(programArbitrary(3, FREE_STEPS), configArbitrary, (program, config) => {
      const machine = testMachine(3, config);
      const stranded: string[] = [];
      watch(machine, () => {
        const idle = machine.cpus.filter(({ phase }) => phase === CpuPhase.Idle);
        if (idle.length === 0) return;
        for (const { fairQueue } of machine.cpus) {
          for (let i = 0; i < fairQueue.length; i++) {
            const task = fairQueue.at(i);
            if (idle.some((cpu) => task.allowedOn(cpu))) stranded.push(task.name);
          }
        }
      });
      runProgram(machine, program);
      expect(stranded).toEqual([]);
    });
    fc.assert(property, { numRuns: 200 });
  });
});
