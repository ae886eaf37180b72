// The table of expected results: what was published, what was measured, and what each design must do because of its
// mechanism. Medians over seeds that no constant was looked at with.
import { describe, expect, it } from 'vitest';
import { nsCosts } from './model/costs.js';
import type { NetnsCell } from './model/system.js';
import { cellOf, type CellOptions, run, runSeeds } from './testing/cells.js';

const SEEDS = [101, 102, 103, 104, 105];
const GB = 1e9;

describe('50,000 unshare cycles on 40 CPUs', () => {
  const before = runSeeds({ variant: 'before' }, SEEDS);
  const after = runSeeds({ variant: 'v4' }, SEEDS);

  it('takes 120 s, as published', () => {
    expect(before('loop_seconds')).toBeGreaterThan(114);
    expect(before('loop_seconds')).toBeLessThan(126);
  });

  it('loses 15 GB before the series, within a quarter', () => {
    expect(before('mem_available_dip_bytes')).toBeGreaterThan(11.25 * GB);
    expect(before('mem_available_dip_bytes')).toBeLessThan(18.75 * GB);
  });

  it('loses it at 120 MB/s, within a quarter', () => {
    expect(before('mem_slope_bytes_per_second')).toBeGreaterThan(90e6);
    expect(before('mem_slope_bytes_per_second')).toBeLessThan(150e6);
  });

  it('begins with passes that return quickly and ends with one that takes tens of seconds', () => {
    expect(before('cleanup_pass_second_seconds')).toBeLessThan(1);
    expect(before('cleanup_pass_longest_seconds')).toBeGreaterThan(20);
  });

  it('dips by 0.2 to 0.5 GB after the series, without a trend', () => {
    expect(after('mem_available_dip_bytes')).toBeGreaterThan(0.2 * GB);
    expect(after('mem_available_dip_bytes')).toBeLessThan(0.5 * GB);
    expect(after('mem_slope_bytes_per_second')).toBeLessThan(5e6);
    expect(after('drain_seconds')).toBeLessThan(5);
  });
});

describe('no runaway where the mechanism gives no reason for one', () => {
  const cases: readonly (readonly [string, CellOptions])[] = [
    ['a fair mutex shares barriers among thousands of waiters', { variant: 'fairMutex' }],
    ['callers without a mutex share every barrier', { variant: 'waitq' }],
    ['with max_active 1024 nobody waits outside with an old snapshot', { variant: 'maxActive' }],
    ['v1 has one barrier for a whole list', { variant: 'v1' }],
    ['v2 has one barrier for a whole list', { variant: 'v2' }],
    ['v3 has one barrier for a whole list', { variant: 'v3' }],
    ['6.10 has even fewer', { variant: 'v4_delay1s' }],
    ['100 a second leave time for each pass', { workload: { rate: 100, cycles: 10_000 } }],
    ['6 CPUs at 1,000 a second keep up', { profile: 'deb510-6cpu', workload: { rate: 1000 } }],
    ['6 CPUs as fast as they go keep up', { profile: 'deb510-6cpu' }],
    ['a mutex that is never stolen is fair', { constants: { mutexStealProbability: 0 } }],
    ['no user of fragment reassembly, no fqdir', { kernel: { fqdirsPerNs: 0 } }],
  ];
  it.each(cases)('%s', (_why, options) => {
    const { metrics } = run(options);
    expect(metrics['mem_available_dip_bytes']).toBeLessThan(0.5 * GB);
    expect(metrics['drain_seconds']).toBeLessThan(5);
  });
});

describe('a runaway where it does', () => {
  const cases: readonly (readonly [string, CellOptions])[] = [
    ['three fqdirs a namespace', { kernel: { fqdirsPerNs: 3 } }],
    ['four threads at the same rate together', { workload: { threads: 4, rate: 416 } }],
    ['a mutex that is always stolen', { constants: { mutexStealProbability: 1 } }],
    ['a mutex that is stolen one time in four', { constants: { mutexStealProbability: 0.25 } }],
  ];
  it.each(cases)('%s', (_why, options) => {
    expect(run(options).metrics['mem_available_dip_bytes']).toBeGreaterThan(8 * GB);
  });

  it('with max_active 32 the backlog grows more slowly than with 256', () => {
    const small = run({ kernel: { maxActive: 32 } }).metrics;
    expect(small['mem_available_dip_bytes']).toBeGreaterThan(3 * GB);
    expect(small['kworkers_max']).toBeLessThan(run().metrics['kworkers_max']!);
  });
});

describe('objects and memory of a namespace', () => {
  const kb = 1024;
  it.each([
    [2, 15, 193],
    [40, 91, 456],
  ])('on %i possible CPUs: %i sockets and %i kB, within 2 %%', (cpus, socks, kilobytes) => {
    const { metrics } = run({ cpus, workload: { kind: 'holdAndDrop', cycles: 100 } });
    expect(metrics['sock_inode_cache_max']! / 100).toBeCloseTo(socks, 5);
    const perNs = metrics['mem_available_dip_bytes']! / 100 / kb;
    expect(Math.abs(perNs / kilobytes - 1)).toBeLessThan(0.02);
  });

  it('has two control sockets, whatever the CPUs, once they are no longer per CPU', () => {
    const cell = cellOf({ kernel: { perCpuCtlSocks: false } }) as NetnsCell;
    expect(nsCosts(cell.machine.constants, cell.kernel, 40).socks).toBe(13);
  });

  it('stays near the live kernel: net_namespace objects on 2 CPUs within half of 1757 to 2807', () => {
    const { metrics } = run({
      profile: 'live618-2cpu',
      variant: 'v4_delay1s',
      kernel: { perCpuCtlSocks: false, fqdirsPerNs: 3, expedited: true },
    });
    expect(metrics['net_namespace_max']).toBeGreaterThan(1757 / 2);
    expect(metrics['net_namespace_max']).toBeLessThan(2807 * 1.5);
  });
});
