// Machines that one mechanism's sources tell of, beside those that all share. What such a source does not say about the
// machine itself (switches, kworkers, RCU) is taken from the machine where it was measured or fitted, and says so.
import type { Basis, CostConstant, CostProfile } from '../mechanism.js';
import { hostDefinitions } from './constants.js';

/** [value, basis, source] of a constant. */
export type ConstantValue = readonly [number, Basis, string];

/** A constant of the mechanism's own: its value where a machine gives no other. */
export interface OwnDefinition extends Omit<CostConstant, 'value' | 'basis' | 'source'> {
  readonly value: ConstantValue;
}

export interface OwnMachine extends Omit<CostProfile, 'constants'> {
  /** What was measured, published or assumed for this machine, by name of the constant: own ones and those of the host. */
  readonly values: Readonly<Record<string, ConstantValue>>;
}

/** What the kernel's source says holds anywhere; everything else is a guess for a machine where nobody measured it. */
const elsewhere = ([value, basis, source]: ConstantValue): ConstantValue =>
  basis === 'published'
    ? [value, basis, source]
    : [value, 'assumed', `not known of this machine; elsewhere: ${source}`];

/**
 * A cost profile for each machine: the mechanism's constants and those of the host.
 * @throws when a machine gives a value to a constant that does not exist.
 */
export function ownMachineProfiles(
  machines: readonly OwnMachine[],
  own: readonly OwnDefinition[],
): readonly CostProfile[] {
  const host = hostDefinitions.map(({ name, unit, help, min, max, deb510 }) => {
    return { name, unit, help, min, max, value: elsewhere(deb510) };
  });
  const definitions: readonly OwnDefinition[] = [...own, ...host];
  const names = new Set(definitions.map(({ name }) => name));
  return machines.map(({ values, ...machine }) => {
    for (const name of Object.keys(values)) {
      if (!names.has(name)) throw new Error(`${machine.id}: ${name} is no constant`);
    }
    const constants = definitions.map(({ value: standard, ...rest }): CostConstant => {
      const [value, basis, source] = values[rest.name] ?? standard;
      return { ...rest, value, basis, source };
    });
    return { ...machine, constants };
  });
}
