// Every parameter of a scenario reaches the model: each row changes one, and something that is measured must change with it.
import { describeParameters, type ParameterRow } from '@kworkbench/mechanism/testing';
import { estimatorConstants } from './constants.js';
import { type IpvsKernel, kernelSchema } from './kernel.js';
import { ipvs } from './mechanism.js';
import { cellOf, type CellOptions, run } from './testing/cells.js';
import { workloadSchema } from './workloads.js';

type Workload = Readonly<Record<string, unknown>>;

/** Little, and of everything something. */
const BASE: Workload = { services: 120, duration: 8, warmup: 2, churnRate: 20, packetRate: 200, idleRatio: 0.2 };
const base = (workload: Workload = {}, more: CellOptions = {}): CellOptions => ({
  profile: 'xeon6326-performance',
  cpus: 4,
  ...more,
  workload: { ...BASE, ...workload },
});

/** Few estimators in a kthread, so that there are several, with rows that fill. */
const MANY = { constants: { estimateHotNs: 5000 } } as const;

type Row = ParameterRow<IpvsKernel>;
const row = (path: string, value: unknown, workload: Workload = {}, more: CellOptions = {}): Row => ({
  path,
  value,
  needs: base(workload, more),
});

const WORKLOAD: readonly Row[] = [
  row('duration', '9s'),
  row('warmup', '4s'),
  row('services', 121),
  row('destinations', 2),
  row('add', 'processes'),
  row('addInterval', '20ms', { add: 'paced', addInterval: '10ms' }),
  row('churnRate', '50/s'),
  row('churnPattern', 'front'),
  row('readers', 4, { add: 'processes', churnRate: 500 }),
  row('netns', 2),
  row('idleNetns', 3),
  row('teardownAt', '3s', { netns: 2 }),
  row('packetsPerSecond', '200/s'),
  row('idleRatio', 0.9),
  row('trafficCpus', 1, {}, { variant: 'skipQuietCpus' }),
  row('trafficStopAt', '3s'),
  row('estNice', 19, { estNiceAt: '3s', saturate: true, services: 3000 }),
  row('estNiceAt', '3s', { estNice: 5, services: 3000 }, MANY),
  row('estCpulist', '1', { estCpulistAt: '3s' }),
  row('estCpulistAt', '3s'),
  row('estCpulistWriter', '2', { estCpulistAt: '3s', estCpulist: '1-2' }),
  row('estCpulistRestoreAt', '5s', { estCpulistAt: '3s' }),
  row('runEstimationOffAt', '3s'),
  row('runEstimationOnAt', '5s', { runEstimationOffAt: '3s' }),
  row('governorSwitchAt', '3s'),
  row('saturate', true),
  row('packetRate', '300/s'),
];

const KERNEL: readonly Row[] = [
  row('estimation', 'timer'),
  row('limits', 'fresh'),
  row('rowPolicy', 'addRow', { services: 2000, estCpulist: '0-1', estCpulistAt: '3.3s' }, MANY),
  row('reschedule', 'estimator'),
  row('maxThreads', 'rlimit'),
  row('rlimitNproc', 1, {}, { kernel: { maxThreads: 'rlimit' } }),
  row('teardownRace', 'fixed', { netns: 2, add: 'present', teardownAt: '30ms' }),
  row('kthread0', 'kept', { services: 6000, estCpulistAt: '3s', estCpulist: '0-1' }, MANY),
  row('build', 'dynamic'),
  row('runner', 'workqueue'),
  row('skipIdle', true, { idleRatio: 0.9 }),
  row('skipQuietCpus', true, { trafficCpus: 1 }),
];

/** What a constant needs to matter. */
const NEEDS: Readonly<Record<string, CellOptions>> = {
  otherColdNs: base({ governorSwitchAt: '3s' }),
  otherHotNs: base({ governorSwitchAt: '3s', estCpulist: '0', estCpulistAt: '4s' }),
  statsLockNs: base({}, { kernel: { build: 'full' } }),
  loadRatio: base({ saturate: true }),
  relinkNs: base({ services: 5000, estCpulist: '0', estCpulistAt: '4s' }),
  ipvsadmNs: base({ add: 'processes' }),
  dumpNs: base({ readers: 4, add: 'processes', churnRate: 500 }),
  calcObjectNs: base({}, { variant: 'rfc-v4' }),
  cleanupPhaseNs: base({ netns: 2, teardownAt: '3s' }),
  tickOneChainBytes: base({}, { kernel: { build: 'full' } }),
  packetRing: base({ services: 4000, packetRate: 20_000 }, { variant: 'timer' }),
};

/** Values of constants that only an extreme shows. */
const EXTREME: Readonly<Record<string, number>> = { packetRing: 2, statsLockNs: 1e6 };

describeParameters<IpvsKernel>({
  mechanism: ipvs,
  cells: { cellOf, run },
  workloadSchema,
  kernelSchema,
  workload: WORKLOAD,
  kernel: KERNEL,
  elsewhere: ['brought'],
  constants: estimatorConstants.map(({ name }) => [
    name,
    NEEDS[name] ?? base(),
    (value) => EXTREME[name] ?? value * 1.5 + 1,
  ]),
  machine: [
    ['cpus', { cpus: 8 }],
    ['hz', { hz: 1000 }],
    ['profile', { profile: 'epyc7601-ondemand' }],
    ['seed', { seed: 2 }],
  ],
  machineNeeds: base(),
  refused: [
    ['workload', 'estNice', 25],
    ['workload', 'estNice', 1.5],
    ['workload', 'services', 4_000_001],
    ['workload', 'idleRatio', 1.1],
    ['workload', 'estCpulist', '3-1-2'],
    ['workload', 'runEstimationOffAt', -2],
    ['kernel', 'rlimitNproc', 0],
  ],
});
