// The machines that were measured or published, with what they cost. A mechanism adds its own constants to them.
import type { CostProfile } from '../mechanism.js';
import { hostDefinitions } from './constants.js';
import type { Definition } from './definition.js';

const GIB = 2 ** 30;

/**
 * Debian builds 5.10 with CONFIG_PREEMPT_VOLUNTARY; the fair class before 6.6 is CFS. It has no PREEMPT_RCU, but the
 * length of its grace periods was fitted, and measured elsewhere, with the storm under way: waiting for busy CPUs is in it.
 */
const DEB510 = { fairClass: 'cfs', preemption: 'voluntary', preemptRcu: true } as const;
/** PREEMPT_DYNAMIC with voluntary preemption, and so with PREEMPT_RCU. */
const LIVE618 = { fairClass: 'eevdf', preemption: 'voluntary', preemptRcu: true } as const;

type Kind = 'deb510' | 'live618';

const machines: readonly (Omit<CostProfile, 'constants'> & { readonly kind: Kind })[] = [
  {
    id: 'deb510-40cpu',
    title: "the author's 40-CPU machine with 70 GiB, Linux 5.10",
    cpus: 40,
    memoryBytes: 70 * GIB,
    hz: 250,
    ...DEB510,
    kind: 'deb510',
  },
  {
    id: 'deb510-6cpu',
    title: "the author's 6-CPU machine, Linux 5.10",
    cpus: 6,
    memoryBytes: 16 * GIB,
    hz: 250,
    ...DEB510,
    kind: 'deb510',
  },
  {
    id: 'live618-2cpu',
    title: 'a 2-CPU virtual machine with 23 GiB, Linux 6.18, measured',
    cpus: 2,
    memoryBytes: 23 * GIB,
    hz: 250,
    ...LIVE618,
    kind: 'live618',
  },
];

/** A cost profile for each machine: the constants of the host and a mechanism's own. */
export function machineProfiles(own: readonly Definition[]): readonly CostProfile[] {
  return machines.map(({ kind, ...machine }) => ({
    ...machine,
    constants: [...own, ...hostDefinitions].map(({ deb510, live618, ...rest }) => {
      const [value, basis, source] = kind === 'live618' ? (live618 ?? deb510) : deb510;
      return { ...rest, value, basis, source };
    }),
  }));
}
