import { describeDeclaration } from '@kworkbench/mechanism/testing';
import { describe, expect, it } from 'vitest';
import { conntrack } from './mechanism.js';
import { cellOf, type CellOptions, run } from './testing/cells.js';
import { workloadSchema } from './workloads.js';

describe('check', () => {
  const cases: readonly (readonly [string, CellOptions, string])[] = [
    ['more connections than a batch in the benchmark', { workload: { connections: 33 } }, 'workload.connections'],
    [
      'a limit below the connections that are there',
      { kernel: { connLimit: 10 }, workload: { kind: 'flush', connections: 11 } },
      'kernel.connLimit',
    ],
    ['a limit below those of the benchmark', { kernel: { connLimit: 3 } }, 'kernel.connLimit'],
    ['no time', { workload: { kind: 'churn', duration: 0 } }, 'workload.duration'],
    ['no packets', { workload: { kind: 'churn', packetRate: 0 } }, 'workload.packetRate'],
    ['policies that nobody changes', { workload: { kind: 'policies', adminRate: 0 } }, 'workload.adminRate'],
    ['more CPUs for packets than there are', { workload: { packetCpus: 9 } }, 'workload.packetCpus'],
    ['fewer flows than threads', { workload: { kind: 'established', connections: 3 } }, 'workload.connections'],
  ];
  it.each(cases)('refuses %s', (_what, options, path) => {
    expect(conntrack.check(cellOf(options)).map((problem) => problem.path)).toContain(path);
  });

  it('accepts what can run', () => {
    expect(conntrack.check(cellOf())).toEqual([]);
  });

  it.each([{ threads: 0 }, { batch: 33 }, { batch: 0 }, { packets: 0 }, { kind: 'other' }, { zones: 0 }])(
    'the schema refuses %j',
    (workload) => {
      expect(workloadSchema.safeParse(workload).success).toBe(false);
    },
  );
});

describeDeclaration(conntrack);

describe('the declaration', () => {
  it('says of eight figures that one was predicted: before, 8 threads', () => {
    const predicted = conntrack.published.filter(({ basis }) => basis === 'predicted');
    expect(predicted.map(({ id }) => id)).toEqual(['before-8']);
    expect(conntrack.published.filter(({ basis }) => basis === 'fitted')).toHaveLength(7);
  });
});

describe('the metrics', () => {
  const workload = { kind: 'churn', threads: 4, duration: 0.3, packetRate: 40_000, timeout: 0.1 };
  const busy = run({ workload, kernel: { sweepIntervalSeconds: 0.1, connLimit: 3_000 } });

  it.each([
    'wall_seconds',
    'packet_seconds_mean',
    'packet_latency_p50_seconds',
    'packet_latency_p99_seconds',
    'packet_latency_max_seconds',
    'ct_lock_acquisitions_per_packet',
    'conn_lock_acquisitions_per_packet',
    'ct_lock_wait_p99_seconds',
    'ct_lock_hold_max_seconds',
    'line_transfers_per_packet',
    'ct_clean_round_max_seconds',
    'ct_clean_rounds_total',
    'expired_backlog_max',
    'connections_max',
    'connections_bytes_max',
    'drops_total',
  ])('name %s, which is above 0 where it applies', (name) => {
    expect(conntrack.metrics.map((metric) => metric.name)).toContain(name);
    expect(busy.metrics[name]).toBeGreaterThan(0);
  });
});

describe('any workload under any design', () => {
  const small = { threads: 3, duration: 1.2, packetRate: 20_000, timeout: 0.3, zones: 4, connections: 300 };
  const kinds = ['churn', 'synFlood', 'established', 'massExpiry', 'zones', 'policies', 'flush'];
  const cells = conntrack.variants.flatMap(({ id }) => kinds.map((kind) => [id, kind] as const));

  it.each(cells)('%s, %s: produces every metric, and P1, P2, P3 and P4 hold at every step', (variant, kind) => {
    const workload = {
      ...small,
      kind,
      expireAfter: 0.4,
      flushAt: 0.5,
      nat: kind === 'churn',
      shared: kind === 'zones',
    };
    const { metrics } = run({ variant, workload, kernel: { sweepIntervalSeconds: 0.2, connLimit: 5_000 } });
    expect(Object.keys(metrics).sort()).toEqual(conntrack.metrics.map(({ name }) => name).sort());
    expect(Object.values(metrics).every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
    expect(metrics['inserted_total']).toBeGreaterThan(0);
    expect(metrics['removed_total']).toBeGreaterThan(0);
  });
});
