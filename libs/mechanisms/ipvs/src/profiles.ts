// Cost profiles: the machines of the mails, and what one sample took there.
import { type ConstantValue, type OwnMachine, ownMachineProfiles } from '@kworkbench/mechanism';
import { estimatorConstants, spec } from './constants.js';

const GIB = 2 ** 30;
const S4 = spec('4');

/** Enterprise kernels of 2022: CFS, preemption only where code offers it, no PREEMPT_RCU. */
const SERVER = { hz: 250, fairClass: 'cfs', preemption: 'voluntary', preemptRcu: false } as const;

const common: Readonly<Record<string, ConstantValue>> = {
  contextSwitchNs: [
    12_000,
    'published',
    'wakeup on an idle CPU to the first instruction: lvs-devel 20221022181513.GB3484@incl',
  ],
  rcuBackgroundPerCpuPerSecond: [0, 'assumed', 'left out: nothing here but freed memory waits for a grace period'],
};

const cold = (
  name: 'estimateColdNs' | 'otherColdNs',
  ns: number,
  source: string,
  basis: ConstantValue[1] = 'fitted',
) => ({
  [name]: [ns, basis, `${S4}: ${source}`] as const,
});
const hot = (name: 'estimateHotNs' | 'otherHotNs', ns: number, source: string, basis: ConstantValue[1] = 'fitted') => ({
  [name]: [ns, basis, `${S4}: ${source}`] as const,
});

const machines: readonly OwnMachine[] = [
  {
    id: 'alibaba-104',
    title: 'A: a server with 104 CPUs that stalled for 268.8 ms',
    cpus: 104,
    memoryBytes: 384 * GIB,
    ...SERVER,
    values: {
      ...common,
      ...cold('estimateColdNs', 51.7, '268.8 ms for 50,000 estimators'),
      ...hot('estimateHotNs', 12.9, 'a quarter of the cold cost', 'assumed'),
      ...cold('otherColdNs', 51.7, 'no other governor was measured', 'assumed'),
      ...hot('otherHotNs', 12.9, 'no other governor was measured', 'assumed'),
    },
  },
  {
    id: 'xeon6326-powersave',
    title: 'B: Xeon Gold 6326, 64 CPUs, powersave',
    cpus: 64,
    memoryBytes: 256 * GIB,
    ...SERVER,
    values: {
      ...common,
      ...cold('estimateColdNs', 34.7, '3.84 ms for 1,728 estimators'),
      ...hot('estimateHotNs', 9.5, 'calculated 2,418 to 2,834 ns over 4'),
      ...cold('otherColdNs', 12.7, '2.05 ms for 2,544 estimators (performance)'),
      ...hot('otherHotNs', 6.9, 'calculated 1,775 ns over 4 (performance)'),
    },
  },
  {
    id: 'xeon6326-performance',
    title: 'C: Xeon Gold 6326, 64 CPUs, performance',
    cpus: 64,
    memoryBytes: 256 * GIB,
    ...SERVER,
    values: {
      ...common,
      ...cold('estimateColdNs', 12.7, '2.05 to 2.07 ms for 2,544 estimators, under load'),
      ...hot('estimateHotNs', 6.9, 'calculated 1,775 ns over 4'),
      ...cold('otherColdNs', 34.7, '3.84 ms for 1,728 estimators (powersave)'),
      ...hot('otherHotNs', 9.5, 'calculated 2,418 to 2,834 ns over 4 (powersave)'),
    },
  },
  {
    id: 'epyc7601-ondemand',
    title: 'D: EPYC 7601, 8 nodes, 128 CPUs, ondemand',
    cpus: 128,
    memoryBytes: 512 * GIB,
    ...SERVER,
    values: {
      ...common,
      ...cold('estimateColdNs', 59.6, '2.93 ms for 384 estimators'),
      ...hot('estimateHotNs', 21.8, 'calculated 11,171 ns over 4'),
      ...cold('otherColdNs', 22.1, 'not measured: shrinks as the hot cost does (performance)', 'assumed'),
      ...hot('otherHotNs', 8.1, 'calculated 4,138 ns over 4 (performance)'),
    },
  },
  {
    id: 'epyc7601-performance',
    title: "D': EPYC 7601, 8 nodes, 128 CPUs, performance",
    cpus: 128,
    memoryBytes: 512 * GIB,
    ...SERVER,
    values: {
      ...common,
      ...cold('estimateColdNs', 22.1, 'not measured: shrinks as the hot cost does', 'assumed'),
      ...hot('estimateHotNs', 8.1, 'calculated 4,138 ns over 4'),
      ...cold('otherColdNs', 59.6, '2.93 ms for 384 estimators (ondemand)'),
      ...hot('otherHotNs', 21.8, 'calculated 11,171 ns over 4 (ondemand)'),
    },
  },
  {
    id: 'arm4node-performance',
    title: 'E: ARM, 4 nodes, 128 CPUs, performance',
    cpus: 128,
    memoryBytes: 512 * GIB,
    ...SERVER,
    values: {
      ...common,
      ...cold('estimateColdNs', 21.9, '1.61 ms for 576 estimators'),
      ...hot('estimateHotNs', 15.4, 'calculated 7,890 ns over 4'),
      ...cold('otherColdNs', 121.8, '8.98 ms for 576 estimators (loaded, powersave)'),
      ...hot('otherHotNs', 85.7, 'not measured: grows as the cold cost does', 'assumed'),
    },
  },
  {
    id: 'arm4node-powersave',
    title: "E': ARM, 4 nodes, 128 CPUs, loaded, powersave after the calculation",
    cpus: 128,
    memoryBytes: 512 * GIB,
    ...SERVER,
    values: {
      ...common,
      ...cold('estimateColdNs', 121.8, '8.98 ms for 576 estimators'),
      ...hot('estimateHotNs', 15.4, 'calculated under performance: 7,890 ns over 4'),
      ...cold('otherColdNs', 21.9, '1.61 ms for 576 estimators (performance)'),
      ...hot('otherHotNs', 15.4, 'calculated 7,890 ns over 4'),
    },
  },
];

export const profiles = ownMachineProfiles(machines, estimatorConstants);
