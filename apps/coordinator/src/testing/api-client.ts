// Asks the HTTP API and holds every answer against what the OpenAPI document says of it.
import { expect } from 'vitest';
import { OPERATIONS } from '../api/operations.js';
import { problemSchema } from '../api/schemas.js';

export interface Ask {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects
  readonly json: any;
}

/** @returns the answer, whose status and form are documented for this operation. */
export async function ask(http: string, operationId: string, { params = {}, query, headers, body }: Ask = {}) {
  const operation = OPERATIONS.find(({ id }) => id === operationId);
  if (!operation) throw new Error(`no operation ${operationId}`);
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name]!));
  const response = await fetch(`${http}${path}?${new URLSearchParams(query)}`, {
    method: operation.method.toUpperCase(),
    headers: { ...(body !== undefined && { 'content-type': 'application/yaml' }), ...headers },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  const json: unknown = text === '' ? undefined : JSON.parse(text);
  if (response.status === operation.answer.status) {
    // What is not in the schema would be lost by a parse: the document tells all of the answer.
    expect(operation.answer.schema.parse(json)).toEqual(json);
  } else {
    const documented = [400, 429, 503, ...(operation.problems ?? [])] as number[];
    expect(documented, `${operationId}: ${text}`).toContain(response.status);
    expectProblem(response, json);
  }
  return { status: response.status, headers: response.headers, json } as Answer;
}

export function expectProblem(response: Response, json: unknown): void {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(problemSchema.strict().parse(json)).toMatchObject({ status: response.status });
}
