// Phase one: the struct pages of a node at boot, by threads, on the three machines whose times were published.
import type { PublishedFigure } from '@kworkbench/mechanism';

const deferredInit: readonly (readonly [string, number, readonly (readonly [number, number])[]])[] = [
  [
    'xeon-8167m',
    384,
    [
      [1, 1717.7],
      [6, 341.0],
      [13, 193.3],
      [19, 175.3],
      [26, 193.7],
      [39, 172.7],
      [52, 143.3],
    ],
  ],
  [
    'epyc-7551-kvm',
    64,
    [
      [1, 240.3],
      [2, 135.0],
      [4, 83.3],
      [6, 72.0],
      [8, 71.3],
      [12, 68.7],
      [16, 57.3],
    ],
  ],
  [
    'zen-kvm-4cpu',
    16,
    [
      [1, 51.7],
      [2, 35.7],
      [3, 26.0],
      [4, 22.3],
    ],
  ],
];

export const deferredInitFigures = deferredInit.flatMap(([profile, guestGib, points]) =>
  points.map(([maxThreads, ms], i): PublishedFigure => ({
    id: `${profile}-deferred-init-t${maxThreads}`,
    title: `${profile}: struct pages of a node, ${maxThreads} threads`,
    source: 'v2 5/7 of the deferred init series, 20 May 2020',
    variant: 'boot-only',
    metric: 'job_seconds',
    expected: ms / 1000,
    low: (ms / 1000) * 0.7,
    high: (ms / 1000) * 1.3,
    basis: i === 0 ? 'input' : i === 1 || i === points.length - 1 ? 'fitted' : 'predicted',
    requires: {
      'machine.profile': profile,
      'workload.kind': 'deferredInit',
      'workload.guest': guestGib * 2 ** 30,
      'workload.maxThreads': maxThreads,
    },
  })),
);
