// What must hold whatever the workload: placement, sysctls, namespaces, teardown. Invariants that are checked while a cell
// runs (lists, counters, limits, no use after free) are exercised by all of these.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ipvs } from './mechanism.js';
import { EstKthreads } from './model/est-kthreads.js';
import type { Kthread } from './model/kthread.js';
import { cellOf, type CellOptions, run, systemOf } from './testing/cells.js';

const of = (options: CellOptions) => run(options).metrics as Record<string, number>;
const SMALL = { profile: 'xeon6326-performance', cpus: 4 } as const;
/** A column of the table of samples. */
function column(options: CellOptions, name: string): { readonly seconds: number; readonly value: number }[] {
  const { telemetry } = run(options);
  const at = telemetry.headers[0]!.tables[0]!.columns.findIndex((candidate) => candidate.name === name);
  return telemetry.frames
    .filter(({ table }) => table === 0)
    .flatMap(({ columns, rows }) =>
      Array.from({ length: rows }, (_, i) => ({ seconds: columns[0]![i]!, value: columns[at]![i]! })),
    );
}

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
  it('estimate each estimator once in two seconds, whatever HZ and build', () => {
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

  it('put a burst that fits into one row into one row', () => {
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

describe('run_estimation', () => {
  const workload = { services: 20, duration: 40, warmup: 4, runEstimationOffAt: 12.1, runEstimationOnAt: 25.1 };

  it.each(['v6.2', 'timer'])(
    '0 freezes totals and rates, and 1 brings all packets since into the next sample: %s',
    (variant) => {
      const options = { ...SMALL, variant, workload };
      const shown = column(options, 'total_packets_shown');
      const injected = column(options, 'total_packets_injected');
      const rates = column(options, 'total_rate_shown_per_second');
      const frozen = shown.filter(({ seconds }) => seconds > 14.2 && seconds < 25);
      expect(new Set(frozen.map(({ value }) => value)).size).toBe(1);
      expect(
        new Set(rates.filter(({ seconds }) => seconds > 14.2 && seconds < 25).map(({ value }) => value)).size,
      ).toBe(1);
      const first = shown.findIndex(({ seconds, value }) => seconds > 25 && value > frozen[0]!.value);
      // Nothing is missing: what is shown then is what had come by the time of that sample.
      expect(shown[first]!.value).toBeGreaterThan(injected[first - 1]!.value - 1);
      const peak = Math.max(...rates.filter(({ seconds }) => seconds > 25).map(({ value }) => value));
      expect(peak).toBeGreaterThan(1.5 * rates[0 + 120]!.value);
    },
  );

  it('stops and starts the kthreads without a new calculation', () => {
    const metrics = of({ ...SMALL, workload });
    expect(metrics['calc_phases_total']).toBe(1);
    const running = column({ ...SMALL, workload }, 'kthreads_running');
    expect(running.find(({ seconds }) => seconds > 20)!.value).toBe(0);
    expect(running.at(-1)!.value).toBe(1);
  });
});

describe('est_nice and est_cpulist', () => {
  const base = { services: 500, duration: 20, warmup: 15 };

  it('est_nice restarts kthreads with it, without a new calculation', () => {
    const system = systemOf({ ...SMALL, workload: { ...base, estNice: 19, estNiceAt: 5 } });
    system.start();
    system.parts.machine.run(1e12);
    const { placement } = system.netns[0]!.estimation as EstKthreads;
    expect((placement.kthreads[0]!.task as Kthread).task.nice).toBe(19);
    expect(system.parts.observer.calcPhases).toBe(1);
  });

  it('a kthread of nice 19 estimates late on saturated CPUs, one of -10 does not', () => {
    const metrics = (estNice: number) =>
      of({
        ...SMALL,
        constants: { estimateColdNs: 1000 },
        workload: { services: 20_000, duration: 40, warmup: 10, saturate: true, estNice, estNiceAt: 4 },
      });
    expect(metrics(19)['estimation_missed_total']).toBeGreaterThan(0);
    expect(metrics(-10)['estimation_missed_total']).toBe(0);
  });

  it('est_cpulist counts CPUs that its writer may use, calculates anew and keeps kthreads there', () => {
    const workload = { ...base, estCpulist: '0-2', estCpulistWriter: '2-3', estCpulistAt: 5 };
    const system = systemOf({ ...SMALL, workload });
    system.start();
    system.parts.machine.run(1e12);
    const { placement, status } = system.netns[0]!.estimation as EstKthreads;
    expect(status.kthreadsLimit).toBe(4);
    expect([...(placement.kthreads[0]!.task as Kthread).task.affinity!]).toEqual([2]);
    expect(system.parts.observer.calcPhases).toBe(2);
    expect(status.placed).toBe(501);
  });

  it('an empty list stops all kthreads; rules may be added meanwhile, and are estimated when CPUs are given again', () => {
    const workload = { services: 50, add: 'paced', addInterval: 0.2, duration: 24, warmup: 20, estCpulistAt: 3 };
    expect(of({ ...SMALL, workload })['estimators_unplaced']).toBeGreaterThan(30);
    const back = of({ ...SMALL, workload: { ...workload, estCpulistRestoreAt: 15 } });
    expect(back['estimators_unplaced']).toBe(0);
    expect(back['estimators_placed']).toBe(51);
  });

  it('keeps the delays of estimators when it relinks them: nobody waits for two periods', () => {
    const workload = { services: 3000, duration: 24, warmup: 6, estCpulist: '0-3', estCpulistAt: 12 };
    expect(of({ ...SMALL, workload })['estimation_period_max_seconds']).toBeLessThan(2.4);
  });
});

describe('more estimators than kthreads may take', () => {
  // 2,400 in a kthread, 4 kthreads.
  const options: CellOptions = { ...SMALL, constants: { estimateHotNs: 5000 } };
  const workload = { services: 12_000, duration: 14, warmup: 8, estCpulist: '1', estCpulistAt: 0.001 };

  it('leaves the rest in the list without a word: additions succeed, it is never estimated', () => {
    const metrics = of({ ...options, workload });
    expect(metrics['kthread_estimators_limit']).toBe(2400);
    expect(metrics['kthreads']).toBe(4);
    expect(metrics['estimators_placed']).toBe(9600);
    expect(metrics['estimators_unplaced']).toBe(12_001 - 9600);
  });

  it('places one that waits for each that is deleted', () => {
    const placed = of({ ...options, workload: { ...workload, churnRate: 100 } });
    // What was deleted last may not have been replaced yet.
    expect(placed['estimators_placed']).toBeGreaterThan(9590);
    expect(placed['estimators_placed']! + placed['estimators_unplaced']!).toBe(12_001);
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

describe('namespaces', () => {
  it('never share a kthread, and have none before their first service', () => {
    const workload = { services: 100, netns: 3, idleNetns: 4, duration: 8, warmup: 6 };
    const system = systemOf({ ...SMALL, workload });
    system.start();
    system.parts.machine.run(1e12);
    const running = system.netns.map(({ estimation }) => estimation.status.kthreadsRunning);
    expect(running).toEqual([1, 1, 1, 0, 0, 0, 0]);
    expect(system.parts.observer.calcPhases).toBe(3);
  });

  it('give everything back when they are torn down', () => {
    const system = systemOf({
      ...SMALL,
      workload: { services: 5000, netns: 2, teardownAt: 5, duration: 12, warmup: 6 },
    });
    system.start();
    system.parts.machine.run(1e12);
    const { status } = system.netns[1]!.estimation;
    expect([status.placed, status.unplaced, status.kthreads]).toEqual([0, 0, 0]);
    expect(system.parts.estimators.count).toBe(5001);
    expect(system.parts.memory.kthreadsAndTicks).toBe(1024 + 1024 * ticks(system));
  });

  it.each([
    ['v6.2', true],
    ['race-fix', false],
  ])('torn down while limits are calculated: %s writes behind the arrays: %s', (variant, writes) => {
    const workload = { services: 500, add: 'present', netns: 1, teardownAt: 0.03, duration: 4, warmup: 2 };
    const overruns = of({ ...SMALL, variant, workload })['array_overruns_total']!;
    expect(overruns > 0).toBe(writes);
  });
});

describe('the reload work', () => {
  it.each(['v6.2', 'race-fix'])(
    'brings every kthread back when it is written to while limits are calculated: %s',
    (variant) => {
      const workload = {
        services: 30_000,
        add: 'present',
        duration: 10,
        warmup: 6,
        estCpulist: '0-3',
        estCpulistAt: 0.03,
      };
      const metrics = of({ ...SMALL, variant, workload, constants: { estimateHotNs: 90 }, cpus: 64 });
      expect(metrics['kthreads']).toBe(4);
      expect(metrics['kthreads_limit']).toBe(16);
      expect(metrics['estimators_unplaced']).toBe(0);
      expect(metrics['estimation_period_max_seconds']).toBeLessThan(2.1);
    },
  );

  it('starts kthread 0 again when its data was kept and there is something to estimate', () => {
    const system = systemOf({
      ...SMALL,
      variant: 'race-fix',
      workload: { services: 10, add: 'present', duration: 12 },
    });
    const netns = system.netns[0]!;
    const { placement } = netns.estimation as EstKthreads;
    const { machine } = system.parts;
    const seen: unknown[] = [];
    const look = (): void => void seen.push([placement.ktCount, placement.kthreads[0]?.task !== undefined]);
    machine.spawn('ipvsadm', function* () {
      yield machine.sleep(3e9);
      while (netns.rules.length > 0) yield* netns.deleteRule(0);
      yield* netns.estimation.stop(netns.total);
      yield machine.sleep(1e9);
      look();
      yield* netns.addRule(10, true);
      yield machine.sleep(3e9);
      look();
    });
    system.start();
    machine.run(8e9);
    expect(seen).toEqual([
      [1, false],
      [1, true],
    ]);
    expect(placement.placed).toBe(1);
  });
});

const ticks = (system: ReturnType<typeof systemOf>): number =>
  (system.netns[0]!.estimation as EstKthreads).placement.kthreads.reduce(
    (sum, kd) => sum + (kd?.ticks.filter((tick) => tick !== undefined).length ?? 0),
    0,
  );

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
