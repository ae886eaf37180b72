// Unary gRPC handlers that answer with what work resolves to, or with the status of what it throws.
import { status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import type { Logger } from '@kworkbench/service-host';
import { kindOf } from './errors.js';

export type Unary = <Request, Response>(
  work: (request: Request) => Promise<Response> | Response,
) => (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => void;

export function unaryHandlers(log: Logger): Unary {
  return (work) => (call, callback) => {
    (async () => work(call.request))().then(
      (response) => callback(null, response),
      (error: Error) => callback(toStatus(error, log)),
    );
  };
}

export function toStatus(error: Error, log: Logger): { code: status; details: string } {
  const kind = kindOf(error);
  if (kind) return { code: kind.grpcStatus, details: error.message };
  log.error({ err: error }, 'request failed');
  return { code: status.INTERNAL, details: 'internal error; the log of the coordinator says more' };
}
