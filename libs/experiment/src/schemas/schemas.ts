// The JSON Schemas that editors and other programs use, made from the same zod schemas that check at run time.
import type { Mechanism } from '@kworkbench/mechanism';
import { z } from 'zod';
import { besideMechanisms, mechanisms } from '../mechanisms.js';
import { comparisonReportSchema } from '../report/compare-reports.js';
import { reportSchema } from '../report/schema.js';
import { jsonSchemaOf, type JsonSchema } from '../scenario/json-schema.js';
import { scenarioSchema } from '../scenario/schema.js';

/** File name in `schemas/` to its content. */
export function publishedSchemas(): Readonly<Record<string, unknown>> {
  return {
    'scenario.schema.json': scenarioJsonSchema(),
    'comparison.schema.json': {
      title: 'kworkbench comparison of two runs',
      ...z.toJSONSchema(comparisonReportSchema, { io: 'output' }),
    },
    'report.schema.json': { title: 'kworkbench report', ...z.toJSONSchema(reportSchema, { io: 'output' }) },
  };
}

/** The scenario schema, with workload, kernel options and names of each mechanism where that mechanism is named. */
function scenarioJsonSchema(): JsonSchema {
  const base = structuredClone(jsonSchemaOf(scenarioSchema));
  const spec = base.properties!.spec as { properties: Record<string, unknown>; allOf?: unknown[] };
  spec.properties.mechanism = { enum: [...mechanisms.keys()] };
  spec.allOf = [...mechanisms.values()].map((mechanism) => {
    const variants = { enum: mechanism.variants.map(({ id }) => id) };
    return {
      if: { properties: { mechanism: { const: mechanism.name } }, required: ['mechanism'] },
      // oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
      then: {
        properties: {
          machine: {
            properties: {
              profile: { enum: mechanism.profiles.map(({ id }) => id) },
              constants: { properties: constantsOf(mechanism.profiles), additionalProperties: false },
            },
          },
          workload: embedded(mechanism.workloadSchema),
          kernel: embedded(mechanism.kernelSchema),
          variants: {
            items: {
              anyOf: [
                variants,
                { type: 'object', properties: { id: variants, kernel: embedded(mechanism.kernelSchema) } },
              ],
            },
          },
          find: { properties: { metric: { pattern: `^${metricOf(mechanism)}$` } } },
          thresholds: { propertyNames: { pattern: `^${metricOf(mechanism)}(\\{[^{}]+\\})?$` } },
          published: { items: { enum: mechanism.published.map(({ id }) => id) } },
        },
      },
    };
  });
  const beside = spec.properties.beside as JsonSchema;
  spec.properties.beside = { ...beside, items: besideItems(beside.items!) };
  return { title: 'kworkbench scenario', ...base };
}

const namesOf = (metrics: readonly { readonly name: string }[]): string => metrics.map(({ name }) => name).join('|');

/** A metric of the mechanism itself, or one of what is beside it, under its name. */
function metricOf(mechanism: Mechanism): string {
  const beside = [...besideMechanisms().values()].flatMap(({ metrics }) => metrics);
  return `(${namesOf(mechanism.metrics)}|[a-z][a-z0-9]*_(${namesOf(beside)}))`;
}

/** What each mechanism that can be beside another takes. */
function besideItems(items: JsonSchema): JsonSchema {
  const known = [...besideMechanisms().values()];
  const properties = { ...items.properties, mechanism: { enum: known.map(({ name }) => name) } };
  const allOf = known.map(({ name, variants, profiles, workloadSchema, kernelSchema }) => ({
    if: { properties: { mechanism: { const: name } }, required: ['mechanism'] },
    // oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
    then: {
      properties: {
        profile: { enum: profiles.map(({ id }) => id) },
        variant: { enum: variants.map(({ id }) => id) },
        workload: embedded(workloadSchema),
        kernel: embedded(kernelSchema),
      },
    },
  }));
  return { ...items, properties, allOf };
}

function embedded(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = jsonSchemaOf(schema);
  return rest;
}

function constantsOf(profiles: readonly { readonly constants: readonly ConstantWords[] }[]): Record<string, unknown> {
  const byName: Record<string, unknown> = {};
  for (const { name, help, unit, min, max } of profiles.flatMap(({ constants }) => constants)) {
    byName[name] ??= { type: 'number', minimum: min, maximum: max, description: `${help} (${unit})` };
  }
  return byName;
}

interface ConstantWords {
  readonly name: string;
  readonly help: string;
  readonly unit: string;
  readonly min: number;
  readonly max: number;
}
