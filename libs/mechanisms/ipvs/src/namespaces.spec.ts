// Namespaces: apart from each other, torn down at any time, their kthreads stopped and started by the reload work.
import { describe, expect, it } from 'vitest';
import type { EstKthreads } from './model/est-kthreads.js';
import { metricsOf as of, SMALL, systemOf } from './testing/cells.js';

describe('namespaces', () => {
  it('never share a kthread, and have none before their first service (invariant 14)', () => {
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
