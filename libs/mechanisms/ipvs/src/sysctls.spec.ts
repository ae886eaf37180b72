// The three sysctls, each with its exact effect, and what est_cpulist allows.
import { describe, expect, it } from 'vitest';
import type { EstKthreads } from './model/est-kthreads.js';
import type { Kthread } from './model/kthread.js';
import { type CellOptions, column, metricsOf as of, SMALL, systemOf } from './testing/cells.js';

describe('run_estimation (invariant 11)', () => {
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

describe('more estimators than kthreads may take (invariant 12)', () => {
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
