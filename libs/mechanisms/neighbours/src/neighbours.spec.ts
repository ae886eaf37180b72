import {
  type Attachable,
  buildHost,
  type Cell,
  DEFAULT_HOST_KERNEL,
  machineOf,
  simulateOnHost,
} from '@kworkbench/mechanism';
import { MemorySink, TelemetryDigest, tee } from '@kworkbench/telemetry';
import { describe, expect, it } from 'vitest';
import { attachable, neighbours } from './mechanism.js';

const SECONDS = 10;

/** A machine on which nothing happens but that the given time passes. */
const quiet: Attachable = {
  tables: [],
  host: ({ machine, seed }) => buildHost(machine, seed, DEFAULT_HOST_KERNEL),
  attach: ({ host, finished }) => {
    const instance = {
      finished: false,
      outstanding: NaN,
      samplePeriodNs: 1e9,
      start: () => {
        const end = host.machine.addActor(() => {
          instance.finished = true;
          finished();
        });
        host.machine.schedule(SECONDS * 1e9, end, 0);
      },
      sample: () => {},
      end: () => ({ metrics: {}, histograms: [] }),
    };
    return instance;
  },
};

function run(workload: Record<string, unknown>, seed = 1) {
  const profile = neighbours.profiles.find(({ id }) => id === 'deb510-6cpu')!;
  const cell: Cell = {
    mechanism: 'neighbours',
    modelVersion: neighbours.modelVersion,
    kernel: {},
    machine: machineOf(profile),
    workload: neighbours.workloadSchema.parse(workload),
    seed,
  };
  const digest = new TelemetryDigest();
  const telemetry = new MemorySink();
  const parts = [
    { name: '', mechanism: quiet, cell },
    { name: 'load', mechanism: attachable, cell },
  ];
  const outcome = simulateOnHost(parts, tee(digest, telemetry));
  return { metrics: outcome.metrics, digest: digest.outcome(outcome), telemetry };
}

describe('neighbours', () => {
  it.each([
    [1, 1],
    [6, 1],
    [9, 6 / 9],
    [12, 0.5],
  ])('%i spinners on 6 CPUs get a share of %d of a CPU each', (spinners, share) => {
    const { metrics } = run({ spinners, probes: 0 });
    expect(metrics['load_spinner_share_ratio']).toBeCloseTo(share, 2);
    expect(metrics['load_spinner_cpu_seconds']).toBeCloseTo(share * spinners * SECONDS, 0);
  });

  it('a probe on an idle machine waits for the context switch alone, every period', () => {
    const { metrics } = run({ spinners: 0, probes: 1, probePeriod: '10ms', probeWork: '1ms' });
    expect(metrics['load_wakeup_latency_max_seconds']).toBeCloseTo(8e-6, 7);
    expect(metrics['load_probe_rounds_total']).toBe((SECONDS / 0.01) * 1);
    expect(metrics['load_probe_overruns_total']).toBe(0);
  });

  it('a probe that works longer than its period misses every other one', () => {
    const { metrics } = run({ probes: 1, probePeriod: '10ms', probeWork: '15ms' });
    expect(metrics['load_probe_rounds_total']).toBeCloseTo(SECONDS / 0.02, -1);
    expect(metrics['load_probe_overruns_total']).toBeCloseTo(SECONDS / 0.02, -1);
  });

  it('a probe beside spinners at nice 19 is served sooner than beside spinners at nice 0', () => {
    const busy = { spinners: 12, probes: 6, probePeriod: '10ms', probeWork: '5ms' };
    const latency = (spinnerNice: number) => run({ ...busy, spinnerNice }).metrics['load_wakeup_latency_p99_seconds']!;
    expect(latency(19)).toBeLessThan(latency(0));
  });

  it('gives the same telemetry for the same content, and other numbers for another seed', () => {
    const busy = { spinners: 8, probes: 4 };
    expect(run(busy).digest).toBe(run(busy).digest);
    expect(run(busy, 2).digest).not.toBe(run(busy).digest);
  });

  it('runs beside another mechanism only', () => {
    expect(neighbours.onlyBeside).toBe(true);
    expect(() => neighbours.simulate({} as Cell, new MemorySink())).toThrow('only run beside');
  });
});
