// Every lock, under random schedules: what must hold whatever tasks do.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../machine.js';
import { testMachine } from '../testing/build.js';
import { disturb, type Guard, lineOf, lockProgramArbitrary, runLockProgram } from '../testing/lock-program.js';
import type { LockOptions } from './lock.js';
import { Mutex, type MutexOptions } from './mutex.js';
import { Rwsem, type RwsemOptions } from './rwsem.js';
import { SpinLock } from './spinlock.js';
import { UserMutex } from './user-mutex.js';

const CPUS = 3;

function mutexGuard(machine: Machine, options: MutexOptions): Guard {
  const mutex = new Mutex(machine, 'm', options);
  return {
    enter: () => mutex.acquire(),
    leave: () => (mutex.unlock(), 0),
    isIdle: () => mutex.owner === undefined && mutex.waiting === 0 && mutex.spinning === 0,
    readers: false,
    maySleepInside: true,
  };
}

function rwsemGuard(machine: Machine, options: RwsemOptions): Guard {
  const rwsem = new Rwsem(machine, 'r', options);
  return {
    enter: (write) => (write ? rwsem.downWrite() : rwsem.downRead()),
    leave: (write) => (write ? rwsem.upWrite() : rwsem.upRead()),
    isIdle: () => rwsem.writer === undefined && rwsem.readers + rwsem.waiting + rwsem.spinning === 0,
    readers: true,
    maySleepInside: true,
  };
}

function spinGuard(machine: Machine, options: LockOptions, suffix: '' | 'Bh' | 'Irq'): Guard {
  const lock = new SpinLock(machine, 's', options);
  return {
    enter: () => lock[`acquire${suffix}`](),
    leave: () => (lock[`unlock${suffix}`](), 0),
    isIdle: () => lock.owner === undefined && lock.waiting === 0,
    readers: false,
    maySleepInside: false,
  };
}

function userGuard(machine: Machine, options: LockOptions, spinLimitNs: number): Guard {
  const costs = { spinLimitNs, futexWaitNs: 300, futexWakeNs: 600, wakeLatencyNs: 4_000 };
  const mutex = new UserMutex(machine, 'u', costs, options);
  return {
    enter: () => mutex.acquire(),
    leave: () => mutex.unlock(),
    isIdle: () => mutex.owner === undefined && mutex.waiting === 0 && mutex.spinning === 0,
    readers: false,
    maySleepInside: true,
  };
}

const GUARDS: [string, (machine: Machine, options: LockOptions) => Guard][] = [
  ['mutex', (m, o) => mutexGuard(m, o)],
  ['mutex without spinning', (m, o) => mutexGuard(m, { ...o, spinOnOwner: false })],
  ['mutex with a chance to steal', (m, o) => mutexGuard(m, { ...o, stealProbability: 0.5 })],
  ['mutex that nobody steals', (m, o) => mutexGuard(m, { ...o, stealProbability: 0 })],
  ['fair mutex', (m, o) => mutexGuard(m, { ...o, fair: true })],
  ['rwsem', (m, o) => rwsemGuard(m, o)],
  ['rwsem without stealing readers', (m, o) => rwsemGuard(m, { ...o, readerStealing: false })],
  ['rwsem whose wakeups take time', (m, o) => rwsemGuard(m, { ...o, wakeNs: 2_000 })],
  ['rwsem without spinning', (m, o) => rwsemGuard(m, { ...o, writerSpinning: false })],
  ['spinlock', (m, o) => spinGuard(m, o, '')],
  ['spinlock, bottom halves off', (m, o) => spinGuard(m, o, 'Bh')],
  ['spinlock, interrupts off', (m, o) => spinGuard(m, o, 'Irq')],
  ['user mutex', (m, o) => userGuard(m, o, 3_000)],
  ['user mutex without spinning', (m, o) => userGuard(m, o, 0)],
];

const machines = fc.record({
  contextSwitchNs: fc.constantFrom(0, 1, 1_500),
  schedSliceNs: fc.constantFrom(10_000, 3_000_000),
  preemption: fc.constantFrom('none', 'voluntary', 'full'),
  seed: fc.nat(),
});

describe.each(GUARDS)('%s', (_, build) => {
  it('excludes, loses nobody, burns no time unaccounted for, and does the same twice', () => {
    fc.assert(
      fc.property(
        lockProgramArbitrary(CPUS),
        machines,
        fc.boolean(),
        fc.integer({ min: 100, max: 100_000 }),
        (program, overrides, withLine, everyNs) => {
          const run = () => {
            const machine = testMachine(CPUS, overrides);
            const guard = build(machine, withLine ? { line: lineOf(machine) } : {});
            disturb(machine, 50, everyNs);
            return runLockProgram(machine, program, guard);
          };
          const { trace, tasks, requestedNs } = run();
          expect(trace.length).toBe(3 * program.reduce((sum, { sections }) => sum + sections.length, 0));
          for (const [i, task] of tasks.entries()) expect(task.cpuTimeNs).toBeGreaterThanOrEqual(requestedNs[i]!);
          expect(run().trace).toEqual(trace);
        },
      ),
      { numRuns: 60 },
    );
  });
});
