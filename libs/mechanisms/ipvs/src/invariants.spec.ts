// What must hold whatever the workload. Invariants that are checked while a cell runs (lists, counters, bitmaps, limits, no use
// after free) are exercised by all of these.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ipvs } from './mechanism.js';
import { cellOf, type CellOptions, metricsOf as of, run, SMALL } from './testing/cells.js';

const never = -1;
const time = fc.oneof(
  fc.constant(never),
  fc.integer({ min: 0, max: 60 }).map((tenths) => tenths / 10),
);
const anyCell: fc.Arbitrary<CellOptions> = fc
  .record({
    variant: fc.constantFrom('timer', 'v1', 'rfc-v4', 'v6.2', 'race-fix', 'workqueue', 'skipIdle', 'skipQuietCpus'),
    cpus: fc.constantFrom(1, 2, 5),
    hz: fc.constantFrom(100, 250, 300, 1000),
    kernel: fc.record({ build: fc.constantFrom('machine', 'voluntary', 'full', 'dynamic') }),
    workload: fc.record({
      duration: fc.constantFrom(3, 7),
      warmup: fc.constantFrom(0, 2),
      services: fc.constantFrom(0, 1, 60, 700),
      destinations: fc.constantFrom(0, 2),
      add: fc.constantFrom('batch', 'processes', 'paced', 'present'),
      addInterval: fc.constant(0.05),
      churnRate: fc.constantFrom(0, 50, 2000),
      churnPattern: fc.constantFrom('random', 'front'),
      readers: fc.constantFrom(0, 2),
      netns: fc.constantFrom(1, 3),
      idleNetns: fc.constantFrom(0, 2),
      teardownAt: time,
      idleRatio: fc.constantFrom(0, 0.9),
      trafficStopAt: time,
      estNice: fc.constantFrom(-10, 19),
      estNiceAt: time,
      estCpulist: fc.constantFrom('', '0'),
      estCpulistAt: time,
      estCpulistRestoreAt: time,
      runEstimationOffAt: time,
      runEstimationOnAt: time,
      governorSwitchAt: time,
      saturate: fc.boolean(),
      packetRate: fc.constantFrom(0, 2000),
    }),
    // Limits that are met with few estimators.
    constants: fc.record({ estimateHotNs: fc.constantFrom(6.9, 5000, 90_000) }),
    seed: fc.nat(1000),
  })
  .map((options) => ({ ...options, profile: 'xeon6326-performance' }))
  .filter((options) => ipvs.check(cellOf(options)).length === 0);

describe('any cell', () => {
  it('runs to its end with every invariant, and gives every declared metric, finite, and no other', () => {
    const names = ipvs.metrics.map(({ name }) => name).sort();
    fc.assert(
      fc.property(anyCell, (options) => {
        const { metrics } = run(options);
        expect(Object.keys(metrics).sort()).toEqual(names);
        for (const value of Object.values(metrics)) expect(Number.isFinite(value)).toBe(true);
        const { netns, idleNetns } = cellOf(options).workload as { netns: number; idleNetns: number };
        // A namespace without services has the data of one kthread, for its total, and no limit yet.
        const most = Math.max(1, metrics['kthreads_limit']!) * netns + idleNetns;
        expect(metrics['kthreads']).toBeLessThanOrEqual(most);
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it('gives the same telemetry for the same content', () => {
    fc.assert(
      fc.property(anyCell, (options) => {
        expect(run(options).digest).toBe(run(options).digest);
      }),
      { numRuns: 8 },
    );
  }, 60_000);
});

describe('kthreads at rest', () => {
  it('estimate each estimator once in two seconds, whatever HZ and build (invariant 1)', () => {
    for (const hz of [100, 250, 1000]) {
      for (const build of ['voluntary', 'full', 'dynamic'] as const) {
        const workload = { services: 3000, duration: 14, warmup: 6 };
        const metrics = of({ ...SMALL, hz, kernel: { build }, workload });
        expect(metrics['estimation_period_mean_seconds']).toBeCloseTo(2, 5);
        expect(metrics['estimation_period_error_p99_seconds']).toBeLessThan(1 / hz + metrics['tick_max_seconds']!);
        expect(metrics['estimation_missed_total']).toBe(0);
      }
    }
  });

  it('could be work items: the same period and work, but est_nice and est_cpulist do not reach them', () => {
    const workload = { services: 20_000, add: 'present', duration: 20, warmup: 8, estCpulist: '1', estCpulistAt: 3 };
    const kthreads = of({ ...SMALL, workload });
    const work = of({ ...SMALL, variant: 'workqueue', workload });
    expect(work['estimation_period_mean_seconds']).toBeCloseTo(2, 5);
    expect(work['kthreads']).toBe(kthreads['kthreads']);
    expect(work['calc_phases_total']).toBe(2);
    expect(work['cpu_total_ratio']! / kthreads['cpu_total_ratio']!).toBeCloseTo(1, 1);
    const late = { ...workload, estCpulistAt: -1, saturate: true, estNice: 19, estNiceAt: 4, duration: 40 };
    const constants = { estimateColdNs: 1000 };
    expect(of({ ...SMALL, constants, workload: late })['estimation_missed_total']).toBeGreaterThan(0);
    expect(of({ ...SMALL, constants, variant: 'workqueue', workload: late })['estimation_missed_total']).toBe(0);
  });

  it('keep a CPU for a chain, for a tick, or for a lock, as the build has it', () => {
    const section = (build: 'voluntary' | 'full' | 'dynamic') =>
      of({ kernel: { build }, workload: { services: 5000, add: 'present', duration: 8, warmup: 6 } });
    const chain = section('voluntary');
    expect(chain['nonpreemptible_max_seconds']).toBeLessThan(100e-6);
    const dynamic = section('dynamic');
    expect(dynamic['nonpreemptible_max_seconds']).toBeCloseTo(dynamic['tick_max_seconds']!, 6);
    expect(dynamic['nonpreemptible_max_seconds']).toBeGreaterThan(4e-3);
    expect(section('full')['nonpreemptible_max_seconds']).toBeLessThan(10e-6);
  });

  it('estimate a new estimator within two seconds when one comes at a time', () => {
    const workload = { services: 20, add: 'paced', addInterval: 1.01, duration: 30, warmup: 25 };
    const metrics = of({ ...SMALL, workload });
    expect(metrics['first_estimation_max_seconds']).toBeLessThan(2.05);
  });

  it('put a burst that fits into one row into one row (invariant 6)', () => {
    const metrics = of({ profile: 'xeon6326-performance', workload: { services: 1000, duration: 8, warmup: 6 } });
    expect(metrics['tick_estimators_max']).toBe(1001);
  });

  it('do less when idle estimators are passed over or quiet CPUs are not read, with the same rates', () => {
    const workload = { services: 2000, duration: 60, warmup: 50, idleRatio: 0.9, trafficCpus: 4, add: 'present' };
    const merged = of({ workload });
    const idle = of({ variant: 'skipIdle', workload });
    const quiet = of({ variant: 'skipQuietCpus', workload });
    expect(idle['cpu_total_ratio']).toBeLessThan(0.25 * merged['cpu_total_ratio']!);
    expect(quiet['cpu_total_ratio']).toBeLessThan(0.15 * merged['cpu_total_ratio']!);
    for (const other of [idle, quiet]) expect(Math.abs(other['rate_error_ratio']!)).toBeLessThan(0.01);
  });
});

describe('the table of kthreads', () => {
  it('tells what each has, once in two seconds', () => {
    const { telemetry } = run({ profile: 'alibaba-104', workload: { services: 50_000, add: 'present', duration: 12 } });
    const rows = telemetry.frames
      .filter(({ table }) => table === 1)
      .flatMap(({ columns, rows: count }) =>
        Array.from({ length: count }, (_, i) => columns.map((column) => column[i]!)),
      );
    const last = rows.filter(([seconds]) => seconds === 10).map(([, , ...rest]) => rest.slice(0, 5));
    expect(last).toEqual([
      [0, 1, 40_800, 50, 816],
      [1, 1, 9_201, 12, 816],
    ]);
  });
});

describe('who configures', () => {
  it('spins for up to a whole walk before, and waits for a batch of 16 after', () => {
    const workload = { services: 20_000, add: 'processes', duration: 20, warmup: 15 };
    const before = of({ variant: 'timer', workload });
    expect(before['add_latency_max_seconds']).toBeGreaterThan(0.5 * before['softirq_stall_max_seconds']!);
    expect(of({ workload })['add_latency_max_seconds']).toBeLessThan(1e-3);
  });
});

describe('packets on the CPU of the timer', () => {
  it('wait for the whole walk before, and for nothing after', () => {
    const workload = { services: 20_000, add: 'present', packetRate: 2000, duration: 12, warmup: 4 };
    const before = of({ variant: 'timer', workload });
    expect(before['packet_latency_max_seconds']).toBeGreaterThan(0.95 * before['softirq_stall_max_seconds']!);
    expect(of({ workload })['packet_latency_max_seconds']).toBeLessThan(100e-6);
  });
});
