// Wait and hold times of small scenarios, worked out by hand.
import { describe, expect, it } from 'vitest';
import type { Machine } from '../machine.js';
import type { TaskBody } from '../sched/task.js';
import { testMachine } from '../testing/build.js';
import type { LockProbe } from './lock-probe.js';
import { LockStats } from './lock-stats.js';
import { Mutex } from './mutex.js';
import { SpinLock } from './spinlock.js';
import { UserMutex } from './user-mutex.js';

interface Taker {
  acquire(): number;
  unlock(): number | void;
}

const USER = { spinLimitNs: 300, futexWaitNs: 50, futexWakeNs: 70, wakeLatencyNs: 400 };
const LOCKS: Record<string, (machine: Machine, probe: LockProbe) => Taker> = {
  'a spinlock': (machine, probe) => new SpinLock(machine, 'l', { probe }),
  'a mutex that spins': (machine, probe) => new Mutex(machine, 'l', { probe }),
  'a mutex that sleeps': (machine, probe) => new Mutex(machine, 'l', { probe, spinOnOwner: false }),
  'a fair mutex': (machine, probe) => new Mutex(machine, 'l', { probe, fair: true }),
  'a user mutex': (machine, probe) => new UserMutex(machine, 'l', USER, { probe }),
};

/** Three tasks take the lock at 0, 100 and 250, each on a CPU of its own, and hold it for 400, 300 and 200. */
function run(name: string, contextSwitchNs: number) {
  const machine = testMachine(3, { contextSwitchNs });
  const stats = new LockStats(machine, 'l');
  const lock = LOCKS[name]!(machine, stats);
  for (const [i, [atNs, holdNs]] of [
    [0, 400],
    [100, 300],
    [250, 200],
  ].entries()) {
    const body = function* (): TaskBody {
      yield atNs!;
      for (let wait; (wait = lock.acquire()) !== 0;) yield wait;
      yield holdNs!;
      yield lock.unlock() ?? 0;
    };
    machine.spawn(`t${i}`, body, { on: machine.cpus[i]! });
  }
  machine.run(Infinity);
  return stats;
}

describe('LockStats', () => {
  // Sections of 400, 300 and 200; the second waits 300, the third for both before it, 450. A sleeper that a section is
  // left to has it only after its context switch, and so has the next.
  it.each([
    ['a spinlock', 0, [0, 300, 450], [400, 300, 200]],
    ['a mutex that spins', 0, [0, 300, 450], [400, 300, 200]],
    ['a mutex that spins', 30, [0, 300, 450], [400, 300, 200]],
    ['a mutex that sleeps', 0, [0, 300, 450], [400, 300, 200]],
    ['a mutex that sleeps', 30, [0, 330, 510], [400, 300, 200]],
    ['a fair mutex', 0, [0, 300, 450], [400, 300, 200]],
    // Handed over while it sleeps, the mutex is held from the moment that its owner knows.
    ['a fair mutex', 30, [0, 330, 510], [400, 300, 200]],
    // The first spins out at 400, the moment of the release, and has it then; the second spins for 300, enters the kernel
    // for 50, sleeps from 600, and is runnable 400 after the release at 700.
    ['a user mutex', 0, [0, 300, 850], [400, 300, 200]],
  ])('%s, context switch %i ns: waits %j, holds %j', (name, contextSwitchNs, waits, holds) => {
    const { waitNs, holdNs, contentions } = run(name, contextSwitchNs);
    const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    expect([waitNs.total, waitNs.min, waitNs.max, waitNs.sum]).toEqual([3, 0, Math.max(...waits), sum(waits)]);
    expect([holdNs.total, holdNs.min, holdNs.max, holdNs.sum]).toEqual([3, 200, 400, sum(holds)]);
    expect(sorted(waits)[1]! / waitNs.quantile(0.5)).toBeCloseTo(1, 1);
    expect(contentions).toBe(2);
  });
});
