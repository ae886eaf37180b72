// A key that stands one level too high: `--set cpus=40` for `machine.cpus`, `cycles` for `workload.cycles`.
import type { Mechanism } from '@kworkbench/mechanism';
import type { z } from 'zod';
import { mechanisms } from '../mechanisms.js';
import { jsonSchemaOf, keysAt } from './json-schema.js';
import { isMapping } from './overriding.js';
import { specSchema } from './schema.js';

/** The path below `spec` that a key directly below it was meant for, e.g. `machine.cpus`; undefined when none has it. */
export function meantPath(key: string, document: unknown): string | undefined {
  const spec = isMapping(document) && isMapping(document['spec']) ? document['spec'] : {};
  const mechanism = mechanisms.get(String(spec['mechanism']));
  const found = Object.entries(rootsOf(mechanism)).find(([root, schema]) =>
    keysAt(jsonSchemaOf(schema), spec[root])?.includes(key),
  );
  if (found) return `${found[0]}.${key}`;
  const isConstant = mechanism?.profiles.some(({ constants }) => constants.some(({ name }) => name === key));
  return isConstant ? `machine.constants.${key}` : undefined;
}

const rootsOf = (mechanism: Mechanism | undefined): Readonly<Record<string, z.ZodType>> => ({
  machine: specSchema.shape.machine,
  ...(mechanism && { workload: mechanism.workloadSchema, kernel: mechanism.kernelSchema }),
});
