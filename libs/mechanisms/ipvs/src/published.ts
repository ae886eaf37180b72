// Figures that were published or measured elsewhere, and the conditions under which they hold.
import type { PublishedFigure } from '@kworkbench/mechanism';

const K8S = {
  'machine.profile': 'alibaba-104',
  'machine.cpus': 104,
  'machine.hz': 250,
  'workload.services': 50_000,
  'workload.destinations': 0,
  'workload.netns': 1,
  'workload.idleNetns': 0,
  'workload.governorSwitchAt': -1,
  'workload.saturate': false,
  'workload.estCpulistAt': -1,
  'workload.runEstimationOffAt': -1,
} as const;
const MAIL = 'lvs-devel and netdev, 81aff736-70f0-9e14-de24-ba943f244bd2@linux.alibaba.com';

/** A million rules: all kthreads but the last are full, as those of the logs were. */
const full = (profile: string) =>
  ({
    'machine.profile': profile,
    'workload.services': 1_000_000,
    'workload.destinations': 0,
    'workload.add': 'present',
    'workload.netns': 1,
    'workload.saturate': false,
    'workload.governorSwitchAt': -1,
  }) as const;

/** A tick and the CPU share of its kthread, both as logged; the share is what the model predicts from the tick. */
function kthread(
  id: string,
  title: string,
  source: string,
  requires: PublishedFigure['requires'],
  tickSeconds: number,
  cpuRatio: number,
): readonly PublishedFigure[] {
  return [
    {
      id: `${id}-tick`,
      title: `${title}: a full tick`,
      source,
      variant: 'v6.2',
      metric: 'tick_max_seconds',
      expected: tickSeconds,
      low: tickSeconds * 0.97,
      high: tickSeconds * 1.03,
      basis: 'fitted',
      requires,
    },
    {
      id: `${id}-cpu`,
      title: `${title}: CPU of its kthread`,
      source,
      variant: 'v6.2',
      metric: 'kthread_cpu_max_ratio',
      expected: cpuRatio,
      low: cpuRatio - 0.006,
      high: cpuRatio + 0.006,
      basis: 'predicted',
      requires,
    },
  ];
}

const limit = (profile: string, chainMax: number, source: string): PublishedFigure => ({
  id: `${profile}-chain`,
  title: `${profile}: estimators per chain`,
  source,
  variant: 'v6.2',
  metric: 'chain_max',
  expected: chainMax,
  low: chainMax,
  high: chainMax,
  basis: 'fitted',
  requires: full(profile),
});

const TESTS_V5 = 'lvs-devel 20221027180751.GC3484@incl';
const TESTS_V6 = 'lvs-devel ff8bf15e-ddf3-76d1-b23b-814133ae5b@ssi.bg';

export const published: readonly PublishedFigure[] = [
  {
    id: 'stall',
    title: '50,000 services on 104 CPUs: the walk',
    source: MAIL,
    variant: 'timer',
    metric: 'softirq_stall_max_seconds',
    expected: 0.2688,
    low: 0.2634,
    high: 0.2742,
    basis: 'fitted',
    requires: K8S,
  },
  {
    id: 'stall-cpu',
    title: '50,000 services on 104 CPUs: one walk in two seconds, of a CPU',
    source: MAIL,
    variant: 'timer',
    metric: 'cpu_per_round_ratio',
    expected: 0.134,
    low: 0.131,
    high: 0.137,
    basis: 'fitted',
    requires: K8S,
  },
  {
    id: 'round-cpu',
    title: 'the same work in kthreads',
    source: 'model specification of ipvs, section 4: total CPU is the same',
    variant: 'v6.2',
    metric: 'cpu_per_round_ratio',
    expected: 0.134,
    low: 0.1277,
    high: 0.1411,
    basis: 'predicted',
    requires: K8S,
  },
  {
    id: 'timer-period',
    title: 'the timer of a short list at HZ 250: its period',
    source: 'measured on Debian 6.1.0-50: 2.0151 to 2.0160 s',
    variant: 'timer',
    metric: 'estimation_period_mean_seconds',
    expected: 2.016,
    low: 2.014,
    high: 2.018,
    basis: 'predicted',
    requires: {
      'machine.hz': 250,
      'workload.services': 10,
      'workload.destinations': 0,
      'workload.netns': 1,
      'workload.runEstimationOffAt': -1,
    },
  },
  ...kthread('epyc', 'EPYC 7601', TESTS_V6, full('epyc7601-ondemand'), 2.93e-3, 0.073),
  ...kthread('xeon', 'Xeon Gold 6326, performance', TESTS_V5, full('xeon6326-performance'), 2.06e-3, 0.0465),
  ...kthread('arm', 'ARM, performance', TESTS_V5, full('arm4node-performance'), 1.61e-3, 0.0363),
  ...kthread('arm-powersave', 'ARM, powersave', TESTS_V5, full('arm4node-powersave'), 8.98e-3, 0.223),
  limit('epyc7601-ondemand', 8, TESTS_V6),
  limit('xeon6326-performance', 53, TESTS_V5),
  limit('arm4node-performance', 12, TESTS_V5),
  {
    id: 'calc-phase',
    title: 'EPYC 7601: measuring the limits',
    source: TESTS_V6,
    variant: 'v6.2',
    metric: 'calc_phase_seconds',
    expected: 0.0748,
    low: 0.062,
    high: 0.0966,
    basis: 'predicted',
    requires: full('epyc7601-ondemand'),
  },
  {
    id: 'governor-tick',
    title: 'Xeon Gold 6326: the longest tick after the switch to powersave',
    source: TESTS_V5,
    variant: 'v6.2',
    metric: 'tick_max_seconds',
    expected: 5.76e-3,
    low: 4.9e-3,
    high: 6.62e-3,
    basis: 'predicted',
    requires: {
      ...full('xeon6326-performance'),
      'workload.services': 127_199,
      'workload.governorSwitchAt': 20,
    },
  },
  {
    id: 'v1-kthreads',
    title: 'v1: kthreads for a million estimators',
    source: 'lvs-devel 20220905063406.GA108825@linux.alibaba.com',
    variant: 'v1',
    metric: 'kthreads',
    expected: 31,
    low: 31,
    high: 31,
    basis: 'predicted',
    requires: full('xeon6326-powersave'),
  },
];
