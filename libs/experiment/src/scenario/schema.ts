// The form of a scenario file. Strict: a key that is not here is an error. What only a mechanism can say (its
// workload, kernel options, profiles) is checked after this, against the mechanism.
import { durationSeconds, sizeBytes } from '@kworkbench/mechanism';
import { z } from 'zod';
import {
  DEFAULT_CELL_TIMEOUT_SECONDS,
  MAX_BESIDE,
  MAX_CELL_TIMEOUT_SECONDS,
  MAX_CPUS,
  MAX_EXPERIMENT_SECONDS,
  MAX_HZ,
  MAX_MEMORY_BYTES,
  MAX_REPLICATIONS,
  MAX_SEED,
  MAX_SWEEP_AXES,
  MAX_THRESHOLDS,
  MAX_VARIANTS,
  MIN_CELL_TIMEOUT_SECONDS,
  MIN_HZ,
  MIN_MEMORY_BYTES,
  MOST_CELLS,
} from '../limits.js';

export const API_VERSION = 'kworkbench/v1';

/** Names of scenarios, labels of variants: they become folder names. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const name = () =>
  z.string().max(100).regex(NAME, { error: 'expected a name of letters, digits, dots, dashes and underscores' });

const scalar = () =>
  z.union([z.string(), z.number(), z.boolean()], { error: 'expected a number, text, true or false' });

const machine = z
  .strictObject({
    profile: z.string().describe('Cost profile of the mechanism'),
    cpus: z.int().min(1).max(MAX_CPUS).optional().describe('Possible CPUs; the default is that of the profile'),
    memory: sizeBytes()
      .refine((bytes) => bytes >= MIN_MEMORY_BYTES && bytes <= MAX_MEMORY_BYTES, {
        error: 'expected a size from 64MiB to 1024TiB',
      })
      .optional()
      .describe('Memory, such as 70GiB; the default is that of the profile'),
    hz: z.int().min(MIN_HZ).max(MAX_HZ).optional().describe('Timer ticks per second (CONFIG_HZ)'),
    fairClass: z.enum(['cfs', 'eevdf']).optional().describe('Fair scheduling class: cfs before 6.6, eevdf since'),
    preemption: z
      .enum(['none', 'voluntary', 'full'])
      .optional()
      .describe('Where kernel code gives way (CONFIG_PREEMPT_NONE, _VOLUNTARY, PREEMPT)'),
    preemptRcu: z
      .boolean()
      .optional()
      .describe('Busy CPUs outside of readers quiesce at their tick, also in kernel code (CONFIG_PREEMPT_RCU)'),
    constants: z.record(z.string(), z.number()).optional().describe('Constants of the profile to change, by name'),
  })
  .describe('The simulated host');

const variant = z.union([
  z.string(),
  z.strictObject({
    id: z.string().describe('Variant of the mechanism'),
    as: name().optional().describe('Label in the report; the default is the id'),
    kernel: z.record(z.string(), scalar()).optional().describe('Kernel options on top of the preset of the variant'),
  }),
]);

const beside = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9]{0,30}$/, { error: 'expected a name of lower case letters and digits' })
      .describe('Prefix of its metrics: <name>_<metric>'),
    mechanism: z.string().describe('A mechanism that can share the machine; neighbours are user threads'),
    profile: z.string().optional().describe('Where its own constants come from; the default is that of the machine'),
    variant: z.string().optional().describe('Design of it; the default is its first'),
    kernel: z.record(z.string(), scalar()).optional(),
    workload: z.record(z.string(), z.unknown()).optional(),
  })
  .describe('Another mechanism on the same machine');

const quantity = () => z.union([z.number(), z.string()], { error: 'expected a number or a quantity' });

const sweepRange = z
  .strictObject({
    from: quantity(),
    to: quantity().describe('Above from; included where the steps reach it'),
    step: quantity().optional().describe('Values at equal distances'),
    points: z.int().min(2).max(MOST_CELLS).optional().describe('Values at equal ratios, both ends included'),
  })
  .describe('A range: either step or points');

const sweepAxis = z.union([z.array(scalar()).min(1).max(MOST_CELLS), sweepRange]);

const atMost = (most: number) => (entries: object) => Object.keys(entries).length <= most;

const condition = z.union([
  z.string(),
  z.strictObject({
    threshold: z.string().describe('A condition such as max<400MiB'),
    abortOnFail: z.boolean().default(false).describe('End the experiment as soon as the condition fails'),
    grace: z
      .int()
      .min(1)
      .max(MAX_REPLICATIONS)
      .optional()
      .describe('Replications that must have ended before it is judged early; the default is 3'),
  }),
]);

const find = z
  .strictObject({
    parameter: z.string().describe('Path of a number, such as workload.rate'),
    from: quantity(),
    to: quantity(),
    precision: z
      .union([z.number(), z.string()], { error: 'expected a number, a quantity or a percentage' })
      .describe('Widest accepted bracket, in the unit of the parameter or as a percentage of its lower end (5%)'),
    variant: z.string().optional().describe('Label of the variant to search; the default is each'),
    metric: z.string(),
    condition: z.string().describe('What starts to hold between from and to, such as med>1GB'),
  })
  .describe('Bisection for the value of a parameter from which on the condition holds');

export const specSchema = z.strictObject({
  mechanism: z.string(),
  machine,
  kernel: z.record(z.string(), scalar()).optional().describe('Kernel options for all variants'),
  workload: z.record(z.string(), z.unknown()).default({}).describe('What is injected; parameters of the mechanism'),
  beside: z
    .array(beside)
    .max(MAX_BESIDE)
    .optional()
    .describe('What else runs on the machine meanwhile, to study interference'),
  variants: z.array(variant).min(1).max(MAX_VARIANTS).describe('Designs to compare; the first is the baseline'),
  seed: z.int().min(0).max(MAX_SEED).default(1),
  replications: z.int().min(1).max(MAX_REPLICATIONS).default(5),
  sweep: z
    .record(z.string(), sweepAxis)
    .refine(atMost(MAX_SWEEP_AXES), { error: `expected at most ${MAX_SWEEP_AXES} paths` })
    .optional()
    .describe('Paths below machine, workload or kernel, each with a list or a range; all combinations are run'),
  find: find.optional(),
  thresholds: z
    .record(z.string(), z.array(condition).min(1).max(MAX_THRESHOLDS))
    .refine(atMost(MAX_THRESHOLDS), { error: `expected at most ${MAX_THRESHOLDS} keys` })
    .optional()
    .describe(
      'Metric, or metric{variant:label,minus:other,machine.cpus:40}, to conditions such as max<400MiB; ' +
        'minus is the difference to another variant, over the ratio, pair by pair',
    ),
  published: z
    .array(z.string())
    .max(MAX_THRESHOLDS)
    .optional()
    .describe('Ids of published figures to compare; the default is all that apply'),
  timeout: durationSeconds()
    .refine((seconds) => seconds >= MIN_CELL_TIMEOUT_SECONDS && seconds <= MAX_CELL_TIMEOUT_SECONDS, {
      error: 'expected a duration from 10ms to 24h',
    })
    .default(DEFAULT_CELL_TIMEOUT_SECONDS)
    .describe('Wall time that one cell may take'),
  maxDuration: durationSeconds()
    .refine((seconds) => seconds >= MIN_CELL_TIMEOUT_SECONDS && seconds <= MAX_EXPERIMENT_SECONDS, {
      error: 'expected a duration from 10ms to 744h',
    })
    .optional()
    .describe('Wall time that the whole experiment may take; the default is no limit'),
});

export const scenarioSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Scenario'),
  metadata: z.strictObject({
    name: name(),
    title: z.string().optional(),
    description: z.string().optional().describe('The question that this scenario answers'),
  }),
  spec: specSchema,
});

export type ScenarioDocument = z.output<typeof scenarioSchema>;
export type ScenarioSpec = ScenarioDocument['spec'];
export type SweepRange = z.output<typeof sweepRange>;
