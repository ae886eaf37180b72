// Errors over HTTP: problem details (RFC 9457), with one entry per problem of a scenario and a JSON pointer to it.
import { ScenarioError } from '@kworkbench/experiment';
import type { Logger } from '@kworkbench/service-host';
import { Catch, HttpException, HttpStatus, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { QueueUnavailableError } from './cell-queues.js';
import { BadRequest, NoReport } from './experiments.js';
import { StoreUnavailableError, UnknownExperimentError } from './store/index.js';

export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly { readonly detail: string; readonly pointer: string }[];
}

/** Types are names, not pages: a URN of the product. */
const TYPE = 'urn:kworkbench:problem:';
/** When a client of a service that is away should ask again. */
const RETRY_AFTER_SECONDS = '2';

/** `spec.sweep[0].x` to `/spec/sweep/0/x`. */
export function jsonPointer(path: string): string {
  return path
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}

export function toProblem(error: unknown): ProblemDetails {
  if (error instanceof ScenarioError) {
    const lines = error.lines();
    return {
      ...problem('bad-scenario', 'The scenario cannot run', HttpStatus.BAD_REQUEST, lines.join('\n')),
      errors: error.problems.map(({ path }, index) => ({ detail: lines[index]!, pointer: jsonPointer(path) })),
    };
  }
  if (error instanceof BadRequest)
    return problem('bad-request', 'The request is wrong', HttpStatus.BAD_REQUEST, error.message);
  if (error instanceof UnknownExperimentError) {
    return problem('unknown-experiment', 'There is no such experiment', HttpStatus.NOT_FOUND, error.message);
  }
  if (error instanceof NoReport) return problem('no-report', 'There is no report', HttpStatus.CONFLICT, error.message);
  if (error instanceof StoreUnavailableError || error instanceof QueueUnavailableError) {
    return problem('unavailable', 'Not available now', HttpStatus.SERVICE_UNAVAILABLE, error.message);
  }
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

function problem(type: string, title: string, status: number, detail: string): ProblemDetails {
  return { type: `${TYPE}${type}`, title, status, detail };
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const details = toProblem(error);
    if (details.status >= 500 && details.status !== HttpStatus.SERVICE_UNAVAILABLE)
      this.log.error({ err: error }, 'request failed');
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (details.status === HttpStatus.SERVICE_UNAVAILABLE) void reply.header('retry-after', RETRY_AFTER_SECONDS);
    void reply.status(details.status).header('content-type', 'application/problem+json').send(JSON.stringify(details));
  }
}
