// Turns a mechanism into a service: cells from the queue, telemetry to the coordinator, gRPC and HTTP for operators.
import 'reflect-metadata';
import { hostname } from 'node:os';
import { CellPool } from '@kworkbench/experiment';
import type { Mechanism } from '@kworkbench/mechanism';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { CellRunner } from './cell-runner.js';
import { CellWorker } from './cell-worker.js';
import { env, readConfigOrExit } from './env.js';
import { GrpcHost } from './grpc-host.js';
import { GrpcProbe } from './grpc-probe.js';
import { METRICS_TEXT, OperationsController, type MetricsText } from './http.js';
import { onShutdownSignal } from './lifecycle.js';
import { createLogger, nestLogger, type Logger } from './log.js';
import { mechanismGrpc } from './mechanism-grpc.js';
import { memoryLimitBytes, threadsThatFit, type Threads } from './memory.js';
import { ServiceMetrics } from './metrics.js';
import { Publisher } from './publisher.js';
import { Readiness } from './readiness.js';

export const serviceConfigSchema = z.object({
  KWB_REDIS_URL: env.redisUrl(),
  KWB_COORDINATOR_GRPC: env.grpcTarget('127.0.0.1:50051'),
  KWB_HTTP_PORT: env.port(8081),
  KWB_GRPC_PORT: env.port(50052),
  KWB_BIND: env.bind(),
  KWB_WORKERS: env.workers(),
  KWB_LOG_LEVEL: env.logLevel(),
});
export type ServiceConfig = z.output<typeof serviceConfigSchema>;

export interface ServiceOptions {
  /** URLs of modules whose mechanisms the worker threads know besides those of this build. */
  readonly mechanismModules?: readonly string[];
}

/** Calls in flight when the server closes are Describe and CancelCell: milliseconds. */
const GRPC_CLOSE_LIMIT_MS = 2_000;
const EXIT_INTERNAL = 1;

@Module({})
class OperationsModule {
  static for(readiness: Readiness, metricsText: MetricsText): DynamicModule {
    return {
      module: OperationsModule,
      controllers: [OperationsController],
      providers: [
        { provide: Readiness, useValue: readiness },
        { provide: METRICS_TEXT, useValue: metricsText },
      ],
    };
  }
}

/** The parts of one service, and the order in which they start and stop. */
export class MechanismServiceHost {
  readonly #pool: CellPool;
  readonly #publisher: Publisher;
  readonly #probe: GrpcProbe;
  readonly #worker: CellWorker;
  readonly #grpc: GrpcHost;
  readonly #readiness: Readiness;
  readonly #metrics: ServiceMetrics;
  readonly #threads: Threads;
  #http: NestFastifyApplication | undefined;

  constructor(
    mechanism: Mechanism,
    private readonly config: ServiceConfig,
    private readonly log: Logger,
    { mechanismModules = [] }: ServiceOptions = {},
  ) {
    this.#threads = threadsThatFit(config.KWB_WORKERS, memoryLimitBytes());
    const { workers } = this.#threads;
    this.#pool = new CellPool({ ...this.#threads, mechanismModules });
    this.#publisher = new Publisher(config.KWB_COORDINATOR_GRPC, `${hostname()}/${process.pid}`);
    this.#probe = new GrpcProbe(config.KWB_COORDINATOR_GRPC);
    this.#metrics = new ServiceMetrics(mechanism.name, () => this.#worker.counts());
    const runner = new CellRunner(mechanism, this.#pool, this.#publisher, this.#metrics);
    this.#worker = new CellWorker(mechanism.name, config.KWB_REDIS_URL, workers, runner, this.#metrics, log);
    this.#grpc = new GrpcHost([mechanismGrpc(mechanism, runner)]);
    this.#readiness = new Readiness(
      {
        redis: () => this.#worker.redisProblem(),
        coordinator: () => this.#probe.problem('coordinator'),
      },
      log,
    );
    this.#readiness.onChange((ready) => {
      this.#grpc.setServing(ready);
      this.#worker.setTaking(ready);
    });
  }

  /** @throws when an address cannot be listened on. That Redis or the coordinator is away is no error. */
  async start(): Promise<void> {
    const { KWB_BIND, KWB_GRPC_PORT, KWB_HTTP_PORT, KWB_WORKERS } = this.config;
    const { workers, heapMb } = this.#threads;
    if (workers < KWB_WORKERS)
      this.log.warn(
        { wanted: KWB_WORKERS, workers, heapMb },
        'fewer workers than wanted: the memory limit has no room',
      );
    this.#http = await NestFactory.create<NestFastifyApplication>(
      OperationsModule.for(this.#readiness, () => this.#metrics.registry.metrics()),
      new FastifyAdapter(),
      { logger: nestLogger(this.log), abortOnError: false },
    );
    await this.#http.listen(KWB_HTTP_PORT, KWB_BIND);
    const grpcPort = await this.#grpc.listen(KWB_BIND, KWB_GRPC_PORT);
    this.#readiness.start();
    const httpPort = Number(new URL(await this.#http.getUrl()).port);
    this.log.info({ httpPort, grpcPort, bind: KWB_BIND, workers, heapMb }, 'listening');
  }

  /** Cells first: they go back to the queue while everything they need is still there. */
  async stop(): Promise<void> {
    this.#readiness.drain();
    await this.#worker.drain();
    await this.#pool.close();
    await this.#grpc.close(GRPC_CLOSE_LIMIT_MS);
    await this.#http?.close();
    this.#publisher.close();
    this.#probe.close();
  }
}

/** The whole of a service's `main`. */
export async function runMechanismService(mechanism: Mechanism, options?: ServiceOptions): Promise<void> {
  const config = readConfigOrExit(serviceConfigSchema);
  const log = createLogger(mechanism.name, config.KWB_LOG_LEVEL);
  const host = new MechanismServiceHost(mechanism, config, log, options);
  onShutdownSignal(log, () => host.stop());
  try {
    await host.start();
  } catch (error) {
    log.fatal({ err: (error as Error).message }, 'cannot start');
    process.exit(EXIT_INTERNAL);
  }
}
