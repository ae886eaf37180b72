// What check() takes and what it refuses, with a clear line; that what is taken reaches the model: parameters.spec.ts.
import { describe, expect, it } from 'vitest';
import { padata } from './mechanism.js';
import { cellOf, type CellOptions } from './testing/cells.js';

const GIB = 2 ** 30;

describe('every constant of every profile', () => {
  it.each(padata.profiles.map((profile) => [profile.id, profile] as const))('of %s may be set', (id, { constants }) => {
    for (const { name, value } of constants) {
      const problems = padata.check(cellOf({ profile: id, constants: { [name]: value } }));
      expect(problems).toEqual([]);
    }
  });
});

describe('check refuses, and says where', () => {
  it.each([
    ['a guest of nothing', { guest: 0 }, 'workload.guest', 'more than the 2GiB'],
    ['a guest of half a page more than that', { guest: 2 * GIB + 2048 }, 'workload.guest', 'a multiple of 4KiB'],
    ['an alignment that is no power of two', { align: 3 * 2 ** 20 }, 'workload.align', 'a power of two'],
    ['no alignment', { align: 0 }, 'workload.align', 'a power of two'],
    ['an error page outside of the guest', { guest: 3 * GIB, errorPages: '262144' }, 'workload.errorPages', '262144'],
    ['a quota below 1 ms', { quota: 0.0005 }, 'workload.quota', 'at least 1ms'],
    ['a quota above the group below 1 ms', { parentQuota: 0.0005 }, 'workload.parentQuota', 'at least 1ms'],
    ['a period below 1 ms', { period: 0.0001 }, 'workload.period', '1ms to 1s'],
    ['a period above 1 s', { period: 2 }, 'workload.period', '1ms to 1s'],
    ['a burst above the quota', { quota: 0.1, burst: 0.2 }, 'workload.burst', 'at most the quota'],
    ['no CPU left', { offlineCpus: 104 }, 'workload.offlineCpus', 'fewer than the 104'],
    ['plain work of nothing', { kind: 'compute', work: 0 }, 'workload.work', 'above 0'],
  ])('%s', (_what, workload, path, says) => {
    const problems = padata.check(cellOf({ workload }));
    expect(problems).toContainEqual(expect.objectContaining({ path, expected: expect.stringContaining(says) }));
  });

  it.each<readonly [string, CellOptions, string]>([
    ['nice values for shared workers', { kernel: { maxNice: true } }, 'kernel.kthreads'],
    ['back-pressure without charges', { kernel: { backPressure: true } }, 'kernel.backPressure'],
    ['an order of locks without helpers', { variant: 'single', workload: { lockOrder: 'inverted' } }, 'kernel.threads'],
    ['CPUs that do not fit the topology', { cpus: 103 }, 'machine.cpus'],
  ])('%s', (_what, options, path) => {
    expect(padata.check(cellOf(options)).map((problem) => problem.path)).toContain(path);
  });

  it('nothing of the plain cell', () => {
    expect(padata.check(cellOf())).toEqual([]);
  });
});

it('every metric that is asked for is there', () => {
  const names = padata.metrics.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      'job_seconds',
      'speedup_ratio',
      'workers',
      'workers_cap',
      'chunks_total',
      'chunk_bytes',
      'helper_cpu_seconds',
      'mmap_lock_write_wait_seconds_total',
      'mmap_lock_writes_total',
      'locked_bytes_max',
      'quota_overage_ratio',
      'debt_max_seconds',
      'throttled_seconds',
      'neighbour_slowdown_ratio',
      'neighbour_wakeup_p99_seconds',
      'undo_bytes',
      'undo_seconds',
      'kill_latency_seconds',
      'guest_start_seconds',
    ]),
  );
});
