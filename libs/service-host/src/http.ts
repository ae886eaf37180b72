// The three paths that an operator asks of every process. Liveness looks at nothing: that the event loop answers is
// all it says. A process that waits for Redis must not be restarted for it.
import { Controller, Get, Header, HttpStatus, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Readiness } from './readiness.js';

/** Gives the text of /metrics. */
export const METRICS_TEXT = Symbol('metrics text');
export type MetricsText = () => Promise<string>;

@Controller()
export class OperationsController {
  constructor(
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(METRICS_TEXT) private readonly metricsText: MetricsText,
  ) {}

  @Get('healthz')
  healthz() {
    return { status: 'ok' };
  }

  @Get('readyz')
  async readyz(@Res({ passthrough: true }) reply: FastifyReply) {
    const answer = await this.readiness.ask();
    void reply.status(answer.ready ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    return { status: answer.ready ? 'ready' : 'not ready', checks: answer.checks };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics() {
    return this.metricsText();
  }
}
