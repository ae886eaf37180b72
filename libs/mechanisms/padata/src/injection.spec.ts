// What may be set, by the names that `--set` has for it: it is taken, it changes the run, or it is refused with a clear line.
import { describe, expect, it } from 'vitest';
import { kernelSchema } from './kernel.js';
import { padata } from './mechanism.js';
import { cellOf, type CellOptions, run } from './testing/cells.js';
import { workloadSchema } from './workloads.js';

const GIB = 2 ** 30;
const SMALL = { guest: '3GiB', minChunk: '16MiB' };
const QUOTA = { quota: '50ms', busyAfter: '200ms' };

const digestOf = ({ workload, ...options }: CellOptions): string =>
  run({ variant: 'series', ...options, workload: { ...SMALL, ...workload } }).digest;

describe('a run is changed by', () => {
  const plain = digestOf({});
  it.each<readonly [string, CellOptions]>([
    ['the size of the guest', { workload: { guest: '4GiB' } }],
    ['the kind of pages', { workload: { pages: 'thp' } }],
    ['prefaulting', { workload: { prefaulted: true } }],
    ['max_threads', { workload: { maxThreads: 3 } }],
    ['min_chunk', { workload: { minChunk: '32MiB' } }],
    ['align', { workload: { align: '64MiB' } }],
    ['pages of cache', { kernel: { cachePages: 1000 } }],
    ['affinity', { workload: { affinity: 4 } }],
    ['a quota', { workload: QUOTA }],
    ['neighbours', { workload: { neighbours: 104 } }],
    ['probes', { workload: { probes: 4 } }],
    ['memory hogs', { workload: { memoryHogs: 8 } }],
    ['a page that cannot be pinned', { workload: { errorPages: '100000' } }],
    ['SIGKILL', { workload: { killAfter: '5ms' } }],
    ['a limit of the memory cgroup', { workload: { memoryLimit: '512MiB' } }],
    ['RLIMIT_MEMLOCK', { workload: { lockLimit: '512MiB' } }],
    ['a helper that cannot be created', { workload: { failCreations: 2 } }],
    ['CPUs that are offline', { workload: { offlineCpus: 100 } }],
    ['several jobs', { workload: { jobs: 2 } }],
  ])('%s', (_what, options) => {
    expect(digestOf(options)).not.toBe(plain);
  });

  it.each<readonly [string, CellOptions['workload']]>([
    ['the period', { period: '20ms' }],
    ['the burst', { burst: '50ms', idleBefore: '500ms' }],
    ['the quota of the group above', { parentQuota: '20ms' }],
  ])('%s, where there is a quota', (_what, workload) => {
    expect(digestOf({ workload: { ...QUOTA, ...workload } })).not.toBe(digestOf({ workload: QUOTA }));
  });
});

describe('every constant of every profile', () => {
  it.each(padata.profiles.map((profile) => [profile.id, profile] as const))('of %s may be set', (id, { constants }) => {
    for (const { name, value } of constants) {
      const problems = padata.check(cellOf({ profile: id, constants: { [name]: value } }));
      expect(problems).toEqual([]);
    }
  });

  it.each([
    ['hugetlbColdPageNs', 900],
    ['hugetlbColdWorkerSpeedRatio', 0.5],
    ['memoryBytesPerSecond', 1e10],
    ['pageCheckNs', 20],
    ['hugetlbColdBatchJitterRatio', 0],
    ['wakeNs', 5_000],
    ['idleExitNs', 0],
    ['deepIdleNs', 1e9],
    ['helperStartNs', 0],
    ['kthreadCreateNs', 1e6],
    ['accountNs', 5_000],
    ['contextSwitchNs', 20_000],
  ])('among them %s, and it changes the run', (name, value) => {
    expect(digestOf({ constants: { [name]: value } })).not.toBe(digestOf({}));
  });
});

describe('the schemas refuse', () => {
  it.each([
    ['a size that is none', { guest: 'much' }],
    ['a negative size', { guest: -1 }],
    ['no thread', { maxThreads: 0 }],
    ['half a thread', { maxThreads: 1.5 }],
    ['pages of another kind', { pages: 'gigantic' }],
    ['a list with a gap', { errorPages: '1,,2' }],
    ['a page before the first', { errorPages: '-1' }],
    ['a negative quota', { quota: -1 }],
    ['a name that nothing has', { guests: 2 }],
  ])('%s', (_what, workload) => {
    expect(workloadSchema.safeParse(workload).success).toBe(false);
  });

  it.each([
    ['a negative cache', { cachePages: -1 }],
    ['a patch that is neither on nor off', { maxNice: 'maybe' }],
  ])('%s', (_what, kernel) => {
    expect(kernelSchema.safeParse(kernel).success).toBe(false);
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
