// The mechanisms that this build knows. Everything above looks a mechanism up here by name, in the main thread and in
// cell workers alike.
import { conntrack } from '@kworkbench/conntrack';
import { ipvs } from '@kworkbench/ipvs';
import type { Attachable, Mechanism } from '@kworkbench/mechanism';
import { neighbours } from '@kworkbench/neighbours';
import { netns } from '@kworkbench/netns';
import { padata } from '@kworkbench/padata';
import { reuseport } from '@kworkbench/reuseport';

const registry = new Map<string, Mechanism>(
  [netns, conntrack, ipvs, padata, reuseport].map((mechanism) => [mechanism.name, mechanism]),
);

export const mechanisms: ReadonlyMap<string, Mechanism> = registry;

/** A mechanism that can be put beside another on one machine. */
export type BesideMechanism = Mechanism & { readonly attachable: Attachable };

const isAttachable = (mechanism: Mechanism): mechanism is BesideMechanism => mechanism.attachable !== undefined;

/** What can run beside another mechanism, by name: those that share a machine, and those that run in no other way. */
export function besideMechanisms(): ReadonlyMap<string, BesideMechanism> {
  return new Map(
    [neighbours, ...registry.values()].filter(isAttachable).map((mechanism) => [mechanism.name, mechanism]),
  );
}

/** Adds a mechanism (or replaces one of the same name), for tests and for mechanisms brought from outside. */
export function registerMechanism(mechanism: Mechanism): void {
  registry.set(mechanism.name, mechanism);
}

/** Registers everything that a module exports and that is a mechanism. */
export function registerMechanismsOf(module: Readonly<Record<string, unknown>>): void {
  for (const value of Object.values(module)) if (isMechanism(value)) registerMechanism(value);
}

function isMechanism(value: unknown): value is Mechanism {
  return (
    typeof value === 'object' &&
    value !== null &&
    'simulate' in value &&
    typeof value.simulate === 'function' &&
    'name' in value
  );
}
