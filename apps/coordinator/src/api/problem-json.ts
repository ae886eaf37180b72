// Errors over HTTP: problem details (RFC 9457), with one entry per problem of a scenario and a JSON pointer to it.
import { ScenarioError } from '@kworkbench/experiment';
import type { Logger } from '@kworkbench/service-host';
import { Catch, HttpException, HttpStatus, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { kindOf } from './errors.js';
import type { MalformedRate } from './malformed-rate.js';
import { BadRequest } from './request.js';

export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly { readonly detail: string; readonly pointer?: string; readonly parameter?: string }[];
}

export const PROBLEM_TYPE = 'application/problem+json';
/** Types are names, not pages: a URN of the product. */
const URN = 'urn:kworkbench:problem:';
/** When a client of a service that is away should ask again. */
const RETRY_AFTER_SECONDS = '2';
/** What a client can do about by sending something else; counted per address. */
const MALFORMED: readonly number[] = [400, 413, 415, 422];

/** `spec.sweep[0].x` to `/spec/sweep/0/x`. */
export function jsonPointer(path: string): string {
  return path
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}

export function toProblem(error: unknown): ProblemDetails {
  const kind = kindOf(error);
  if (kind) return { ...problem(kind.type, kind.title, kind.httpStatus, (error as Error).message), ...errorsOf(error) };
  // Nest's own (no such route) and Fastify's (body too large, unknown content type) carry a status below 500.
  const code = error instanceof HttpException ? error.getStatus() : (error as { statusCode?: unknown }).statusCode;
  if (typeof code === 'number' && code >= 400 && code < 500) {
    return problem('bad-request', 'The request is wrong', code, (error as Error).message);
  }
  return problem(
    'internal',
    'Internal error',
    HttpStatus.INTERNAL_SERVER_ERROR,
    'the log of the coordinator says more',
  );
}

export function problem(type: string, title: string, status: number, detail: string): ProblemDetails {
  return { type: `${URN}${type}`, title, status, detail };
}

function errorsOf(error: unknown): Pick<ProblemDetails, 'errors'> {
  if (error instanceof ScenarioError) {
    const lines = error.lines();
    return { errors: error.problems.map(({ path }, index) => ({ detail: lines[index]!, pointer: jsonPointer(path) })) };
  }
  return error instanceof BadRequest ? { errors: error.problems } : {};
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly malformed: MalformedRate,
    private readonly log: Logger,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const details = toProblem(error);
    if (details.status === 500) this.log.error({ err: error }, 'request failed');
    if (MALFORMED.includes(details.status)) this.malformed.count(request.ip);
    if (details.status === HttpStatus.SERVICE_UNAVAILABLE) void reply.header('retry-after', RETRY_AFTER_SECONDS);
    void reply.status(details.status).header('content-type', PROBLEM_TYPE).send(JSON.stringify(details));
  }
}
