// What RwsemOptions.wakeNs adds: wakeups take time of who releases the lock, one after the other.
import { expect, it } from 'vitest';
import type { TaskBody } from '../sched/task.js';
import { testMachine } from '../testing/build.js';
import { Rwsem } from './rwsem.js';

const WAKE_NS = 1_000;

function setup(cpus: number, contextSwitchNs = 0) {
  const machine = testMachine(cpus, { contextSwitchNs });
  const rwsem = new Rwsem(machine, 'mmap_lock', { wakeNs: WAKE_NS });
  const spawn = (name: string, cpu: number, body: () => TaskBody) =>
    machine.spawn(name, body, { on: machine.cpus[cpu]! });
  return { machine, rwsem, spawn };
}

it('readers that are let in together sleep until who lets them in, and pays for all of them, gets to them', () => {
  const { machine, rwsem, spawn } = setup(5);
  const beganNs: number[] = [];
  let paidNs = -1;
  spawn('writer', 0, function* () {
    yield* rwsem.lockWrite();
    yield 50_000;
    paidNs = rwsem.upWrite();
  });
  const readers = [1, 2, 3, 4].map((cpu) =>
    spawn('reader', cpu, function* () {
      yield 10_000;
      yield* rwsem.lockRead();
      beganNs.push(machine.nowNs);
      yield 5_000;
      rwsem.upRead();
    }),
  );
  machine.run(Infinity);
  expect(readers.map(({ cpuTimeNs }) => cpuTimeNs)).toEqual([15_000, 15_000, 15_000, 15_000]);
  expect(paidNs).toBe(4 * WAKE_NS);
  expect(beganNs).toEqual([50_000, 51_000, 52_000, 53_000]);
});

it('a release that nobody waits for costs nothing', () => {
  const { machine, rwsem, spawn } = setup(1);
  const paidNs: number[] = [];
  spawn('alone', 0, function* () {
    yield* rwsem.lockRead();
    paidNs.push(rwsem.upRead());
    yield* rwsem.lockWrite();
    paidNs.push(rwsem.upWrite());
  });
  machine.run(Infinity);
  expect(paidNs).toEqual([0, 0]);
});

it('a sleeping writer costs one wakeup, and no second one while it is on its way', () => {
  const { machine, rwsem, spawn } = setup(2, 1_000);
  const paidNs: number[] = [];
  spawn('reader', 0, function* () {
    yield* rwsem.lockRead();
    // Longer than a writer spins on readers.
    yield 200_000;
    paidNs.push(rwsem.upRead());
    // It steals the lock from the writer.
    yield* rwsem.lockRead();
    paidNs.push(rwsem.upRead());
  });
  spawn('writer', 1, function* () {
    yield 1_000;
    yield* rwsem.lockWrite();
    rwsem.upWrite();
  });
  machine.run(Infinity);
  expect(paidNs).toEqual([WAKE_NS, 0]);
  expect(rwsem.readerSteals).toBe(1);
});
