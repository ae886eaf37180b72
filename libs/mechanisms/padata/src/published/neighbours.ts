// Patch 13: stress-ng beside a job of plain work.
import type { PublishedFigure } from '@kworkbench/mechanism';

const BESIDE = {
  'machine.profile': 'xeon-8cpu',
  'workload.kind': 'compute',
  'workload.work': 443,
  'workload.neighbours': 7,
  'workload.neighbourWork': 43.04,
  'workload.maxThreads': 8,
} as const;
const STRESS = 'patch 13, 20220106004656.126790-14: stress-ng with 7 threads alone 43.04 s';

export const neighbourFigures: readonly PublishedFigure[] = [
  {
    id: 'neighbours-normal',
    title: 'seven spinners beside helpers of nice 0',
    source: STRESS,
    variant: 'parallel-caps',
    metric: 'neighbour_slowdown_ratio',
    expected: 75.86 / 43.04,
    low: 1.64,
    high: 1.88,
    basis: 'predicted',
    requires: BESIDE,
  },
  {
    id: 'neighbours-nice',
    title: 'seven spinners beside helpers of nice 19',
    source: STRESS,
    variant: 'parallel-nice',
    metric: 'neighbour_slowdown_ratio',
    expected: 43.58 / 43.04,
    low: 1.003,
    high: 1.023,
    basis: 'predicted',
    requires: BESIDE,
  },
  {
    id: 'padata-nice',
    title: 'the job with helpers of nice 19',
    source: STRESS,
    variant: 'parallel-nice',
    metric: 'job_seconds',
    expected: 96.87,
    low: 87.2,
    high: 106.6,
    basis: 'predicted',
    requires: BESIDE,
  },
];
