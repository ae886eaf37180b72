// What the lock adds to the machine's rw_semaphore: the time that wakeups take.
import { Machine } from '@kworkbench/machine';
import { expect, it } from 'vitest';
import { MmapLock } from './mmap-lock.js';

const WAKE_NS = 1_000;

function build(): { machine: Machine; lock: MmapLock } {
  const machine = new Machine({ cpus: 8, hz: 250, seed: 1, contextSwitchNs: 0 });
  return { machine, lock: new MmapLock(machine, { readerStealing: true, wakeNs: WAKE_NS }) };
}

it('readers that a writer lets in are late one after the other, and it pays for all of them', () => {
  const { machine, lock } = build();
  const late: number[] = [];
  let paid = -1;
  machine.spawn('writer', function* () {
    yield* lock.lockWrite();
    yield 50_000;
    paid = lock.endWrite();
  });
  for (let i = 0; i < 4; i++) {
    machine.spawn(`reader/${i}`, function* () {
      yield 10_000;
      yield* lock.lockRead();
      late.push(lock.lateNs());
      yield 5_000;
      lock.endRead();
    });
  }
  machine.run(1e9);
  expect(paid).toBe(4 * WAKE_NS);
  expect(late).toEqual([0, WAKE_NS, 2 * WAKE_NS, 3 * WAKE_NS]);
});

it('a release that nobody waits for costs nothing', () => {
  const { machine, lock } = build();
  const paid: number[] = [];
  machine.spawn('alone', function* () {
    yield* lock.lockRead();
    paid.push(lock.endRead());
    yield* lock.lockWrite();
    paid.push(lock.endWrite());
  });
  machine.run(1e9);
  expect(paid).toEqual([0, 0]);
});

it('a sleeping writer costs one wakeup, and only the first time that it is woken', () => {
  const { machine, lock } = build();
  const paid: number[] = [];
  machine.spawn('reader', function* () {
    yield* lock.lockRead();
    // Longer than a writer spins on readers.
    yield 200_000;
    paid.push(lock.endRead());
    // It steals the lock from the writer, which is on its way.
    yield* lock.lockRead();
    paid.push(lock.endRead());
  });
  machine.spawn('writer', function* () {
    yield 1_000;
    yield* lock.lockWrite();
    lock.endWrite();
  });
  machine.run(1e9);
  expect(paid).toEqual([WAKE_NS, 0]);
});
