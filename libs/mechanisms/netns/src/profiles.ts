// Cost profiles: the machines that were measured or published. The constants stand in constants/.
import type { CostConstant, CostProfile } from '@kworkbench/mechanism';
import { machineConstants } from './constants/machine.js';
import { namespaceConstants } from './constants/namespaces.js';

const GIB = 2 ** 30;

function constantsOf(kind: 'deb510' | 'live618'): readonly CostConstant[] {
  return [...namespaceConstants, ...machineConstants].map(({ deb510, live618, ...rest }) => {
    const [value, basis, source] = kind === 'live618' ? (live618 ?? deb510) : deb510;
    return { ...rest, value, basis, source };
  });
}

export const profiles: readonly CostProfile[] = [
  {
    id: 'deb510-40cpu',
    title: "the author's 40-CPU machine with 70 GiB, Linux 5.10",
    cpus: 40,
    memoryBytes: 70 * GIB,
    hz: 250,
    constants: constantsOf('deb510'),
  },
  {
    id: 'deb510-6cpu',
    title: "the author's 6-CPU machine, Linux 5.10",
    cpus: 6,
    memoryBytes: 16 * GIB,
    hz: 250,
    constants: constantsOf('deb510'),
  },
  {
    id: 'live618-2cpu',
    title: 'a 2-CPU virtual machine with 23 GiB, Linux 6.18, measured',
    cpus: 2,
    memoryBytes: 23 * GIB,
    hz: 250,
    constants: constantsOf('live618'),
  },
];
