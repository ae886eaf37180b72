// The machines that the tables were taken on.
import { type CostConstant, type CostProfile, hostDefinitions } from '@kworkbench/mechanism';
import { constantsOf } from './constants.js';

const GIB = 2 ** 30;
/** The series was posted against 5.14, whose fair class is CFS. */
const LINUX_514 = { hz: 250, fairClass: 'cfs', preemption: 'voluntary' } as const;

type Value = readonly [number, CostConstant['basis'], string];

/** Of the host's own constants those that differ here. */
const HOST: Readonly<Record<string, Value>> = {
  contextSwitchNs: [
    1_070,
    'published',
    'a switch between threads (ddumbying.vercel.app/experiments/ctx-switch-overhead); a CPU in a deep idle state: idleExitNs',
  ],
  schedSliceNs: [3_000_000, 'published', 'minimum granularity of CFS with 8 CPUs or more'],
  rcuBackgroundPerCpuPerSecond: [0, 'assumed', 'RCU has no part in pinning'],
};

const hostConstants: readonly CostConstant[] = hostDefinitions.map(({ name, unit, help, min, max, deb510 }) => {
  const [value, basis, source] = HOST[name] ?? deb510;
  return { name, unit, help, min, max, value, basis, source };
});

type Overrides = Readonly<Record<string, Value>>;

function profile(
  machine: Pick<CostProfile, 'id' | 'title' | 'cpus' | 'memoryBytes'>,
  costs: 'xeon' | 'epyc',
  overrides: Overrides = {},
): CostProfile {
  const constants = [...constantsOf(costs), ...hostConstants].map((constant) => {
    const [value, basis, source] = overrides[constant.name] ?? [constant.value, constant.basis, constant.source];
    return { ...constant, value, basis, source };
  });
  return { ...machine, ...LINUX_514, constants };
}

const KVM: Overrides = {
  sockets: [1, 'published', 'one node'],
  threadsPerCore: [1, 'assumed', 'virtual CPUs'],
};

export const profiles: readonly CostProfile[] = [
  profile(
    { id: 'xeon-8167m', title: 'two Xeon Platinum 8167M, 104 CPUs, 768 GiB', cpus: 104, memoryBytes: 768 * GIB },
    'xeon',
  ),
  profile({ id: 'epyc-7j13', title: 'two EPYC 7J13, 256 CPUs, 2 TiB', cpus: 256, memoryBytes: 2048 * GIB }, 'epyc'),
  profile(
    { id: 'xeon-8cpu', title: 'eight CPUs of a Xeon, for the runs beside stress-ng', cpus: 8, memoryBytes: 192 * GIB },
    'xeon',
    {
      sockets: KVM['sockets']!,
      threadsPerCore: KVM['threadsPerCore']!,
    },
  ),
  profile(
    { id: 'epyc-7551-kvm', title: 'a guest with 16 CPUs and 64 GiB on an EPYC 7551', cpus: 16, memoryBytes: 64 * GIB },
    'epyc',
    {
      ...KVM,
      structPageNs: [14.5, 'published', '243.3 ms for 64 GiB'],
      structPageTrafficBytes: [218, 'fitted', '16 threads in 57.3 ms'],
      structPageWorkerSpeedRatio: [0.9, 'fitted', '2 threads in 135 ms'],
    },
  ),
  profile(
    { id: 'zen-kvm-4cpu', title: 'a guest with 4 CPUs and 16 GiB on the same', cpus: 4, memoryBytes: 16 * GIB },
    'epyc',
    {
      ...KVM,
      structPageNs: [12.1, 'published', '50.7 ms for 16 GiB'],
      structPageTrafficBytes: [330, 'fitted', '4 threads in 22.3 ms'],
      structPageWorkerSpeedRatio: [0.71, 'fitted', '2 threads in 35.7 ms'],
    },
  ),
];
