// Whole cells against the invariants of the specification. Most are checked while every cell runs (system.ts, job.ts,
// mm.ts); these specs drive them into corners and look at what a cell gives.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellOf, run } from './testing/cells.js';
import { padata } from './mechanism.js';

const GIB = 2 ** 30;
const PAGE = 4096;
const SMALL = { guest: 3 * GIB, minChunk: 16 * 2 ** 20 };

describe('errors', () => {
  it('anywhere, in one chunk or in several, leave locked_vm and pins as they were', () => {
    const pages = GIB / PAGE;
    const job = fc.record({
      variant: fc.constantFrom('single', 'parallel-no-cache', 'parallel', 'series', 'account-whole', 'user-threads'),
      errors: fc.array(fc.nat(pages - 1), { minLength: 1, maxLength: 3 }),
      threads: fc.integer({ min: 1, max: 9 }),
      cachePages: fc.constantFrom(0, 100, 4096, 65_536),
      kind: fc.constantFrom('hugetlb', 'thp', 'small'),
    });
    fc.assert(
      fc.property(job, ({ variant, errors, threads, cachePages, kind }) => {
        const kernel = variant === 'parallel' || variant === 'series' ? { cachePages } : {};
        const workload = { ...SMALL, pages: kind, maxThreads: threads, errorPages: errors.join(',') };
        const { metrics } = run({ variant, kernel, workload });
        expect(metrics['error_code']).toBe(14);
        expect(metrics['locked_bytes_end']).toBe(0);
        expect(metrics['pinned_bytes_end']).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['RLIMIT_MEMLOCK', { lockLimit: GIB / 2 }, 12],
    ['a memory cgroup', { memoryLimit: GIB / 2 }, 12],
    ['a fatal signal', { killAfter: 0.005 }, 4],
  ])('of %s are undone as well', (_what, limit, errno) => {
    const { metrics } = run({ variant: 'series', workload: { ...SMALL, ...limit } });
    expect(metrics['error_code']).toBe(errno);
    expect(metrics['locked_bytes_end']).toBe(0);
    expect(metrics['undo_bytes']).toBeGreaterThan(0);
  });

  it('are lost without patch 2, and leave pins behind without patch 3', () => {
    const workload = { ...SMALL, errorPages: '100000' };
    expect(run({ variant: 'series', kernel: { firstError: false, undo: false }, workload }).metrics['error_code']).toBe(
      0,
    );
    expect(run({ variant: 'series', kernel: { undo: false }, workload }).metrics['pinned_bytes_end']).toBeGreaterThan(
      0,
    );
  });
});

describe('success', () => {
  it.each([0, 100, 32_768, 65_536])('accounts exactly what is pinned with %d pages of cache', (cachePages) => {
    const { metrics } = run({ variant: 'parallel', kernel: { cachePages }, workload: SMALL });
    expect(metrics['locked_bytes_end']).toBe(GIB);
    expect(metrics['pinned_bytes_end']).toBe(GIB);
    expect(metrics['cached_bytes_max']).toBeLessThanOrEqual(metrics['workers']! * cachePages * PAGE);
  });

  it('an RLIMIT that fits exactly is enough although caches reserve more', () => {
    const { metrics } = run({ variant: 'parallel', workload: { ...SMALL, lockLimit: GIB } });
    expect(metrics['error_code']).toBe(0);
  });
});

describe('workers', () => {
  it.each([
    ['a mask of 4', { affinity: 4 }, 4, 2],
    ['a quota of 2.5 CPUs', { quota: 0.25 }, 2, 3],
    ['a quota of half a CPU', { quota: 0.05 }, 1, 3],
    ['4 CPUs that are left', { offlineCpus: 100 }, 4, 2],
    ['two helpers that cannot be made', { failCreations: '2,3' }, 14, 5],
  ])('%s', (_what, change, workers, cap) => {
    const { metrics } = run({ variant: 'series', workload: { guest: 6 * GIB, ...change } });
    expect(metrics['workers']).toBe(workers);
    expect(metrics['workers_cap']).toBe(cap);
  });

  it('half a CPU still cuts the range in quarters', () => {
    const { metrics } = run({ variant: 'series', workload: { guest: 6 * GIB, start: 0, quota: 0.05 } });
    expect(metrics['chunks_total']).toBe(4);
  });

  it('of several jobs stay below the CPUs that are online', () => {
    const { metrics } = run({ variant: 'series', cpus: 8, workload: { guest: 6 * GIB, jobs: 4 } });
    expect(metrics['workers']).toBeLessThanOrEqual(8);
    expect(metrics['error_code']).toBe(0);
  });

  it('one of them is as fast as no padata at all, to the tick', () => {
    const one = run({ variant: 'parallel-no-cache', workload: { ...SMALL, maxThreads: 1 } });
    const none = run({ variant: 'single', workload: { ...SMALL, maxThreads: 1 } });
    expect(one.metrics['job_seconds']).toBe(none.metrics['job_seconds']);
  });
});

describe('a run', () => {
  it('is a function of its cell', () => {
    const options = { variant: 'series', workload: { ...SMALL, quota: 0.25, neighbours: 3, probes: 2 } };
    expect(run(options).digest).toBe(run(options).digest);
  });

  it('gives exactly the metrics that are declared', () => {
    expect(Object.keys(run({ workload: SMALL }).metrics)).toEqual(padata.metrics.map(({ name }) => name));
  });

  it('is no slower with more bandwidth, and twice as long with twice the chunk', () => {
    const at = (constants: Record<string, number>) => run({ workload: SMALL, constants }).metrics['job_seconds']!;
    expect(at({ memoryBytesPerSecond: 2e11 })).toBeLessThanOrEqual(at({ memoryBytesPerSecond: 5e10 }));
    const guest = (gib: number) => run({ variant: 'single', workload: { guest: gib * GIB } }).metrics['job_seconds']!;
    expect(guest(6) / guest(4)).toBeCloseTo(2, 1);
  });
});

describe('lock order (patch 4)', () => {
  it.each([
    ['fine', 0],
    ['inverted', 1],
    ['otherSite', 0],
  ])('%s: %d reports', (lockOrder, reports) => {
    const { metrics } = run({ variant: 'series', kernel: { proveLocking: true }, workload: { ...SMALL, lockOrder } });
    expect(metrics['lockdep_reports_total']).toBe(reports);
  });
});

describe('the TODO items', () => {
  const workload = { guest: 6 * GIB, taskPolicy: true };
  it('leak and misplace without their switches, and do not with them', () => {
    const without = run({ variant: 'series', workload }).metrics;
    expect(without['leaked_bytes']).toBeGreaterThan(0);
    expect(without['misplaced_bytes']).toBeGreaterThan(0);
    const with_ = run({ variant: 'series-todo', workload }).metrics;
    expect([with_['leaked_bytes'], with_['misplaced_bytes']]).toEqual([0, 0]);
  });

  it('helpers that look for the signal end a killed job sooner', () => {
    const killed = { guest: 34 * GIB, killAfter: 0.1 };
    const latency = (variant: string) => run({ variant, workload: killed }).metrics['kill_latency_seconds']!;
    expect(latency('series-todo')).toBeLessThan(latency('series'));
  });
});

describe('check', () => {
  it.each([
    ['a guest of nothing', { guest: 0 }, 'workload.guest'],
    ['an alignment that is no power of two', { align: 3 * 2 ** 20 }, 'workload.align'],
    ['an error page outside of the guest', { guest: 3 * GIB, errorPages: '262144' }, 'workload.errorPages'],
    ['a quota below 1 ms', { quota: 0.0005 }, 'workload.quota'],
    ['a period above 1 s', { period: 2 }, 'workload.period'],
    ['a burst above the quota', { quota: 0.1, burst: 0.2 }, 'workload.burst'],
    ['no CPU left', { offlineCpus: 104 }, 'workload.offlineCpus'],
  ])('refuses %s', (_what, workload, path) => {
    expect(padata.check(cellOf({ workload })).map((problem) => problem.path)).toContain(path);
  });

  it('refuses nice values for shared workers, and CPUs that do not fit the topology', () => {
    const paths = (options: Parameters<typeof cellOf>[0]) => padata.check(cellOf(options)).map(({ path }) => path);
    expect(paths({ kernel: { maxNice: true } })).toContain('kernel.kthreads');
    expect(paths({ cpus: 103 })).toContain('machine.cpus');
    expect(paths({})).toEqual([]);
  });
});
