// What an error of this coordinator is, to whoever asked: one table for both protocols.
import { status as grpc } from '@grpc/grpc-js';
import { ScenarioError } from '@kworkbench/experiment';
import { QueueUnavailableError } from '../cell-queues.js';
import { NotFound } from '../cells.js';
import { NoReport, TooManyWatchers } from '../experiments.js';
import { StoreUnavailableError, UnknownExperimentError } from '../store/index.js';
import { TooManyScenarios } from '../yaml-guard.js';
import { BadRequest, TooLarge } from './request.js';

export interface ErrorKind {
  /** Last part of the problem's URN. */
  readonly type: string;
  readonly title: string;
  readonly httpStatus: number;
  readonly grpcStatus: grpc;
}

type ErrorClass = abstract new (...args: never[]) => Error;

const kind = (type: string, title: string, httpStatus: number, grpcStatus: grpc): ErrorKind => ({
  type,
  title,
  httpStatus,
  grpcStatus,
});

const KINDS: readonly (readonly [ErrorClass, ErrorKind])[] = [
  [ScenarioError, kind('bad-scenario', 'The scenario cannot run', 422, grpc.INVALID_ARGUMENT)],
  [BadRequest, kind('bad-request', 'The request is wrong', 400, grpc.INVALID_ARGUMENT)],
  [TooLarge, kind('too-large', 'Too large', 413, grpc.INVALID_ARGUMENT)],
  [UnknownExperimentError, kind('unknown-experiment', 'There is no such experiment', 404, grpc.NOT_FOUND)],
  [NotFound, kind('not-found', 'There is no such thing', 404, grpc.NOT_FOUND)],
  [NoReport, kind('no-report', 'There is no report', 409, grpc.FAILED_PRECONDITION)],
  [TooManyWatchers, kind('too-many-watchers', 'Too many watchers', 429, grpc.RESOURCE_EXHAUSTED)],
  [TooManyScenarios, kind('too-many-scenarios', 'Too many scenarios', 429, grpc.RESOURCE_EXHAUSTED)],
  [StoreUnavailableError, kind('unavailable', 'Not available now', 503, grpc.UNAVAILABLE)],
  [QueueUnavailableError, kind('unavailable', 'Not available now', 503, grpc.UNAVAILABLE)],
];

/** Undefined for what nobody expected. */
export function kindOf(error: unknown): ErrorKind | undefined {
  return KINDS.find(([errorClass]) => error instanceof errorClass)?.[1];
}
