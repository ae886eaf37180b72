// /api/v1/experiments: the same as over gRPC, for browsers and curl.
import { isFailure } from '@kworkbench/experiment';
import {
  Body,
  Controller,
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
import { Cells, type CellState } from '../cells.js';
import { hasEnded } from '../changes.js';
import { Experiments, versionOf, type ExperimentView } from '../experiments.js';
import type { StoredExperiment } from '../store/index.js';
import { checked } from './request.js';
import { scenarioBody } from './scenario-body.js';
import {
  cellsQuery,
  eventsHeaders,
  experimentParams,
  listQuery,
  noQuery,
  submitHeaders,
  submitQuery,
} from './schemas.js';

/** Proxies close connections that say nothing for a minute or less. */
const SSE_HEARTBEAT_MS = 15_000;
/** How soon an EventSource connects again: a coordinator that restarts is back within seconds. */
const SSE_RETRY_MS = 1_000;

const idOf = (id: string) => checked(experimentParams, { id }).id;

function toJson({ experiment, progress }: ExperimentView) {
  return { ...summary(experiment), progress };
}

function summary(experiment: StoredExperiment) {
  const { id, scenario, state, cellsTotal, cellsDone, cellsFailed, submittedAt, endedAt, verdict } = experiment;
  return { id, scenario, state, cellsTotal, cellsDone, cellsFailed, submittedAt, endedAt, verdict };
}

function cellJson({ planned, outcome }: CellState) {
  const { id, variant, point, replication, cell } = planned;
  const about = { id, variant, point, replication, seed: cell.seed };
  if (outcome === undefined) return { ...about, state: 'waiting' };
  if (!isFailure(outcome)) return { ...about, state: 'done', digest: outcome.digest };
  return { ...about, state: 'failed', failure: { kind: outcome.kind, message: outcome.message } };
}

@Controller('api/v1/experiments')
export class ExperimentsController {
  constructor(
    @Inject(Experiments) private readonly experiments: Experiments,
    @Inject(Cells) private readonly cells: Cells,
  ) {}

  @Post()
  @HttpCode(HttpStatus.ACCEPTED)
  async submit(
    @Body() body: unknown,
    @Headers() headers: unknown,
    @Query() query: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { source = 'body' } = checked(submitQuery, query);
    const key = checked(submitHeaders, headers)['idempotency-key'];
    const view = await this.experiments.submit({
      scenario: scenarioBody(body),
      sourceName: source,
      ...(key !== undefined && { idempotencyKey: key }),
    });
    void reply.header('location', `/api/v1/experiments/${view.experiment.id}`);
    return toJson(view);
  }

  @Get()
  async list(@Query() query: unknown) {
    const { experiments, nextCursor } = await this.experiments.list(checked(listQuery, query));
    return { experiments: experiments.map(summary), nextCursor };
  }

  @Get(':id')
  async get(@Param('id') id: string, @Query() query: unknown) {
    checked(noQuery, query);
    return toJson(await this.experiments.get(idOf(id)));
  }

  @Post(':id/cancel')
  @HttpCode(HttpStatus.OK)
  async cancel(@Param('id') id: string) {
    return toJson(await this.experiments.cancel(idOf(id)));
  }

  @Get(':id/report')
  @Header('content-type', 'application/json; charset=utf-8')
  report(@Param('id') id: string) {
    return this.experiments.report(idOf(id));
  }

  @Get(':id/cells')
  async listCells(@Param('id') id: string, @Query() query: unknown) {
    const { cells, nextCursor } = await this.cells.list(idOf(id), checked(cellsQuery, query));
    return { cells: cells.map(cellJson), nextCursor };
  }

  /**
   * Every event is the whole state, so a client that lost some has lost nothing; its id is the state's version, the same
   * at every coordinator. With Last-Event-ID only what is newer is told, and 204 (which ends an EventSource) when the
   * experiment has ended and the client knows how.
   */
  @Get(':id/events')
  async events(
    @Param('id') id: string,
    @Headers() headers: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    const known = checked(eventsHeaders, headers)['last-event-id'];
    const present = await this.experiments.get(idOf(id)); // an unknown id becomes a problem, not an empty stream
    if (hasEnded(present.experiment) && versionOf(present) === known) {
      return void reply.status(HttpStatus.NO_CONTENT).send();
    }
    const gone = new AbortController();
    request.raw.on('close', () => gone.abort());
    const views = this.experiments.watch(id, gone.signal, known);
    reply.hijack();
    await this.#stream(reply, gone, views);
  }

  async #stream({ raw }: FastifyReply, gone: AbortController, views: AsyncGenerator<ExperimentView>): Promise<void> {
    raw.writeHead(HttpStatus.OK, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    raw.write(`retry: ${SSE_RETRY_MS}\n\n`);
    const heartbeat = setInterval(() => raw.write(':\n\n'), SSE_HEARTBEAT_MS);
    raw.on('close', () => gone.abort());
    try {
      for await (const view of views) {
        const text = `id: ${versionOf(view)}\nevent: experiment\ndata: ${JSON.stringify(toJson(view))}\n\n`;
        // A client that does not read is told the state of the moment when it does, and nothing piles up here.
        if (!raw.write(text)) await new Promise<void>((room) => void raw.once('drain', room).once('close', room));
      }
    } catch {
      // The database went away: the client's EventSource connects again and gets a problem, or the state.
    } finally {
      clearInterval(heartbeat);
      raw.end();
    }
  }
}
