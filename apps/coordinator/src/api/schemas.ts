// What crosses the HTTP boundary, in both directions: requests are checked with these, the OpenAPI document is made of
// them, and the tests hold every answer against them.
import { comparisonReportSchema } from '@kworkbench/experiment';
import { z } from 'zod';
import { MAX_CELL_PAGE, MAX_IDEMPOTENCY_KEY, MAX_POINTS, MAX_SOURCE_NAME, MIN_POINTS } from '../limits.js';
import { MAX_LIST_LIMIT } from '../store/index.js';

const CELL_ID = /^[0-9a-f]{32}$/;
/** No control characters: the text goes into logs, and PostgreSQL takes no NUL. */
const PLAIN = /^[^\p{Cc}]*$/u;
const LONGEST_NAME = 100;

const plain = (longest: number) =>
  z
    .string()
    .max(longest, `expected at most ${longest} characters`)
    .regex(PLAIN, 'expected text without control characters');

/** An integer as a query parameter. */
const digits = (low: number, high: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `expected an integer from ${low} to ${high}`)
    .transform(Number)
    .pipe(
      z
        .int()
        .min(low, `expected an integer from ${low} to ${high}`)
        .max(high, `expected an integer from ${low} to ${high}`),
    )
    .meta({ override: { type: 'integer', minimum: low, maximum: high } });

/** A finite number as a query parameter. */
const decimal = () =>
  z
    .string()
    .max(40, 'expected a number')
    .regex(/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/, 'expected a number')
    .transform(Number)
    .pipe(z.number('expected a number'))
    .meta({ override: { type: 'number' } });

const cursor = () =>
  z
    .string()
    .max(200, 'expected the nextCursor of a page')
    .regex(/^[\w-]+$/, 'expected the nextCursor of a page')
    .meta({ description: '`nextCursor` of the page before; left out for the first page' });

export const experimentId = plain(LONGEST_NAME).min(1).meta({ description: 'Id of an experiment' });
export const cellIdSchema = z
  .string()
  .regex(CELL_ID, 'expected 32 hex digits')
  .meta({ description: 'Id of a cell: hash of its content' });
export const nameSchema = plain(LONGEST_NAME).min(1).meta({ description: 'Name' });
export const experimentParams = z.object({ id: experimentId });
export const cellParams = z.object({ cellId: cellIdSchema });
export const seriesParams = z.object({ cellId: cellIdSchema, table: nameSchema });
export const nameParams = z.object({ name: nameSchema });
export const experimentState = z.enum(['running', 'completed', 'failed', 'cancelled']);

// Requests

export const submitQuery = z.strictObject({
  source: plain(MAX_SOURCE_NAME)
    .optional()
    .meta({ description: 'What messages call the scenario, e.g. its file name' }),
});
/** Read by name, since requests carry other headers too. */
export const submitHeaders = z.object({
  'idempotency-key': plain(MAX_IDEMPOTENCY_KEY)
    .min(1, 'expected a key, got an empty one')
    .optional()
    .meta({ description: 'Submitting again with the same key gives the same experiment' }),
});
export const listQuery = z.strictObject({
  limit: digits(1, MAX_LIST_LIMIT).optional().meta({ description: 'Experiments of a page' }),
  cursor: cursor().optional(),
  state: experimentState.optional(),
  scenario: plain(LONGEST_NAME).optional().meta({ description: 'Only experiments of the scenario of this name' }),
});
export const cellsQuery = z.strictObject({
  limit: digits(1, MAX_CELL_PAGE).optional().meta({ description: 'Cells of a page' }),
  cursor: cursor().optional(),
});
export const seriesQuery = z.strictObject({
  columns: plain(2_000)
    .optional()
    .meta({ description: 'Names of columns, separated by commas; all when left out. Time is always there.' }),
  from: decimal().optional().meta({ description: 'Virtual seconds; samples before are left out' }),
  to: decimal().optional().meta({ description: 'Virtual seconds; samples after are left out' }),
  maxPoints: digits(MIN_POINTS, MAX_POINTS)
    .optional()
    .meta({ description: 'More samples than this are thinned out, so that the extremes of every column stay' }),
});
export const compareQuery = z.strictObject({
  base: experimentId,
  head: experimentId,
  effect: decimal()
    .refine((effect) => effect >= 0, 'expected a share such as 0.05')
    .optional()
    .meta({ description: 'Smallest relative change that counts; 0.05 when left out' }),
});
export const eventsHeaders = z.object({
  'last-event-id': plain(200)
    .optional()
    .meta({ description: 'Id of the last event seen; the state that it told is not told again' }),
});
export const noQuery = z.strictObject({});

// Answers

export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'A URN that names the kind of problem' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'One line per problem' }),
    errors: z
      .array(
        z.object({
          detail: z.string(),
          pointer: z.string().optional().meta({ description: 'JSON pointer into the scenario' }),
          parameter: z.string().optional().meta({ description: 'Name of a query parameter, path parameter or header' }),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

const progress = z.object({ variant: z.string(), total: z.int(), done: z.int(), failed: z.int() });
export const experimentSummary = z
  .object({
    id: z.string(),
    scenario: z.string(),
    state: experimentState,
    cellsTotal: z.int(),
    cellsDone: z.int(),
    cellsFailed: z.int(),
    submittedAt: z.iso.datetime(),
    endedAt: z.iso.datetime().optional(),
    verdict: z.enum(['pass', 'fail']).optional(),
  })
  .meta({ id: 'ExperimentSummary' });
export const experimentSchema = experimentSummary.extend({ progress: z.array(progress) }).meta({ id: 'Experiment' });
export const experimentPage = z
  .object({ experiments: z.array(experimentSummary), nextCursor: z.string().optional() })
  .meta({ id: 'ExperimentPage' });

const scalar = z.union([z.string(), z.number(), z.boolean()]);
/** JSON has no infinities; they and NaN are null. */
const sample = z.number().nullable();
const failure = z.object({ kind: z.string(), message: z.string() });
export const plannedCellSchema = z
  .object({
    id: cellIdSchema,
    variant: z.string(),
    point: z.record(z.string(), scalar),
    replication: z.int(),
    seed: z.int(),
    state: z.enum(['waiting', 'done', 'failed']),
    digest: z.string().optional(),
    failure: failure.optional(),
  })
  .meta({ id: 'PlannedCell' });
export const cellPage = z
  .object({ cells: z.array(plannedCellSchema), nextCursor: z.string().optional() })
  .meta({ id: 'CellPage' });

const columnSchema = z.object({ name: z.string(), unit: z.string(), help: z.string() });
export const cellSchema = z
  .object({
    id: cellIdSchema,
    failure: failure.optional(),
    digest: z.string().optional(),
    metrics: z.record(z.string(), sample).optional(),
    virtualSeconds: z.number().optional(),
    wallSeconds: z.number().optional(),
    events: z.number().optional(),
    tables: z.array(z.object({ name: z.string(), help: z.string(), columns: z.array(columnSchema) })).optional(),
  })
  .meta({ id: 'Cell', description: 'How a cell ended: with `failure`, or with everything else' });
export const seriesSchema = z
  .object({
    cellId: cellIdSchema,
    table: z.string(),
    samples: z.int().meta({ description: 'Samples of the range that are stored' }),
    thinned: z.boolean().meta({ description: 'Whether samples were left out; the extremes of every column are there' }),
    columns: z.array(columnSchema.extend({ values: z.array(sample) })),
  })
  .meta({ id: 'Series' });

export const scenarioSummary = z
  .object({
    name: z.string(),
    title: z.string().optional(),
    description: z.string().optional(),
    mechanism: z.string(),
    variants: z.array(z.string()),
    replications: z.int(),
    cells: z.int().meta({ description: 'Cells of the first round; a search adds rounds' }),
  })
  .meta({ id: 'ScenarioSummary' });
export const scenarioPage = z.object({ scenarios: z.array(scenarioSummary) }).meta({ id: 'ScenarioList' });
export const scenarioDetail = scenarioSummary
  .extend({ yaml: z.string().meta({ description: 'The scenario file' }) })
  .meta({ id: 'Scenario' });

const jsonSchema = z.record(z.string(), z.unknown()).meta({ description: 'JSON Schema (2020-12)' });
export const mechanismSummary = z
  .object({ name: z.string(), title: z.string(), modelVersion: z.int() })
  .meta({ id: 'MechanismSummary' });
export const mechanismList = z.object({ mechanisms: z.array(mechanismSummary) }).meta({ id: 'MechanismList' });
export const mechanismDetail = mechanismSummary
  .extend({
    variants: z.array(z.object({ id: z.string(), title: z.string(), source: z.string() })),
    metrics: z.array(z.object({ name: z.string(), unit: z.string(), help: z.string(), better: z.string() })),
    published: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        source: z.string(),
        variant: z.string(),
        metric: z.string(),
        expected: z.number(),
        low: z.number(),
        high: z.number(),
        basis: z.string(),
      }),
    ),
    profiles: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        cpus: z.int(),
        memoryBytes: z.number(),
        hz: z.int(),
        constants: z.array(
          z.object({
            name: z.string(),
            value: z.number(),
            unit: z.string(),
            basis: z.string(),
            source: z.string(),
            help: z.string(),
          }),
        ),
      }),
    ),
    workloadSchema: jsonSchema,
    kernelSchema: jsonSchema,
  })
  .meta({ id: 'Mechanism' });

export const comparisonAnswer = comparisonReportSchema.meta({ id: 'Comparison' });
/** Its schema is a file of its own, beside the OpenAPI document both in `schemas/` and under `/api/`. */
export const reportAnswer = z.unknown().meta({ override: { $ref: 'report.schema.json' } });
