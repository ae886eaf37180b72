// The OpenAPI document, made from the operations and their schemas.
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { MAX_SCENARIO_BYTES } from '../limits.js';
import { OPERATIONS, type Operation } from './operations.js';
import { problemSchema } from './schemas.js';

const TITLES: Readonly<Record<number, string>> = {
  204: 'Nothing more to tell',
  400: 'The request is wrong',
  404: 'There is no such thing',
  409: 'Not in this state',
  413: 'Too large',
  415: 'Neither YAML nor JSON',
  422: 'The scenario cannot run',
  429: 'Too many wrong requests, or too many watchers',
  500: 'A defect; the log of the coordinator says more',
  503: 'Database or queue cannot be reached; try again later',
};
const ALWAYS = [400, 429, 500, 503] as const;
const SCENARIO_TYPES = ['application/yaml', 'application/json', 'text/plain'];

/** Plain data; the same on every call. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: operationObject(operation) };
  }
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'kworkbench coordinator',
      version: '1',
      description: 'Experiments on simulated kernels: submit, watch, read, compare. The same is offered over gRPC.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths: paths as ZodOpenApiPathsObject,
  });
}

function operationObject(operation: Operation): ZodOpenApiOperationObject {
  const { id, summary, params, query, headers, scenarioBody, answer } = operation;
  const problems = [...new Set([...ALWAYS, ...(operation.problems ?? [])])].sort((a, b) => a - b);
  return {
    operationId: id,
    summary,
    requestParams: {
      ...(params && { path: params }),
      ...(query && { query }),
      ...(headers && { header: headers }),
    },
    ...(scenarioBody && {
      requestBody: {
        required: true,
        description: `A scenario of at most ${MAX_SCENARIO_BYTES} bytes; see schemas/scenario.schema.json`,
        content: Object.fromEntries(
          SCENARIO_TYPES.map((type) => [type, { schema: { type: type.endsWith('json') ? 'object' : 'string' } }]),
        ),
      },
    }),
    responses: {
      [answer.status]: {
        description: answer.description,
        ...(answer.location && {
          headers: { Location: { schema: { type: 'string' }, description: 'Path of the experiment' } },
        }),
        content: { [answer.type ?? 'application/json']: { schema: answer.schema } },
      },
      ...Object.fromEntries(problems.map((status) => [status, problemResponse(status)])),
    },
  } as ZodOpenApiOperationObject;
}

function problemResponse(status: number) {
  const description = TITLES[status]!;
  if (status < 400) return { description };
  return { description, content: { 'application/problem+json': { schema: problemSchema } } };
}
