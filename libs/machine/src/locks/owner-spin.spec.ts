// What looking at a lock costs those who have it: the line goes to and fro between them and the first that spins.
import { expect, it } from 'vitest';
import type { Machine } from '../machine.js';
import type { TaskBody } from '../sched/task.js';
import { testMachine } from '../testing/build.js';
import { lineOf } from '../testing/lock-program.js';
import type { LockLine } from './lock.js';
import { Mutex } from './mutex.js';
import { Rwsem } from './rwsem.js';

/** One of lineOf(). */
const TRANSFER_NS = 30;
const HOLD_NS = 1_000;

const LOCKS: [string, (machine: Machine, line: LockLine) => { lock: () => TaskBody; unlock: () => void }][] = [
  [
    'a mutex',
    (machine, line) => {
      const mutex = new Mutex(machine, 'm', { line });
      return { lock: () => mutex.lock(), unlock: () => mutex.unlock() };
    },
  ],
  [
    'a rw_semaphore',
    (machine, line) => {
      const rwsem = new Rwsem(machine, 'r', { line });
      return { lock: () => rwsem.lockWrite(), unlock: () => rwsem.upWrite() };
    },
  ],
];

it.each(LOCKS)('the line of %s goes to who releases it, to the first that spins, and to it for writing', (_, make) => {
  const machine = testMachine(4);
  const { lock, unlock } = make(machine, lineOf(machine));
  const gotNs: number[] = [];
  for (const cpu of machine.cpus) {
    machine.spawn(
      'task',
      function* () {
        yield machine.sleep(100 * cpu.index);
        yield* lock();
        gotNs.push(machine.nowNs);
        yield HOLD_NS;
        unlock();
      },
      { on: cpu },
    );
  }
  machine.run(Infinity);
  const handOffsNs = gotNs.slice(1).map((ns, i) => ns - gotNs[i]! - HOLD_NS);
  expect(handOffsNs).toEqual([3 * TRANSFER_NS, 3 * TRANSFER_NS, 3 * TRANSFER_NS]);
});
