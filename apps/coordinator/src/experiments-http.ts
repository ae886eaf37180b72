// /api/v1/experiments: the same as over gRPC, for browsers and curl.
import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  Headers,
  HttpCode,
  HttpStatus,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BadRequest, Experiments, type ExperimentView } from './experiments.js';
import type { StoredExperiment } from './store/index.js';

/** Proxies close connections that say nothing for a minute or less. */
const SSE_HEARTBEAT_MS = 15_000;

function toJson({ experiment, progress }: ExperimentView) {
  return { ...summary(experiment), progress };
}

function summary(experiment: StoredExperiment) {
  const { id, scenario, state, cellsTotal, cellsDone, cellsFailed, submittedAt, endedAt, verdict } = experiment;
  return { id, scenario, state, cellsTotal, cellsDone, cellsFailed, submittedAt, endedAt, verdict };
}

function listLimit(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new BadRequest(`limit: expected a positive integer, got "${text}"`);
  return Number(text);
}

@Controller('api/v1/experiments')
export class ExperimentsController {
  constructor(@Inject(Experiments) private readonly experiments: Experiments) {}

  @Post()
  @HttpCode(HttpStatus.ACCEPTED)
  async submit(
    @Body() scenario: unknown,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Query('source') source: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    if (typeof scenario !== 'string' || scenario.trim() === '') {
      throw new BadRequest('body: expected a scenario as YAML or JSON, got nothing');
    }
    const view = await this.experiments.submit({
      scenario,
      sourceName: source ?? 'body',
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    });
    void reply.header('location', `/api/v1/experiments/${view.experiment.id}`);
    return toJson(view);
  }

  @Get()
  async list(@Query('limit') limit: string | undefined, @Query('before') before: string | undefined) {
    return { experiments: (await this.experiments.list(listLimit(limit), before ?? '')).map(summary) };
  }

  @Get(':id')
  async get(@Param('id') id: string) {
    return toJson(await this.experiments.get(id));
  }

  @Get(':id/report')
  @Header('content-type', 'application/json; charset=utf-8')
  report(@Param('id') id: string) {
    return this.experiments.report(id);
  }

  @Delete(':id')
  async cancel(@Param('id') id: string) {
    return toJson(await this.experiments.cancel(id));
  }

  /** Server-sent events: `experiment` with the state on every change; the stream ends with the experiment. */
  @Get(':id/events')
  async events(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const gone = new AbortController();
    request.raw.on('close', () => gone.abort());
    const views = this.experiments.watch(id, gone.signal);
    const first = await views.next(); // an unknown id becomes a problem, not an empty stream
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(HttpStatus.OK, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const heartbeat = setInterval(() => raw.write(':\n\n'), SSE_HEARTBEAT_MS);
    raw.on('close', () => gone.abort());
    try {
      for (let next = first; !next.done; next = await views.next()) {
        raw.write(`event: experiment\ndata: ${JSON.stringify(toJson(next.value))}\n\n`);
      }
    } catch {
      // The database went away: the client's EventSource connects again and gets a problem, or the state.
    } finally {
      clearInterval(heartbeat);
      raw.end();
    }
  }
}
