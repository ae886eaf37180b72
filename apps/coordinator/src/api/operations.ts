// Every operation of the HTTP API, as data: the OpenAPI document is made from this table, and a test compares it with
// the routes that the server has.
import type { z } from 'zod';
import * as schemas from './schemas.js';

type ObjectSchema = z.ZodObject;

export interface Operation {
  readonly id: string;
  readonly method: 'get' | 'post';
  /** With `{name}` for path parameters. */
  readonly path: string;
  readonly summary: string;
  readonly params?: ObjectSchema;
  readonly query?: ObjectSchema;
  readonly headers?: ObjectSchema;
  /** The body is a scenario, as YAML or JSON. */
  readonly scenarioBody?: boolean;
  readonly answer: {
    readonly status: 200 | 202;
    readonly description: string;
    readonly schema: z.ZodType;
    readonly type?: 'text/event-stream';
    readonly location?: boolean;
  };
  /** Statuses of problems, besides 400, 429, 500 and 503, which any operation may answer. */
  readonly problems?: readonly (204 | 404 | 409 | 413 | 415 | 422)[];
}

const scenarioProblems = [413, 415, 422] as const;

export const OPERATIONS: readonly Operation[] = [
  {
    id: 'submitExperiment',
    method: 'post',
    path: '/api/v1/experiments',
    summary: 'Submits a scenario; its cells are run whatever happens to this coordinator',
    query: schemas.submitQuery,
    headers: schemas.submitHeaders,
    scenarioBody: true,
    answer: { status: 202, description: 'Accepted', schema: schemas.experimentSchema, location: true },
    problems: scenarioProblems,
  },
  {
    id: 'listExperiments',
    method: 'get',
    path: '/api/v1/experiments',
    summary: 'Experiments, newest first, a page at a time',
    query: schemas.listQuery,
    answer: { status: 200, description: 'A page', schema: schemas.experimentPage },
  },
  {
    id: 'compareExperiments',
    method: 'get',
    path: '/api/v1/comparisons',
    summary: 'Two ended experiments beside one another: a regression, a change, or within noise',
    query: schemas.compareQuery,
    answer: { status: 200, description: 'The comparison', schema: schemas.comparisonAnswer },
    problems: [404, 409],
  },
  {
    id: 'getExperiment',
    method: 'get',
    path: '/api/v1/experiments/{id}',
    summary: 'State and progress of an experiment',
    params: schemas.experimentParams,
    answer: { status: 200, description: 'The experiment', schema: schemas.experimentSchema },
    problems: [404],
  },
  {
    id: 'cancelExperiment',
    method: 'post',
    path: '/api/v1/experiments/{id}/cancel',
    summary: 'Ends an experiment where it stands; results that are stored stay. An ended one stays as it ended.',
    params: schemas.experimentParams,
    answer: { status: 200, description: 'The experiment', schema: schemas.experimentSchema },
    problems: [404],
  },
  {
    id: 'watchExperiment',
    method: 'get',
    path: '/api/v1/experiments/{id}/events',
    summary: 'Server-sent events: `experiment` with the state, at once and on every change, to the end',
    params: schemas.experimentParams,
    headers: schemas.eventsHeaders,
    answer: {
      status: 200,
      description: 'Events, each with the experiment as data. 204 when it has ended and Last-Event-ID knows how.',
      schema: schemas.experimentSchema,
      type: 'text/event-stream',
    },
    problems: [204, 404],
  },
  {
    id: 'getReport',
    method: 'get',
    path: '/api/v1/experiments/{id}/report',
    summary: 'The report of an ended experiment, as `kwb run --json` writes it',
    params: schemas.experimentParams,
    answer: { status: 200, description: 'The report', schema: schemas.reportAnswer },
    problems: [404, 409],
  },
  {
    id: 'listCells',
    method: 'get',
    path: '/api/v1/experiments/{id}/cells',
    summary: 'The cells that an experiment has planned, in the order of planning',
    params: schemas.experimentParams,
    query: schemas.cellsQuery,
    answer: { status: 200, description: 'A page', schema: schemas.cellPage },
    problems: [404],
  },
  {
    id: 'getCell',
    method: 'get',
    path: '/api/v1/cells/{cellId}',
    summary: 'How a cell ended, and which tables of samples it has',
    params: schemas.cellParams,
    answer: { status: 200, description: 'The cell', schema: schemas.cellSchema },
    problems: [404],
  },
  {
    id: 'readSeries',
    method: 'get',
    path: '/api/v1/cells/{cellId}/series/{table}',
    summary: 'Samples of a table of a cell, thinned out so that extremes stay',
    params: schemas.seriesParams,
    query: schemas.seriesQuery,
    answer: { status: 200, description: 'The samples, by column', schema: schemas.seriesSchema },
    problems: [404],
  },
  {
    id: 'listScenarios',
    method: 'get',
    path: '/api/v1/scenarios',
    summary: 'The catalogue',
    answer: { status: 200, description: 'The scenarios', schema: schemas.scenarioPage },
  },
  {
    id: 'getScenario',
    method: 'get',
    path: '/api/v1/scenarios/{name}',
    summary: 'A scenario of the catalogue, with its file',
    params: schemas.nameParams,
    answer: { status: 200, description: 'The scenario', schema: schemas.scenarioDetail },
    problems: [404],
  },
  {
    id: 'checkScenario',
    method: 'post',
    path: '/api/v1/scenarios/check',
    summary: 'Checks a scenario as a submission would, and tells its size; starts nothing',
    query: schemas.submitQuery,
    scenarioBody: true,
    answer: { status: 200, description: 'What would be run', schema: schemas.scenarioSummary },
    problems: scenarioProblems,
  },
  {
    id: 'listMechanisms',
    method: 'get',
    path: '/api/v1/mechanisms',
    summary: 'The mechanisms of this build',
    answer: { status: 200, description: 'The mechanisms', schema: schemas.mechanismList },
  },
  {
    id: 'getMechanism',
    method: 'get',
    path: '/api/v1/mechanisms/{name}',
    summary: 'Variants, metrics, published figures, cost profiles and the schemas of workload and kernel options',
    params: schemas.nameParams,
    answer: { status: 200, description: 'The mechanism', schema: schemas.mechanismDetail },
    problems: [404],
  },
];
