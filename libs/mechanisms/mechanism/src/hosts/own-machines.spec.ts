import { describe, expect, it } from 'vitest';
import { ownMachineProfiles } from './own-machines.js';

const machine = { id: 'a', title: 'a machine', cpus: 2, memoryBytes: 2 ** 30, hz: 250 } as const;
const scan = {
  name: 'scanNs',
  unit: 'ns',
  help: 'A scan',
  min: 0,
  max: 1e6,
  value: [5, 'published', 'a mail'],
} as const;

describe('the profiles of a mechanism with machines of its own', () => {
  const [profile] = ownMachineProfiles([{ ...machine, values: { contextSwitchNs: [9, 'measured', 'here'] } }], [scan]);
  const constant = (name: string) => profile!.constants.find((candidate) => candidate.name === name);

  it("have the mechanism's constants, and those of the host as the machine gives them", () => {
    expect(constant('scanNs')).toMatchObject({ value: 5, basis: 'published', source: 'a mail', unit: 'ns' });
    expect(constant('contextSwitchNs')).toMatchObject({ value: 9, basis: 'measured', source: 'here' });
  });

  it("say of a constant of the host that nobody measured it on this machine, unless it is the kernel's own", () => {
    expect(constant('workerCreateNs')).toMatchObject({ basis: 'assumed' });
    expect(constant('workerCreateNs')!.source).toMatch(/^not known of this machine/);
    expect(constant('workerIdleTimeoutNs')).toMatchObject({ basis: 'published', source: 'kernel/workqueue.c' });
  });

  it('are refused when a machine gives a value to a constant that does not exist', () => {
    const values = { contextSwitchNS: [9, 'measured', 'here'] } as const;
    expect(() => ownMachineProfiles([{ ...machine, values }], [scan])).toThrow('contextSwitchNS is no constant');
  });
});
