// The HTTP server around the controllers: what it takes in at most, and how it says no before a controller is asked.
import type { Socket } from 'node:net';
import type { Logger } from '@kworkbench/service-host';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  HEADERS_LIMIT_MS,
  KEEP_ALIVE_MS,
  MAX_CONNECTIONS,
  MAX_HEADER_BYTES,
  MAX_SCENARIO_BYTES,
  REQUEST_LIMIT_MS,
} from '../limits.js';
import type { MalformedRate } from './malformed-rate.js';
import { problem, PROBLEM_TYPE, ProblemFilter, type ProblemDetails } from './problem-json.js';
import { forgetUnreadBodies } from './unread-bodies.js';

/** Scenarios arrive as text, JSON too: one parser reads both, and says line and column of what is wrong. */
const SCENARIO_TYPES = ['application/json', 'application/yaml', 'application/x-yaml', 'text/yaml', 'text/plain'];

export function httpAdapter(filter: ProblemFilter): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: MAX_SCENARIO_BYTES,
    forceCloseConnections: true,
    requestTimeout: REQUEST_LIMIT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_LIMIT_MS },
    clientErrorHandler: refuseUnreadable,
    // A path that is no path: the router refuses it before any controller could.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      filter.answer(error, request, reply),
  });
}

/** To be called before the server listens. */
export function limitRequests(fastify: FastifyInstance, malformed: MalformedRate, log: Logger): void {
  fastify.addContentTypeParser(SCENARIO_TYPES, { parseAs: 'string' }, (_request, body, done) => done(null, body));
  fastify.server.maxConnections = MAX_CONNECTIONS;
  forgetUnreadBodies(fastify);
  fastify.addHook('onRequest', async (request, reply) => {
    const seconds = malformed.refusedForSeconds(request.ip);
    if (seconds === 0) return;
    log.debug({ address: request.ip, seconds }, 'requests refused');
    const detail = `too many wrong requests from ${request.ip}; read again in ${seconds} s`;
    const details = problem('too-many-wrong-requests', 'Too many wrong requests', 429, detail);
    // The body stays unread (see unread-bodies.ts).
    void reply.header('retry-after', String(seconds)).header('connection', 'close');
    return reply.status(429).header('content-type', PROBLEM_TYPE).send(JSON.stringify(details));
  });
}

/** What is no HTTP at all, or did not arrive in time, or is too long to be looked at. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const details = unreadable(error.code);
  const body = JSON.stringify(details);
  const head = [
    `HTTP/1.1 ${details.status} ${details.title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function unreadable(code: string | undefined): ProblemDetails {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return problem(
      'header-too-large',
      'Header too large',
      431,
      `expected at most ${MAX_HEADER_BYTES} bytes of headers`,
    );
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return problem('too-slow', 'Request timeout', 408, `expected a request within ${REQUEST_LIMIT_MS / 1000} s`);
  }
  return problem('bad-request', 'The request is wrong', 400, 'expected HTTP/1.1');
}
