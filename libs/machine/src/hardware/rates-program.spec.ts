// Rates under everything that a scheduler does: random programs that are preempted, interrupted, throttled and moved.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TaskState } from '../sched/task.js';
import { testMachine } from '../testing/build.js';
import { ALL_STEPS, programArbitrary, type ProgramTask, runProgram } from '../testing/program.js';
import { SwitchLog } from '../testing/switch-log.js';
import { MemoryPhase } from './memory-bandwidth.js';
import { HardwareRates } from './rates.js';
import { Topology } from './topology.js';

const CPUS = 4;
const SLOWEST = 0.5 * 0.7 * 0.25;

function run(program: readonly ProgramTask[], seed: number) {
  const machine = testMachine(CPUS, { seed, contextSwitchNs: 1_000 });
  const log = new SwitchLog(machine);
  const rates = new HardwareRates(machine, new Topology(CPUS, { threadsPerCore: 2 }), {
    smt: [1, 0.5],
    frequency: [
      { cores: 1, speed: 1 },
      { cores: 2, speed: 0.7 },
    ],
    memoryBytesPerNs: 1,
  });
  // Every other task streams from memory, to its end.
  const phase = new MemoryPhase(0, 1);
  const spawn = machine.spawn.bind(machine);
  let spawned = 0;
  machine.spawn = (...given) => {
    const task = spawn(...given);
    if (spawned++ % 2 === 0) rates.enter(task, phase);
    return task;
  };
  const result = runProgram(machine, program, { spinOnOwner: false });
  log.checkAccounting();
  return { machine, log, rates, ...result };
}

it('random programs do all their work, as slowly as the hardware makes them', () => {
  fc.assert(
    fc.property(programArbitrary(CPUS, ALL_STEPS), fc.nat(), (program, seed) => {
      const { log, rates, ...result } = run(program, seed);
      expect(log.violations).toEqual([]);
      expect(rates.memory.streams(0)).toBe(0);
      for (const task of [...result.tasks, ...result.children]) {
        const workNs = result.requestedNs.get(task)!;
        expect(task.state).toBe(TaskState.Dead);
        // A burst that ends between two ns takes the later one.
        expect(task.cpuTimeNs).toBeGreaterThanOrEqual(workNs - 1);
        expect(task.cpuTimeNs).toBeLessThanOrEqual(workNs / SLOWEST + 1_000);
      }
    }),
    { numRuns: 40 },
  );
});

it('the same program gives the same run twice', () => {
  fc.assert(
    fc.property(programArbitrary(CPUS, ALL_STEPS), fc.nat(), (program, seed) => {
      const [first, second] = [run(program, seed), run(program, seed)];
      expect(second.log.digest.hex).toBe(first.log.digest.hex);
      expect(second.machine.nowNs).toBe(first.machine.nowNs);
    }),
    { numRuns: 20 },
  );
});
