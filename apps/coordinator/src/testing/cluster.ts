// What the system tests start and ask: one Redis, coordinators and services as processes, a gRPC client.
import { credentials, type ClientReadableStream, type ServiceError } from '@grpc/grpc-js';
import { ExperimentsClient, ExperimentState, type Experiment } from '@kworkbench/contracts';
import {
  CellPool,
  isFailure,
  parseScenario,
  registerMechanism,
  runExperiment,
  type Report,
} from '@kworkbench/experiment';
import { QUEUE_MECHANISM_URL, queueMechanism } from './queue-mechanism.js';
import { eventually, scratchDirectory, TestProcess, type TestRedis } from './processes.js';

export function scenarioYaml(spec: string, name = 'queue-test'): string {
  return `apiVersion: kworkbench/v1
kind: Scenario
metadata: { name: ${name} }
spec: { mechanism: queue, machine: { profile: small }, ${spec} }
`;
}

const localRuns = new Map<string, Promise<Record<string, string>>>();

/** Per cell, by id: the digest of a run without any server, in this process and its worker threads. Run once. */
export function localDigests(document: string): Promise<Record<string, string>> {
  const known = localRuns.get(document) ?? runLocally(document);
  localRuns.set(document, known);
  return known;
}

async function runLocally(document: string): Promise<Record<string, string>> {
  registerMechanism(await queueMechanism());
  const pool = new CellPool({ workers: 2, mechanismModules: [QUEUE_MECHANISM_URL.replace('/src/', '/dist/')] });
  try {
    const { results } = await runExperiment(parseScenario(document, 'local'), { pool });
    return Object.fromEntries(
      [...results.values()].map((result) => {
        if (isFailure(result)) throw new Error(result.message);
        return [result.cellId, result.digest];
      }),
    );
  } finally {
    await pool.close();
  }
}

export const digestsOf = (report: Report) => Object.fromEntries(report.cells.map(({ id, digest }) => [id, digest]));

export function startCoordinator(redis: TestRedis, environment: Readonly<Record<string, string>> = {}): TestProcess {
  return new TestProcess('testing/queue-coordinator.js', {
    KWB_REDIS_URL: redis.url,
    KWB_DATA_DIR: scratchDirectory(),
    ...environment,
  });
}

export function startService(
  redis: TestRedis,
  coordinatorGrpc: string,
  environment: Readonly<Record<string, string>> = {},
): TestProcess {
  return new TestProcess('testing/queue-service.js', {
    KWB_REDIS_URL: redis.url,
    KWB_COORDINATOR_GRPC: coordinatorGrpc,
    KWB_WORKERS: '1',
    ...environment,
  });
}

type Unary<Request, Response> = (
  request: Request,
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

export class TestClient {
  readonly #client: ExperimentsClient;

  constructor(target: string) {
    this.#client = new ExperimentsClient(target, credentials.createInsecure());
  }

  async submit(scenario: string, idempotencyKey = ''): Promise<Experiment> {
    const client = this.#client;
    const request = { scenario, sourceName: 'test.yaml', idempotencyKey };
    return (await answer(client.submit.bind(client) as Unary<typeof request, { experiment: Experiment }>, request))
      .experiment;
  }

  get(id: string): Promise<Experiment> {
    return answer(this.#client.get.bind(this.#client) as Unary<{ id: string }, Experiment>, { id });
  }

  cancel(id: string): Promise<Experiment> {
    return answer(this.#client.cancel.bind(this.#client) as Unary<{ id: string }, Experiment>, { id });
  }

  async list(): Promise<readonly Experiment[]> {
    const request = { limit: 0, beforeId: '', cursor: '', state: ExperimentState.UNSPECIFIED, scenario: '' };
    const client = this.#client;
    return (await answer(client.list.bind(client) as Unary<typeof request, { experiments: Experiment[] }>, request))
      .experiments;
  }

  async report(id: string): Promise<Report> {
    const client = this.#client;
    const { reportJson } = await answer(
      client.getReport.bind(client) as Unary<{ id: string }, { reportJson: string }>,
      { id },
    );
    return JSON.parse(reportJson) as Report;
  }

  /** Every state that the watch stream told, to its end. */
  watch(id: string): Promise<readonly Experiment[]> {
    const told: Experiment[] = [];
    const stream: ClientReadableStream<Experiment> = this.#client.watch({ id });
    return new Promise((done, fail) => {
      stream.on('data', (experiment: Experiment) => told.push(experiment));
      stream.on('error', fail);
      stream.on('end', () => done(told));
    });
  }

  /** By asking, which outlives a coordinator that is killed and started again at the same address. */
  untilEnded(id: string, limitMs?: number): Promise<Experiment> {
    return eventually(
      `the end of ${id}`,
      async () => {
        const experiment = await this.get(id);
        return experiment.state !== ExperimentState.RUNNING && experiment;
      },
      limitMs,
    );
  }

  close(): void {
    this.#client.close();
  }
}

function answer<Request, Response>(call: Unary<Request, Response>, request: Request): Promise<Response> {
  return new Promise((done, fail) => call(request, (error, response) => (error ? fail(error) : done(response))));
}

/** The value of one sample in a Prometheus text. */
export async function metric(http: string, sample: string): Promise<number> {
  const text = await (await fetch(`${http}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `));
  if (line === undefined) throw new Error(`no sample ${sample} in\n${text}`);
  return Number(line.slice(sample.length + 1));
}
