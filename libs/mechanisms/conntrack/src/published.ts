// The published table, and which of its figures the constants were fitted to. `before` at 8 threads is predicted.
import type { PublishedFigure } from '@kworkbench/mechanism';

const SOURCE = 'cover letter of the series, v3 and v4 (ovs-dev 2021-June/383991)';

const WALL_MS = {
  before: { 1: 2310, 2: 2766, 4: 6117, 8: 19_838 },
  v4: { 1: 2072, 2: 2084, 4: 2653, 8: 4541 },
} as const;

const TOLERANCE = { before: 0.05, v4: 0.03 } as const;
const PREDICTED_TOLERANCE = 0.2;

function figure(variant: 'before' | 'v4', threads: 1 | 2 | 4 | 8): PublishedFigure {
  const expected = WALL_MS[variant][threads] / 1000;
  const predicted = variant === 'before' && threads === 8;
  const tolerance = predicted ? PREDICTED_TOLERANCE : TOLERANCE[variant];
  return {
    id: `${variant}-${threads}`,
    title: `${variant}: 3,000,000 packets a thread, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    source: SOURCE,
    variant,
    metric: 'wall_seconds',
    expected,
    low: expected * (1 - tolerance),
    high: expected * (1 + tolerance),
    basis: predicted ? 'predicted' : 'fitted',
    requires: {
      'machine.profile': 'author-2021',
      'machine.cpus': 8,
      'workload.kind': 'benchmark',
      'workload.threads': threads,
      'workload.packets': 3_000_000,
      'workload.batch': 32,
      'workload.connections': 1,
      'workload.packetCpus': 0,
      'workload.pinned': true,
    },
  };
}

export const published: readonly PublishedFigure[] = ([1, 2, 4, 8] as const).flatMap((threads) => [
  figure('before', threads),
  figure('v4', threads),
]);
