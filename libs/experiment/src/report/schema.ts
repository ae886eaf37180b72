// The report: the same for CLI, HTTP and gRPC. Stable and versioned: within kworkbench/v1 keys may be added, never
// changed or removed. All quantities are in base units (bytes, seconds), as the names of the metrics say.
import { z } from 'zod';
import { API_VERSION } from '../scenario/schema.js';

export const point = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .describe('Sweep path to value; empty without a sweep');
const variant = z.string().describe('Label of the variant in the scenario');

const cell = z.object({
  id: z.string().describe('Hash of the content of the cell'),
  variant,
  point,
  replication: z.int(),
  seed: z.int(),
  metrics: z.record(z.string(), z.number()),
  virtualSeconds: z.number().describe('Machine time that was simulated'),
  wallSeconds: z.number().describe('Time that took, on one core'),
  events: z.number(),
  digest: z.string().describe('SHA-256 of all telemetry of the cell'),
});

const failure = z.object({
  id: z.string(),
  variant,
  point,
  replication: z.int(),
  kind: z.enum(['invariant', 'model', 'memory', 'timeout', 'cancelled']),
  message: z.string(),
});

const summary = z.object({
  variant,
  point,
  metric: z.string(),
  median: z.number(),
  low: z.number().nullable().describe('95 % interval of the median; null below three replications'),
  high: z.number().nullable(),
  min: z.number(),
  max: z.number(),
  n: z.int().describe('Replications'),
});

export const comparison = z.object({
  baseline: variant,
  variant,
  point,
  metric: z.string(),
  n: z.int().describe('Pairs of replications with the same seed'),
  baselineMedian: z.number(),
  median: z.number(),
  difference: z.number().describe('Median of the paired differences, variant less baseline'),
  low: z.number().nullable().describe('95 % interval of the difference; null below three pairs'),
  high: z.number().nullable(),
  relative: z
    .number()
    .nullable()
    .describe('Median change relative to the baseline, pair by pair where there are pairs; null when that is 0'),
  relativeLow: z.number().nullable().optional().describe('95 % interval of the relative change'),
  relativeHigh: z.number().nullable().optional(),
  test: z
    .enum(['signed-rank', 'rank-sum'])
    .optional()
    .describe('Pairs of the same seed (Wilcoxon), or independent samples (Mann-Whitney; difference is Hodges-Lehmann)'),
  p: z.number().optional().describe('Two-sided; exact for small samples'),
  pAdjusted: z.number().optional().describe("After Holm's correction over all comparisons made together"),
  corrected: z
    .boolean()
    .optional()
    .describe('False: so few replications cannot survive the correction, and the interval alone decides'),
  delta: z.number().optional().describe("Effect size: Cliff's delta, from -1 (all below the baseline) to 1"),
  verdict: z.enum(['better', 'worse', 'different', 'within noise', 'too few replications']),
});

const published = z.object({
  id: z.string(),
  title: z.string(),
  source: z.string(),
  variant,
  point,
  metric: z.string(),
  expected: z.number(),
  low: z.number(),
  high: z.number(),
  tolerance: z.number().nullable().describe('Wider side of the accepted range, relative; null when 0 is expected'),
  measured: z.number().nullable(),
  error: z.number().nullable().describe('Relative; null when 0 is expected or nothing was measured'),
  n: z.int(),
  basis: z.enum(['fitted', 'predicted', 'input']),
  gated: z.boolean().describe('Whether a miss makes the verdict fail; others are shown only'),
  ok: z.boolean().nullable().describe('null: does not apply here, and then it neither passes nor fails'),
  reason: z.string().optional().describe('Why it does not apply'),
});

const threshold = z.object({
  metric: z.string(),
  variant,
  versus: z
    .object({ kind: z.enum(['minus', 'over']), variant })
    .optional()
    .describe('The value is the difference (minus) or the ratio (over) to this variant, pair by pair'),
  point,
  condition: z.string(),
  value: z.number().nullable(),
  n: z.int(),
  ok: z.boolean(),
});

const find = z.object({
  parameter: z.string(),
  metric: z.string(),
  condition: z.string(),
  variant,
  point,
  outcome: z.enum(['found', 'holds at from', 'never holds', 'no answer', 'not finished']),
  reason: z.string().optional().describe('Why there is no answer: the value that the search came to and cannot run'),
  value: z.number().nullable().describe('Smallest value tried at which the condition holds'),
  low: z.number().nullable().describe('Largest value below it at which the condition does not hold'),
  high: z.number().nullable(),
  tried: z.array(z.object({ value: z.number(), measured: z.number(), holds: z.boolean(), n: z.int() })),
});

const metric = z.object({
  name: z.string(),
  unit: z.string(),
  help: z.string(),
  better: z.enum(['lower', 'higher', 'none']),
});

const provenance = z.object({
  version: z.string(),
  commit: z.string().nullable(),
  node: z.string(),
  host: z.object({ cpu: z.string(), cpus: z.int(), memoryBytes: z.number(), kernel: z.string(), arch: z.string() }),
  startedAt: z.string().optional().describe('RFC 3339'),
  code: z.string().optional().describe('Hash of the code of machine, mechanism and telemetry that the cells ran on'),
  reusedCells: z.int().optional().describe('Cells whose result was taken from an earlier run of the same content'),
  resumedFrom: z.string().optional().describe('The run directory that this run has completed'),
});

const profile = z.object({
  id: z.string(),
  title: z.string(),
  constants: z.array(
    z.object({
      name: z.string(),
      value: z.number(),
      unit: z.string(),
      basis: z.enum(['measured', 'published', 'fitted', 'assumed', 'override']),
      source: z.string(),
    }),
  ),
});

export const reportSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Report'),
  scenario: z.string(),
  title: z.string().nullable(),
  mechanism: z.string(),
  modelVersion: z.int(),
  verdict: z.enum(['pass', 'fail']),
  workload: z.string().describe('What was injected, in one line; of a sweep, what all its points share'),
  machine: z.object({ profile: z.string(), cpus: z.int(), memoryBytes: z.number(), hz: z.int() }),
  seed: z.int(),
  replications: z.int(),
  wallSeconds: z.number().describe('From start to end of the experiment'),
  variants: z.array(z.object({ label: z.string(), id: z.string(), title: z.string() })),
  metrics: z.array(metric),
  headline: z.array(z.string()).describe('Metrics of the summary table, in its order'),
  cells: z.array(cell),
  failures: z.array(failure),
  notRun: z.int().describe('Planned cells that were not run'),
  aborted: z.string().optional().describe('The threshold that ended the experiment early, and with which value'),
  summary: z.array(summary),
  comparisons: z.array(comparison),
  published: z.array(published),
  thresholds: z.array(threshold),
  find: z.array(find),
  profiles: z.array(profile).describe('Constants that the cells ran with, and where they come from'),
  provenance,
});

export type Report = z.output<typeof reportSchema>;
export type Provenance = Report['provenance'];
