// How the kernel was built and booted: the option of the scenario, or what the machine says.
import type { MachineSpec } from '@kworkbench/mechanism';
import type { IpvsKernel } from '../kernel.js';
import type { Build } from './est-parts.js';

type Spec = { readonly machine: MachineSpec; readonly kernel: IpvsKernel };

/** The machine as this kernel runs it: preemption is one for the whole host. */
export function machineOf({ machine, kernel }: Spec): MachineSpec {
  switch (kernel.build) {
    case 'voluntary':
      return { ...machine, preemption: 'voluntary', preemptRcu: false };
    case 'full':
      return { ...machine, preemption: 'full', preemptRcu: true };
    case 'dynamic':
      return { ...machine, preemption: 'voluntary', preemptRcu: true };
    default:
      return machine;
  }
}

export function buildOf(spec: Spec): Build {
  const { preemption = 'full', preemptRcu } = machineOf(spec);
  const full = preemption === 'full';
  return { full, preemptRcu: preemptRcu ?? full };
}
