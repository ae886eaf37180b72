// The invariants of the specification, over random machines, kernels and workloads. Most are checked while every cell
// runs (a violated one throws); here they meet cells that nobody thought of.
import { nullSink } from '@kworkbench/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { netns } from './mechanism.js';
import { simulate } from './simulate.js';
import { cellOf, type CellOptions, run, systemOf } from './testing/cells.js';
import { variants } from './variants.js';

const anyCell: fc.Arbitrary<CellOptions> = fc
  .record({
    variant: fc.constantFrom(...variants.map(({ id }) => id)),
    cpus: fc.integer({ min: 1, max: 12 }),
    seed: fc.nat(0xffff_ffff),
    kernel: fc.record(
      {
        fqdirsPerNs: fc.integer({ min: 0, max: 4 }),
        maxActive: fc.constantFrom(1, 2, 16, 256),
        batchCap: fc.constantFrom(0, 1, 5),
        userLimit: fc.constantFrom(0, 40, 200),
        perCpuCtlSocks: fc.boolean(),
        expedited: fc.boolean(),
        rtnlWait: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    workload: fc.record({
      kind: fc.constantFrom('storm', 'bursts', 'holdAndDrop', 'exec'),
      cycles: fc.integer({ min: 1, max: 400 }),
      threads: fc.integer({ min: 1, max: 8 }),
      rate: fc.constantFrom(0, 200, 5000),
      burst: fc.integer({ min: 1, max: 50 }),
      interval: fc.constantFrom(0.1, 1),
      barrierUsers: fc.integer({ min: 0, max: 3 }),
    }),
    constants: fc.record(
      {
        mutexStealProbability: fc.constantFrom(0, 0.5, 1),
        rcuBackgroundPerCpuPerSecond: fc.constantFrom(0, 5, 100),
        poolSpread: fc.constantFrom(1, 2, 4),
        workerIdleTimeoutNs: fc.constantFrom(1e6, 300e9),
      },
      { requiredKeys: [] },
    ),
    memoryBytes: fc.constantFrom(2 ** 29, 2 ** 33),
  })
  .filter((options) => netns.check(cellOf(options)).length === 0);

describe('any cell', () => {
  it('ends with every namespace freed once and every byte given back, apart from deferred struct nets (I1, I2, I8)', () => {
    fc.assert(
      fc.property(anyCell, (options) => {
        const { metrics } = run(options);
        expect(metrics['netns_freed_total']).toBe(metrics['netns_created_total']);
        expect(metrics['mem_leaked_bytes']).toBe(0);
        const structNetBytes = cellOf(options).machine.constants['structNetBytes']!;
        expect(metrics['mem_deferred_bytes']).toBeLessThanOrEqual(metrics['cleanup_batch_max']! * structNetBytes);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('gives the same telemetry for the same content (I11)', () => {
    fc.assert(
      fc.property(anyCell, (options) => {
        expect(run(options).digest).toBe(run(options).digest);
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  it('gives every declared metric, finite, and no other', () => {
    const names = netns.metrics.map(({ name }) => name).sort();
    fc.assert(
      fc.property(anyCell, (options) => {
        const { metrics } = run(options);
        expect(Object.keys(metrics).sort()).toEqual(names);
        for (const value of Object.values(metrics)) expect(Number.isFinite(value)).toBe(true);
      }),
      { numRuns: 10 },
    );
  }, 60_000);

  it('has no more namespaces outstanding than the user may have (I13)', () => {
    fc.assert(
      fc.property(anyCell, fc.integer({ min: 10, max: 60 }), (options, userLimit) => {
        const limited = { ...options, kernel: { ...options.kernel, userLimit } };
        fc.pre(netns.check(cellOf(limited)).length === 0);
        expect(run(limited).metrics['netns_outstanding_max']).toBeLessThanOrEqual(userLimit);
      }),
      { numRuns: 20 },
    );
  }, 60_000);

  it('is the same before and after the series when nobody reassembles fragments (I14)', () => {
    fc.assert(
      fc.property(anyCell, (options) => {
        const kernel = { ...options.kernel, fqdirsPerNs: 0 };
        expect(run({ ...options, kernel, variant: 'before' }).digest).toBe(
          run({ ...options, kernel, variant: 'v4' }).digest,
        );
      }),
      { numRuns: 10 },
    );
  }, 60_000);

  it('runs v4 with at most two barriers a pass and one a free run, other users apart (I10)', () => {
    fc.assert(
      fc.property(anyCell, (options) => {
        const workload = { ...options.workload, barrierUsers: 0 };
        const system = systemOf({ ...options, workload, variant: 'v4' });
        system.start();
        system.machine.run(1e15);
        expect(system.finished).toBe(true);
        expect(system.barrier.calls).toBeLessThanOrEqual(2 * system.cleanup.passes + system.fragment.freeRuns);
      }),
      { numRuns: 20 },
    );
  }, 60_000);
});

describe('one design against another', () => {
  const storm: CellOptions = { workload: { cycles: 12_000 } };

  it('loses no more memory with a fair mutex than with a stolen one (I12)', () => {
    const fair = run({ ...storm, variant: 'fairMutex' }).metrics['mem_available_dip_bytes']!;
    expect(fair).toBeLessThanOrEqual(run({ ...storm, variant: 'before' }).metrics['mem_available_dip_bytes']!);
  });

  it('waits in rcu_barrier() without a mutex for two grace periods, ticks and the callbacks before it (I12)', () => {
    const { metrics } = run({ ...storm, variant: 'waitq' });
    const { rcuGpBaseNs, rcuGpPerCpuNs, rcuGpJitterRatio, rcuSockCallbackNs, rcuIpiNs } = cellOf(storm).machine
      .constants as Record<string, number>;
    const gpSeconds = ((rcuGpBaseNs! + 40 * rcuGpPerCpuNs!) * (1 + rcuGpJitterRatio!)) / 1e9;
    const backlogSeconds = (metrics['rcu_callbacks_queued_max']! * rcuSockCallbackNs!) / 1e9;
    const bound = 2 * gpSeconds + 2 * 0.004 + (40 * rcuIpiNs!) / 1e9 + backlogSeconds;
    // A caller waits for the barrier under way and for its own.
    expect(metrics['rcu_barrier_wait_max_seconds']).toBeLessThan(2 * bound);
  });

  it('reads freed memory in v1 only', () => {
    expect(run({ variant: 'v1', workload: { cycles: 50 } }).metrics['use_after_free_total']).toBe(100);
    for (const variant of ['before', 'v2', 'v3', 'v4']) {
      expect(run({ variant, workload: { cycles: 50 } }).metrics['use_after_free_total']).toBe(0);
    }
  });

  it('never has more than max_active workers of a pool inside a work item (I7)', () => {
    const { metrics } = run({ kernel: { maxActive: 32 }, workload: { cycles: 10_000 } });
    // Per CPU: 32 inside an item, one that is woken next, and one idle.
    expect(metrics['kworkers_max']).toBeLessThanOrEqual(40 * 34 + 2);
  });
});

describe('a host that runs out of memory', () => {
  const storm: CellOptions = { memoryBytes: 2 * 2 ** 30 };

  it('stalls unshare, kills the thread, and gives everything back', () => {
    const { metrics } = run({ ...storm, variant: 'before' });
    expect(metrics['oom_kills_total']).toBe(1);
    expect(metrics['netns_created_total']).toBeLessThan(10_000);
    expect(metrics['unshare_latency_p99_seconds']).toBeGreaterThan(2 * metrics['unshare_latency_p50_seconds']!);
    expect(metrics['mem_leaked_bytes']).toBe(0);
  });

  it('has enough of it after the series', () => {
    expect(run({ ...storm, variant: 'v4' }).metrics['oom_kills_total']).toBe(0);
  });

  it('kills the newest of several threads first', () => {
    const { metrics } = run({ ...storm, workload: { threads: 4 } });
    expect(metrics['oom_kills_total']).toBeGreaterThanOrEqual(1);
    expect(metrics['oom_kills_total']).toBeLessThanOrEqual(4);
  });
});

describe('golden digests', () => {
  // Same cell, same digest, on any machine. A change of behaviour changes these and raises the model version.
  it.each(GOLDEN())('%s', (_name, options, digest) => {
    expect(run(options).digest).toBe(digest);
  });
});

function GOLDEN(): [string, CellOptions, string][] {
  return [
    [
      'before, 2,000 cycles',
      { variant: 'before', workload: { cycles: 2000 } },
      '78840df389ea222b5e9118cd984673bd14a363bc00517a6812e5db955ee9a1ed',
    ],
    [
      'v4, 2,000 cycles',
      { variant: 'v4', workload: { cycles: 2000 } },
      'a47d9178ea358e4151ea6164f27e0f1c5e85a16823c7881c6ef82db76afd416e',
    ],
    [
      'waitq, bursts on 6 CPUs',
      { variant: 'waitq', profile: 'deb510-6cpu', workload: { kind: 'bursts', cycles: 1000 } },
      '0d5d82d997e4510f4b480b7b625377165457352365565c42f3ee6628cfe8036c',
    ],
    [
      'v3, held and dropped',
      { variant: 'v3', workload: { kind: 'holdAndDrop', cycles: 500, threads: 3 } },
      'bd8a941e2998b4ec5b5e07d06381b550b5d99e338902dcb6ab0d01cf6d8b6326',
    ],
  ];
}

describe('simulate', () => {
  it('throws when the model breaks an invariant', () => {
    const cell = cellOf({ workload: { cycles: 10 } });
    const constants = { ...cell.machine.constants, exitMemoryRatio: 0.65, deviceMemoryRatio: 0.6 };
    expect(() => simulate({ ...cell, machine: { ...cell.machine, constants } }, nullSink)).toThrow(/memory/);
  });
});
