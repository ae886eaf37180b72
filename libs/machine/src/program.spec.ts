// Whole random programs: what must hold whatever tasks do.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuPhase } from './sched/cpu.js';
import type { Machine } from './machine.js';
import { RandomStream } from './random.js';
import { TaskState } from './sched/task.js';
import { testMachine } from './testing/build.js';
import { programArbitrary, type ProgramTask, runProgram, type Step } from './testing/program.js';

const CPUS = 3;
const every = ['run', 'sleep', 'yield', 'ping', 'lock', 'migrate'] as const;
const costs = fc.record({
  contextSwitchNs: fc.constantFrom(0, 1, 8_000),
  schedSliceNs: fc.constantFrom(1_000, 3_000_000),
});

/** Calls `check` often within a program of milliseconds, with the state at that instant. */
function watch(machine: Machine, check: () => void): void {
  machine.observe(99_999, check);
}

describe('a random program', () => {
  it('ends, with every task done, every nanosecond accounted for, every wakeup delivered and no sleep cut short', () => {
    fc.assert(
      fc.property(programArbitrary(CPUS, every), costs, fc.nat(), (program, overrides, seed) => {
        const machine = testMachine(CPUS, { ...overrides, seed });
        const result = runProgram(machine, program, { stealProbability: 0.5 });
        expect(result.tasks.map(({ state }) => state)).toEqual(program.map(() => TaskState.Dead));
        expect(result.tasks.map(({ cpuTimeNs }) => cpuTimeNs)).toEqual(result.requestedNs);
        expect(result.pingsSeen).toBe(result.pingsSent);
        expect(result.shortSleeps).toBe(0);
        for (const cpu of machine.cpus) {
          expect(cpu.busyNs).toBeLessThanOrEqual(machine.nowNs);
          expect([cpu.phase, cpu.fairQueue.length, cpu.softirqQueue.length]).toEqual([CpuPhase.Idle, 0, 0]);
        }
      }),
    );
  });

  it('has the same trace twice', () => {
    fc.assert(
      fc.property(programArbitrary(CPUS, every), costs, fc.nat(), (program, overrides, seed) => {
        const run = () =>
          runProgram(testMachine(CPUS, { ...overrides, seed }), program, { stealProbability: 0.5 }).trace;
        expect(run()).toEqual(run());
      }),
      { numRuns: 50 },
    );
  });

  it('never leaves a CPU idle while a task waits that may run there', () => {
    fc.assert(
      fc.property(programArbitrary(CPUS, ['run', 'sleep', 'yield', 'ping', 'lock']), costs, (program, overrides) => {
        const machine = testMachine(CPUS, overrides);
        const stranded: string[] = [];
        watch(machine, () => {
          const idle = machine.cpus.filter(({ phase }) => phase === CpuPhase.Idle);
          if (idle.length === 0) return;
          for (const { fairQueue } of machine.cpus) {
            for (let i = 0; i < fairQueue.length; i++) {
              const task = fairQueue.at(i);
              if (!task.pinned || idle.includes(task.cpu)) stranded.push(task.name);
            }
          }
        });
        runProgram(machine, program);
        expect(stranded).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('never has a bound task elsewhere', () => {
    fc.assert(
      fc.property(programArbitrary(CPUS, ['run', 'sleep', 'yield', 'lock']), (program) => {
        const { trace } = runProgram(testMachine(CPUS), program);
        for (let i = 0; i < trace.length; i += 4) {
          const { on } = program[trace[i + 1]!]!;
          expect(trace[i + 3]).toBe(on ?? trace[i + 3]);
        }
      }),
      { numRuns: 50 },
    );
  });
});

/** A fixed program out of the machine's own generator, so that no library's version can change it. */
function fixedProgram(): ProgramTask[] {
  const random = new RandomStream(2026, 'golden program');
  const step = (): Step => {
    const ns = 1 + random.below(5_000_000);
    const kind = every[random.below(every.length)]!;
    if (kind === 'run' || kind === 'sleep') return { do: kind, ns };
    if (kind === 'lock') return { do: kind, mutex: random.below(2), ns, asleep: random.chance(0.5) };
    if (kind === 'migrate') return { do: kind, cpu: random.below(4) };
    return { do: kind };
  };
  return Array.from({ length: 12 }, () => ({
    on: random.chance(0.5) ? random.below(4) : undefined,
    steps: Array.from({ length: 200 }, step),
  }));
}

describe('the golden program', () => {
  it('has the trace that it had when it was pinned; a change here changes results, so raise the model versions', () => {
    const machine = testMachine(4, { contextSwitchNs: 8_000, seed: 42 });
    const { trace, mutexes } = runProgram(machine, fixedProgram(), { stealProbability: 0.5 });
    expect(trace.length).toBe(4 * 12 * 200);
    const hash = createHash('sha256').update(new Float64Array(trace)).digest('hex');
    expect([machine.nowNs, machine.events.executed, mutexes[0]!.steals, hash.slice(0, 16)]).toEqual([
      704_487_186,
      3807,
      14,
      '290b2bc3aad24e18',
    ]);
  });
});
