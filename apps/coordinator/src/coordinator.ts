// The parts of a coordinator, and the order in which they start and stop.
import { mechanisms } from '@kworkbench/experiment';
import {
  GrpcHost,
  METRICS_TEXT,
  nestLogger,
  OperationsController,
  Readiness,
  type Logger,
  type MetricsText,
} from '@kworkbench/service-host';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CatalogueController } from './api/catalogue-controller.js';
import { CellsController } from './api/cells-controller.js';
import { ComparisonsController } from './api/comparisons-controller.js';
import { DocumentController } from './api/document-controller.js';
import { ExperimentsController } from './api/experiments-controller.js';
import { experimentsGrpc } from './api/experiments-grpc.js';
import { httpAdapter, limitRequests } from './api/http-server.js';
import { MalformedRate } from './api/malformed-rate.js';
import { ProblemFilter } from './api/problem-json.js';
import { catalogueGrpc, cellsGrpc } from './api/results-grpc.js';
import { Analyst } from './analyst.js';
import { Catalogue } from './catalogue.js';
import { CellQueues } from './cell-queues.js';
import { Cells } from './cells.js';
import { Changes } from './changes.js';
import { databaseUrl, type CoordinatorConfig } from './config.js';
import { ExperimentDriver } from './experiment-driver.js';
import { Experiments } from './experiments.js';
import { Ingest } from './ingest-grpc.js';
import { CoordinatorMetrics } from './metrics.js';
import { Retention } from './retention.js';
import { ScenarioReader } from './scenario-reader.js';
import { StoreLink } from './store-link.js';
import { openStore } from './store/index.js';

/** Streams that are being committed end within this; services that still simulate start again elsewhere. */
const GRPC_CLOSE_LIMIT_MS = 5_000;

@Module({})
class CoordinatorModule {
  static for(parts: readonly object[], metricsText: MetricsText): DynamicModule {
    return {
      module: CoordinatorModule,
      controllers: [
        OperationsController,
        ExperimentsController,
        CellsController,
        CatalogueController,
        ComparisonsController,
        DocumentController,
      ],
      providers: [
        ...parts.map((part) => ({ provide: part.constructor, useValue: part })),
        { provide: METRICS_TEXT, useValue: metricsText },
      ],
    };
  }
}

export class Coordinator {
  readonly #stores: StoreLink;
  readonly #queues: CellQueues;
  readonly #analyst: Analyst;
  readonly #driver: ExperimentDriver;
  readonly #experiments: Experiments;
  readonly #cells: Cells;
  readonly #retention: Retention;
  readonly #scenarios = new ScenarioReader();
  readonly #catalogue: Catalogue;
  readonly #grpc: GrpcHost;
  readonly #readiness: Readiness;
  readonly #metrics = new CoordinatorMetrics();
  #http: NestFastifyApplication | undefined;

  constructor(
    private readonly config: CoordinatorConfig,
    private readonly log: Logger,
  ) {
    const changes = new Changes();
    const url = databaseUrl(config);
    this.#stores = new StoreLink(openStore(url), log);
    this.#analyst = new Analyst(url);
    this.#queues = new CellQueues(config.KWB_REDIS_URL, mechanisms.keys(), log);
    const stopStreams = (experimentId: string) => ingest.cancelled(experimentId);
    this.#driver = new ExperimentDriver(
      this.#stores,
      this.#queues,
      this.#analyst,
      changes,
      this.#metrics,
      log,
      stopStreams,
    );
    const ingest = new Ingest(
      this.#stores,
      this.#metrics,
      (cellId) => this.#driver.cellSettled(cellId),
      log,
      (experimentId, cellId) => void this.#driver.cellLost(experimentId, cellId),
      config.KWB_INGEST_MB * 2 ** 20,
    );
    this.#experiments = new Experiments(
      this.#stores,
      this.#queues,
      this.#driver,
      this.#analyst,
      this.#scenarios,
      changes,
      this.#metrics,
      stopStreams,
      log,
    );
    this.#cells = new Cells(this.#stores);
    const kept = { days: config.KWB_KEEP_DAYS, megabytes: config.KWB_KEEP_MB };
    this.#retention = new Retention(this.#stores, kept, log);
    this.#catalogue = new Catalogue(config.KWB_SCENARIOS_DIR, this.#scenarios);
    this.#grpc = new GrpcHost([
      experimentsGrpc(this.#experiments, this.#cells, log),
      cellsGrpc(this.#cells, log),
      catalogueGrpc(this.#catalogue, log),
      ingest.hosted,
    ]);
    this.#readiness = new Readiness(
      { redis: () => this.#queues.problem(), database: () => this.#stores.problem() },
      log,
    );
    this.#readiness.onChange((ready) => this.#grpc.setServing(ready));
  }

  /** @throws when an address cannot be listened on. That Redis or the database is away is no error. */
  async start(): Promise<void> {
    const { KWB_BIND, KWB_GRPC_PORT } = this.config;
    this.#http = await this.#startHttp();
    const grpcPort = await this.#grpc.listen(KWB_BIND, KWB_GRPC_PORT);
    void this.#stores.open().then(() => Promise.all([this.#driver.run(), this.#retention.run()]));
    this.#readiness.start();
    const httpPort = Number(new URL(await this.#http.getUrl()).port);
    this.log.info({ httpPort, grpcPort, bind: KWB_BIND }, 'listening');
  }

  async stop(): Promise<void> {
    this.#readiness.drain();
    this.#driver.close();
    this.#retention.close();
    await this.#grpc.close(GRPC_CLOSE_LIMIT_MS);
    await this.#http?.close();
    await this.#scenarios.close();
    await this.#analyst.close();
    await this.#queues.close();
    await this.#stores.close();
  }

  async #startHttp(): Promise<NestFastifyApplication> {
    const malformed = new MalformedRate(this.config.KWB_MAX_MALFORMED);
    const filter = new ProblemFilter(malformed, this.log);
    const adapter = httpAdapter(filter);
    const app = await NestFactory.create<NestFastifyApplication>(
      CoordinatorModule.for([this.#experiments, this.#cells, this.#catalogue, this.#readiness], () =>
        this.#metricsText(),
      ),
      adapter,
      { logger: nestLogger(this.log), abortOnError: false, bodyParser: false },
    );
    limitRequests(adapter.getInstance(), malformed, this.log);
    app.useGlobalFilters(filter);
    await app.listen(this.config.KWB_HTTP_PORT, this.config.KWB_BIND);
    return app;
  }

  async #metricsText(): Promise<string> {
    return (await this.#metrics.registry.metrics()) + (await this.#queues.metricsText());
  }
}
