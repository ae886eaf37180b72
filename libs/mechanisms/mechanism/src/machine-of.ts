import type { CostProfile, MachineKernel, MachineSpec } from './mechanism.js';

/** What is said about a machine beside its profile. Constants are taken as they are: whoever asks checks their ranges. */
export type MachineOverrides = Partial<Omit<MachineSpec, 'profile'>>;

/** The machine of a profile, with what is said otherwise. */
export function machineOf(profile: CostProfile, overrides: MachineOverrides = {}): MachineSpec {
  const { cpus = profile.cpus, memoryBytes = profile.memoryBytes, hz = profile.hz } = overrides;
  const constants = Object.fromEntries(profile.constants.map(({ name, value }) => [name, value]));
  return {
    profile: profile.id,
    cpus,
    memoryBytes,
    hz,
    ...kernelOf(profile),
    ...kernelOf(overrides),
    constants: { ...constants, ...overrides.constants },
  };
}

/** What is not said is not there, so that it does not count as content of a cell. */
function kernelOf({ fairClass, preemption, preemptRcu }: MachineKernel): MachineKernel {
  return {
    ...(fairClass !== undefined && { fairClass }),
    ...(preemption !== undefined && { preemption }),
    ...(preemptRcu !== undefined && { preemptRcu }),
  };
}
