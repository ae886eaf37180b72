// Whole cells against the invariants of the specification, by its numbers; "run time" is checked while every cell runs.
//
//  1, 2 chunks cover the job, cuts        job.spec.ts; run time: Dispenser
//  3, 4 pins and locked_vm, end to end    run time: PadataSystem.checkGuest(), Mm; here: errors, success
//  5    first error in time, no chunk after it       run time: Job.work(); here: errors
//  6    undo in main, after all, ascending           run time: Padata.undo(), Mm.undo(); job.spec.ts: undo
//  7    workers within each cap           job.spec.ts: the caps; here: workers
//  8    helpers in the mask               run time: Helper.run(); here: workers
//  9    nice values                       run time: Padata.waitOneByOne(), doMultithreaded(); here: nice values
// 10    main returns last                 run time: Padata.undo(), checkGuest(); here: helpers
// 11    charged, from the pool or as debt run time: Helper.run(), PadataSystem.checkCharges(); here: charging
// 12    debt and refills                  run time: noteDebt(); the machine's specs of the pool; here: charging
// 13    no charging, no change            run time: remoteBegin(); here: charging
// 14    one worker is BEFORE to the tick  here: workers
// 15    CPU time, same seed same trace    run time: PadataSystem.end(); here: a run
// 16    metamorphic                       metamorphic.spec.ts
// 17    lock classes                      here: lock order
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { run } from './testing/cells.js';
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

describe('nice values', () => {
  const BUSY = { kind: 'compute', work: 4, neighbours: 8, headStart: 0.1, maxThreads: 8 };
  it('helpers are given the one of the caller one by one, each once, and only with patch 14', () => {
    const reniced = (variant: string) =>
      run({ variant, profile: 'xeon-8cpu', workload: BUSY }).metrics['renice_total']!;
    expect(reniced('parallel-nice')).toBe(0);
    expect(reniced('parallel-renice')).toBeGreaterThan(0);
    expect(reniced('parallel-renice')).toBeLessThanOrEqual(7);
  });
});

describe('helpers', () => {
  it('have all finished when the call returns: nothing is pinned after it', () => {
    const { telemetry, metrics } = run({ variant: 'series', workload: { ...SMALL, busyAfter: 0.3 } });
    const [time, pinned, running] = ['time_seconds', 'pinned_bytes', 'helpers_running'].map((name) =>
      telemetry.column('samples', name),
    );
    const after = [...time!.keys()].filter((i) => time![i]! > 0.05 + metrics['job_seconds']!);
    expect(after.length).toBeGreaterThan(2);
    for (const i of after) expect([running![i], pinned![i]]).toEqual([0, metrics['pinned_bytes_end']]);
  });
});

describe('charging', () => {
  const workload = { guest: 18 * GIB, quota: 0.25, busyAfter: 1 };
  it('takes what helpers ran from the group, the whole of it but for the last steps', () => {
    const { metrics } = run({ variant: 'series', workload });
    expect(metrics['charged_seconds']! + metrics['uncharged_seconds']!).toBeCloseTo(metrics['helper_cpu_seconds']!, 9);
    expect(metrics['uncharged_seconds']! / metrics['helper_cpu_seconds']!).toBeLessThan(0.001);
    expect(metrics['debt_max_seconds']).toBeGreaterThan(0);
  });

  it('is nothing to a group when it is off: helpers run beside it, and its counters show the caller alone', () => {
    const { metrics } = run({ variant: 'series', kernel: { remoteCharge: false }, workload });
    expect(metrics['helper_cpu_seconds']).toBeGreaterThan(0);
    expect([metrics['charged_seconds'], metrics['debt_max_seconds']]).toEqual([0, 0]);
    expect(metrics['cpu_stat_usage_seconds']).toBeCloseTo(metrics['main_cpu_seconds']!, 9);
  });

  it('is nothing to the root group', () => {
    const { metrics } = run({ variant: 'series', workload: SMALL });
    expect([metrics['charged_seconds'], metrics['throttled_seconds']]).toEqual([0, 0]);
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
