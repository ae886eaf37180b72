import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceRecorder } from '@kworkbench/telemetry';
import { type Slice, TraceReader } from '@kworkbench/telemetry/testing';
import { LockStats } from '../locks/lock-stats.js';
import { Mutex } from '../locks/mutex.js';
import { Rwsem } from '../locks/rwsem.js';
import type { Machine } from '../machine.js';
import { PARK } from '../sched/task.js';
import { testMachine } from '../testing/build.js';
import {
  disturb,
  type Guard,
  lineOf,
  lockProgramArbitrary,
  type LockTask,
  runLockProgram,
} from '../testing/lock-program.js';
import { SwitchLog } from '../testing/switch-log.js';
import { Tracer } from './tracer.js';

const CPUS = 3;

function build(traced: boolean) {
  const machine = testMachine(CPUS, { contextSwitchNs: 1_000 });
  const parts: Uint8Array[] = [];
  const trace = new TraceRecorder({ title: 'test', limitBytes: 2 ** 24 }, (bytes) => parts.push(bytes.slice()));
  if (traced) new Tracer(trace).attach(machine);
  const read = () => {
    expect(trace.finish().cutEvents).toBe(0);
    return new TraceReader(Buffer.concat(parts));
  };
  return { machine, read };
}

/** A mutex for the writers' sections and a semaphore around all: sections within sections. */
function guards(machine: Machine) {
  const mutex = new Mutex(machine, 'mutex', { line: lineOf(machine) });
  const stats = new LockStats(machine, 'mutex');
  mutex.addProbe(stats);
  const guard: Guard = {
    enter: () => mutex.acquire(),
    leave: () => (mutex.unlock(), 0),
    isIdle: () => mutex.owner === undefined,
    readers: false,
    maySleepInside: true,
  };
  return { guard, stats };
}

function run(program: readonly LockTask[], traced: boolean) {
  const { machine, read } = build(traced);
  const { guard, stats } = guards(machine);
  disturb(machine, 20, 100_000);
  const { trace: steps, tasks } = runLockProgram(machine, program, guard);
  return { machine, read, stats, steps, tasks };
}

const length = (slices: readonly Slice[]) => slices.reduce((sum, { startNs, endNs }) => sum + endNs! - startNs, 0);

function expectApart(slices: readonly Slice[]): void {
  const sorted = [...slices].sort((a, b) => a.startNs - b.startNs || a.endNs! - b.endNs!);
  sorted.forEach(({ startNs, endNs }, i) => {
    expect(endNs).toBeGreaterThanOrEqual(startNs);
    expect(startNs).toBeGreaterThanOrEqual(sorted[i - 1]?.endNs ?? 0);
  });
}

const program = lockProgramArbitrary(CPUS);

describe('a traced machine', () => {
  it('does what it does without a trace', () => {
    fc.assert(
      fc.property(program, (tasks) => {
        const [plain, traced] = [run(tasks, false), run(tasks, true)];
        expect(traced.steps).toEqual(plain.steps);
        expect(traced.machine.events.executed).toBe(plain.machine.events.executed);
        expect(traced.machine.nowNs).toBe(plain.machine.nowNs);
      }),
      { numRuns: 20 },
    );
  });

  it('shows all that its CPUs did: one task at a time, no task twice, no ns lost', () => {
    fc.assert(
      fc.property(program, (tasks) => {
        const { machine, read } = run(tasks, true);
        const { cpuSlices } = read();
        for (const cpu of machine.cpus) {
          const own = cpuSlices.filter((slice) => slice.cpu === cpu.index);
          expectApart(own);
          expect(length(own)).toBe(cpu.busyNs);
        }
        for (const tid of new Set(cpuSlices.map((slice) => slice.tid))) {
          expectApart(cpuSlices.filter((slice) => slice.tid === tid));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('shows who holds a lock, and who waits for it how long', () => {
    fc.assert(
      fc.property(program, (tasks) => {
        const { read, stats } = run(tasks, true);
        const trace = read();
        const sections = trace.track('mutex').slices;
        expectApart(sections);
        expect([sections.length, length(sections)]).toEqual([stats.holdNs.total, stats.holdNs.sum]);
        const waits = [...trace.tracks.values()].filter(({ isThread }) => isThread).flatMap(({ slices }) => slices);
        expect(
          waits.every(({ name, depth, endNs }) => name === 'wait mutex' && depth === 0 && endNs !== undefined),
        ).toBe(true);
        expect(waits.length).toBe(stats.contentions);
        expect(trace.tracks.get(trace.track('mutex').parent)?.name).toBe('locks');
      }),
      { numRuns: 20 },
    );
  });

  it('shows wakeups with the CPU that they came from, or as interrupts', () => {
    const { machine, read } = build(true);
    const sleeper = machine.spawn(
      'sleeper',
      function* () {
        yield machine.sleep(5_000); // a timer ends it
        yield PARK; // the other task ends it
        yield 1_000;
      },
      { on: machine.cpus[2]! },
    );
    machine.spawn(
      'waker',
      function* () {
        yield 20_000;
        machine.wake(sleeper);
      },
      { on: machine.cpus[1]! },
    );
    machine.run(Infinity);
    const trace = read();
    const wakings = trace.wakings
      .filter(({ tid }) => trace.tracks.get(tid)!.name === 'sleeper')
      .sort((a, b) => a.timeNs - b.timeNs);
    // Started at 0, in no task's context; switched in by 1 us; slept from there; the waker began at 1 us, too.
    expect(wakings.map(({ timeNs, cpu, target, flags }) => [timeNs, cpu, target, flags])).toEqual([
      [0, 2, 2, 8],
      [6_000, 2, 2, 8],
      [21_000, 1, 2, 0],
    ]);
    expect(trace.cpuSlices.filter(({ name }) => name === 'sleeper').map(({ endNs }) => endNs)).toEqual([
      1_000, 7_000, 23_000,
    ]);
  });

  it('shows readers as a number, and shows only some of many locks with one name', () => {
    const { machine, read } = build(true);
    const locks = Array.from({ length: 50 }, () => new Mutex(machine, 'conn.lock'));
    const semaphore = new Rwsem(machine, 'mmap_lock');
    for (let i = 0; i < 2; i++) {
      machine.spawn('reader', function* () {
        yield* semaphore.lockRead();
        for (const lock of locks) {
          yield* lock.lock();
          yield 10;
          lock.unlock();
        }
        semaphore.upRead();
      });
    }
    machine.run(Infinity);
    const trace = read();
    expect(trace.track('mmap_lock readers').counts.map(([, value]) => value)).toEqual([1, 2, 1, 0]);
    expect([...trace.tracks.values()].filter(({ name }) => name === 'conn.lock').length).toBe(32);
  });

  it('leaves those who look on already where they are', () => {
    const machine = testMachine(1);
    const log = new SwitchLog(machine);
    const trace = new TraceRecorder({ title: 'test', limitBytes: 2 ** 20 }, () => {});
    new Tracer(trace).attach(machine);
    machine.spawn('a', function* () {
      yield 1_000;
    });
    machine.run(Infinity);
    log.checkAccounting();
    expect([log.violations, log.switches]).toEqual([[], 1]);
    expect(trace.finish().events).toBe(3); // woken, in, out
  });
});
