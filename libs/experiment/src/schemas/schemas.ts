// The JSON Schemas that editors and other programs use, made from the same zod schemas that check at run time.
import { z } from 'zod';
import { mechanisms } from '../mechanisms.js';
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
          find: { properties: { metric: { enum: mechanism.metrics.map(({ name }) => name) } } },
          thresholds: {
            propertyNames: {
              pattern: `^(${mechanism.metrics.map(({ name }) => name).join('|')})(\\{[^{}]+\\})?$`,
            },
          },
          published: { items: { enum: mechanism.published.map(({ id }) => id) } },
        },
      },
    };
  });
  return { title: 'kworkbench scenario', ...base };
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
