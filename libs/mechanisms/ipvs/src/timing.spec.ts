// When estimators are estimated: first, regularly, and after their kthread was stopped in the middle of a tick.
import type { Lock, LockMode, LockProbe, Task } from '@kworkbench/machine';
import { describe, expect, it } from 'vitest';
import type { IpvsSystem } from './model/system.js';
import { COUNTERS, INPKTS } from './model/ip-vs-stats.js';
import { type CellOptions, metricsOf, SMALL, systemOf } from './testing/cells.js';

/** A kthread of 40,800 in rows of 816, each of 4.4 ms: A of the specification. */
const FULL = { services: 40_799, add: 'present', packetsPerSecond: 0 } as const;

function ran(options: CellOptions, seconds: number, prepare: (system: IpvsSystem) => void = () => {}): IpvsSystem {
  const system = systemOf(options);
  prepare(system);
  system.start();
  system.parts.machine.run(seconds * 1e9);
  return system;
}

describe('the first sample (invariants 4 and 5)', () => {
  it('comes after a uniform share of two seconds in a burst that fills a kthread: 0.98 s in the mean', () => {
    const metrics = metricsOf({ workload: { ...FULL, duration: 6, warmup: 4 } });
    // Row r is due 40 r ms after the start, and ticks that came due in the calculation are made up for.
    expect(Math.abs(metrics['first_estimation_mean_seconds']! - 0.98)).toBeLessThan(0.02);
    expect(metrics['row_imbalance_ratio']).toBe(1);
    expect(metrics['chain_imbalance_ratio']).toBe(1);
  });

  it('comes 1.96 to 2 s after a slow addition, once more than two rows are full', () => {
    // Rows of 48 estimators: all but the first hundred are put into the row that has just been estimated.
    const system = ran(
      { ...SMALL, constants: { estimateHotNs: 90_000 }, workload: { services: 400, add: 'paced', addInterval: 0.037 } },
      14,
    );
    const { estimators } = system.parts;
    const late: number[] = [];
    // Those of the last four seconds have had one sample or none; one sample tells when it was the first.
    for (const est of system.netns[0]!.rules.slice(200)) {
      if (estimators.samples[est] === 1) late.push(estimators.sampledNs[est]! - estimators.startNs[est]!);
    }
    expect(late.length).toBeGreaterThan(40);
    // The first hundred have filled two rows; who comes when such a row is the last gets the one before.
    expect(Math.min(...late)).toBeGreaterThan(1.96e9 - 2 * 40e6);
    expect(late.filter((ns) => ns < 1.96e9).length).toBeLessThanOrEqual(4);
    // Kthread 0 drains when it wakes: up to a tick later.
    expect(Math.max(...late)).toBeLessThan(2.05e9);
  });

  it('takes whatever time has passed for two seconds', () => {
    const system = ran({ ...SMALL, workload: { services: 5, add: 'paced', addInterval: 0.3, duration: 20 } }, 3.2);
    const { estimators } = system.parts;
    const once = system.netns[0]!.rules.filter((est) => estimators.samples[est] === 1);
    expect(once.length).toBeGreaterThan(2);
    const delays = once.map((est) => estimators.sampledNs[est]! - estimators.startNs[est]!);
    expect(Math.min(...delays)).toBeLessThan(1.2e9);
    for (const est of once) {
      const at = est * COUNTERS + INPKTS;
      expect(estimators.average[at]).toBe(Math.floor((estimators.last[at]! * 512) / 4));
    }
  });

  it('is the same for all of a burst that fits into a row, by design', () => {
    const workload = { services: 800, add: 'present', duration: 6, warmup: 4 };
    const metrics = metricsOf({ workload });
    expect(metrics['row_imbalance_ratio']).toBe(50);
    expect(metrics['first_estimation_max_seconds']! - metrics['first_estimation_p50_seconds']!).toBeLessThan(0.005);
  });
});

describe('a kthread that is stopped (invariant 10)', () => {
  /** Restarted by est_nice at this time. */
  const restarted = (milliseconds: number): IpvsSystem =>
    ran({ workload: { ...FULL, duration: 9, warmup: 0.5, estNice: 5, estNiceAt: milliseconds / 1e3 } }, 5.1);

  it('leaves at most one row behind, whose rest waits one period more', () => {
    let cut = 0;
    for (let milliseconds = 3000; milliseconds < 3040; milliseconds += 4) {
      const system = restarted(milliseconds);
      const { periodNs, missed } = system.parts.observer;
      expect(missed).toBeLessThanOrEqual(816);
      expect(periodNs.max).toBeLessThan(4.1e9);
      if (missed > 0 && missed < 816) cut++;
    }
    // Ticks take 4.4 of 40 ms; one of the ten restarts came in the middle of one.
    expect(cut).toBeGreaterThan(0);
  });

  it('reads high in the sample after that', () => {
    const workload = { services: 200, add: 'present', duration: 12, warmup: 1, estNice: 5 } as const;
    const rates = (estNiceAt: number): number => {
      const system = ran({ ...SMALL, workload: { ...workload, estNiceAt } }, 9);
      const { missed } = system.parts.observer;
      const { estimators } = system.parts;
      const high = system.netns[0]!.rules.filter((est) => {
        const shown = estimators.average[est * COUNTERS + INPKTS]!;
        return shown > 1.2 * 1024 * estimators.packetsPerSecond[est]! * (1 - 0.75 ** estimators.samples[est]!);
      });
      return missed === 0 ? NaN : high.length / missed;
    };
    // The row is skipped when the stop comes while the kthread sleeps before it.
    const shares = Array.from({ length: 50 }, (_, i) => rates(5 + i * 0.04)).filter((share) => !Number.isNaN(share));
    expect(shares.length).toBeGreaterThan(0);
    for (const share of shares) expect(share).toBeGreaterThan(0.9);
  });
});

describe('the config mutex (invariant 9)', () => {
  /** Longest hold by kthreads. */
  class Holds implements LockProbe {
    longestNs = 0;
    count = 0;
    private sinceNs = 0;

    constructor(private readonly now: () => number) {}
    acquire(): void {}
    contended(): void {}
    acquired(): void {
      this.sinceNs = this.now();
    }
    release(_lock: Lock, task: Task, _mode: LockMode): void {
      if (!task.name.startsWith('ipvs-e')) return;
      this.count++;
      this.longestNs = Math.max(this.longestNs, this.now() - this.sinceNs);
    }
  }

  it('is held for 16 additions to chains or 64 relinks at most', () => {
    let holds!: Holds;
    const workload = { services: 30_000, add: 'present', duration: 9, warmup: 6, estCpulist: '0-1', estCpulistAt: 5 };
    ran({ ...SMALL, workload }, 9, ({ parts }) => {
      holds = new Holds(() => parts.machine.nowNs);
      parts.configMutex.probe = holds;
    });
    // 64 relinks of 250 ns are more than 16 additions of 300 ns; the end of each row is a batch that goes on.
    expect(holds.longestNs).toBeLessThanOrEqual(2 * 64 * 250);
    expect(holds.count).toBeGreaterThan((2 * 30_000) / 16);
  });
});

describe('the timer and the kthreads (invariant 13)', () => {
  it('show the same rates for the same samples', () => {
    // HZ 250 and one estimator: the kthread samples every 2 s, the timer every 2.016 s; both by the arithmetic of the kernel.
    for (const variant of ['timer', 'v6.2']) {
      const { parts, netns } = ran({ ...SMALL, variant, workload: { services: 3, duration: 60 } }, 50);
      const { estimators, observer } = parts;
      const seconds = observer.periodNs.mean / 1e9;
      for (const est of netns[0]!.rules) {
        const expected = estimators.packetsPerSecond[est]! * 512 * seconds * (1 - 0.75 ** estimators.samples[est]!);
        expect(Math.abs(estimators.average[est * COUNTERS + INPKTS]! / expected - 1)).toBeLessThan(0.02);
      }
    }
  });
});
