// What reviewers proposed in place of the series, or on top of it: each does what it was proposed for.
import { describe, expect, it } from 'vitest';
import { run } from './testing/cells.js';

const GIB = 2 ** 30;
const GUEST = { guest: 10 * GIB };

describe('threads of the process', () => {
  const speedup = (variant: string) => run({ variant, workload: GUEST }).metrics['speedup_ratio']!;

  it('are no faster than one while their calls exclude each other by the lock of the container', () => {
    expect(speedup('user-threads')).toBeLessThan(1);
  });

  it('are held by mmap_lock once they share it, and by nothing but memory with a cache of locked_vm', () => {
    const split = speedup('user-threads-split');
    expect(split).toBeGreaterThan(1.5);
    expect(speedup('user-threads-cache')).toBeGreaterThan(4 * split);
  });

  it('of one container do not hold up another one', () => {
    const { metrics } = run({ variant: 'user-threads', workload: { ...GUEST, jobs: 2 } });
    expect(metrics['speedup_ratio']).toBeGreaterThan(0.9);
  });
});

describe('a pool of helpers per cgroup', () => {
  it('bounds the helpers of one job', () => {
    const { metrics } = run({ variant: 'series', kernel: { helperPool: 3 }, workload: GUEST });
    expect([metrics['workers'], metrics['workers_cap']]).toEqual([4, 6]);
  });

  it('is shared by the jobs of the group, whoever comes first', () => {
    const { telemetry } = run({ variant: 'series', kernel: { helperPool: 6 }, workload: { ...GUEST, jobs: 3 } });
    expect(Math.max(...telemetry.column('samples', 'workers'))).toBe(6 + 3);
  });

  it('takes back what was not used: jobs one after the other have all of it each', () => {
    const workload = { ...GUEST, kind: 'guestStart', failCreations: '1' };
    const { metrics } = run({ variant: 'series', kernel: { helperPool: 3 }, workload });
    expect(metrics['workers']).toBe(4);
  });
});

describe('charging by weight', () => {
  it('gives neighbours back what helpers took, and costs the caller', () => {
    const workload = { kind: 'compute', work: 8, neighbours: 8, headStart: 0.1, maxThreads: 8 };
    const cell = { variant: 'parallel-caps', profile: 'xeon-8cpu', workload };
    const without = run(cell).metrics;
    const with_ = run({ ...cell, kernel: { chargeWeight: true } }).metrics;
    expect(with_['neighbour_slowdown_ratio']).toBeLessThan(without['neighbour_slowdown_ratio']!);
    expect(with_['job_seconds']).toBeGreaterThan(without['job_seconds']!);
  });
});

describe('back-pressure', () => {
  it('bounds the debt of a group whose parent is tighter than the cap knows', () => {
    const workload = { guest: 34 * GIB, quota: 0.8, parentQuota: 0.15 };
    const debt = (backPressure: boolean) =>
      run({ variant: 'series', kernel: { backPressure }, workload }).metrics['debt_max_seconds']!;
    expect(debt(true)).toBeLessThan(debt(false) / 2);
  });
});
