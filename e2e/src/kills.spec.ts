// Processes are killed while a sweep runs, and started again. Real ones: two services, two coordinators on one
// PostgreSQL, Redis with its append-only file. `kwb test --all` kills ten times as often.
import { setTimeout as sleep } from 'node:timers/promises';
import { ExperimentState } from '@kworkbench/contracts';
import {
  digestsOf,
  endEverything,
  freePort,
  killed,
  localDigests,
  scenarioYaml,
  startCoordinator,
  startService,
  TemporaryPostgres,
  TestClient,
  type TestProcess,
  TestRedis,
  untilReady,
} from '@kworkbench/coordinator/testing';
import { randomSource } from '@kworkbench/experiment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const KILLS = process.env['KWB_TEST_ALL'] ? 200 : 20;
const SEED = 20_261_121;
const LIMIT_MS = KILLS * 30_000;
/** What runs goes on for so long between two kills. */
const PAUSE_MS = { least: 100, most: 700 };
/** How long what was killed stays away. */
const AWAY_MS = { least: 0, most: 300 };
/** After the last kill: a lost lock runs out, put-off cells come back. */
const END_LIMIT_MS = 120_000;
const ITEMS = 10_000;
const CELLS = 200;

interface Victim {
  readonly name: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A process at addresses of its own, which stay the same when it is started again. */
class Restartable implements Victim {
  #process: TestProcess;

  constructor(
    readonly name: string,
    private readonly launch: () => TestProcess,
  ) {
    this.#process = launch();
  }

  async kill(): Promise<void> {
    await killed(this.#process.child, 'SIGKILL');
  }

  async start(): Promise<void> {
    this.#process = this.launch();
  }
}

const sweep = (seed: number) =>
  scenarioYaml(
    `seed: ${seed}, workload: { rate: 600/s, items: ${ITEMS} }, variants: [before, fast], replications: ${CELLS / 2}`,
  );

let redis: TestRedis;
let postgres: TemporaryPostgres;
let database: string;
let grpc: string[];
let victims: Victim[];

beforeAll(async () => {
  redis = await TestRedis.start('append-only');
  postgres = await TemporaryPostgres.start();
  database = await postgres.createDatabase();
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  grpc = ports.slice(0, 2).map((port) => `127.0.0.1:${port}`);
  const coordinators = [0, 1].map((index) => {
    const environment = {
      KWB_HTTP_PORT: String(ports[2 + index]),
      KWB_GRPC_PORT: String(ports[index]),
      KWB_DATABASE_URL: database,
    };
    return new Restartable(`coordinator ${index}`, () => startCoordinator(redis, environment));
  });
  for (const port of ports.slice(2)) await untilReady(`http://127.0.0.1:${port}`, true);
  // Each service has its own coordinator.
  const services = grpc.map((target, index) => new Restartable(`service ${index}`, () => startService(redis, target)));
  victims = [
    ...coordinators,
    ...services,
    { name: 'Redis', kill: () => redis.stop('SIGKILL'), start: () => redis.start() },
    { name: 'PostgreSQL', kill: () => postgres.stop('SIGKILL'), start: () => postgres.start() },
  ];
}, 120_000);

afterAll(async () => {
  await endEverything();
  await postgres?.remove();
});

/** Asks the coordinators in turn until one answers: the other one may be dead. */
async function fromAny<T>(ask: (client: TestClient) => Promise<T>, limitMs: number): Promise<T> {
  const until = Date.now() + limitMs;
  for (let turn = 0; ; turn++) {
    const client = new TestClient(grpc[turn % grpc.length]!);
    try {
      return await ask(client);
    } catch (error) {
      if (Date.now() > until) throw error;
      await sleep(100);
    } finally {
      client.close();
    }
  }
}

describe('kill -9 at random moments', { timeout: LIMIT_MS }, () => {
  it(`loses no cell, counts none twice and changes no digest: ${KILLS} times`, async () => {
    const random = randomSource(SEED);
    const between = ({ least, most }: typeof PAUSE_MS) => least + random() * (most - least);
    const submitted = new Map<string, string>();
    const submit = async () => {
      const scenario = sweep(SEED + submitted.size);
      // With a key: a coordinator that died after storing it gave no answer, and asking again gives the same one.
      const key = `sweep ${submitted.size}`;
      const { id } = await fromAny((client) => client.submit(scenario, key), END_LIMIT_MS);
      submitted.set(id, scenario);
      return id;
    };
    let running = await submit();
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(between(PAUSE_MS));
      const { state } = await fromAny((client) => client.get(running), END_LIMIT_MS);
      if (state !== ExperimentState.RUNNING) running = await submit();
      const victim = victims[Math.floor(random() * victims.length)]!;
      await victim.kill();
      await sleep(between(AWAY_MS));
      await victim.start();
    }

    for (const [id, scenario] of submitted) {
      const ended = await fromAny((client) => client.untilEnded(id, END_LIMIT_MS), END_LIMIT_MS);
      expect(ended).toMatchObject({ state: ExperimentState.COMPLETED, cellsDone: CELLS, cellsFailed: 0 });
      const report = await fromAny((client) => client.report(id), END_LIMIT_MS);
      expect(digestsOf(report)).toEqual(await localDigests(scenario));
    }
    // In the database itself: each cell once, with all of its samples once.
    const cells = CELLS * submitted.size;
    const { rows } = await postgres.query(
      `select count(*)::int as cells, min(samples)::int as least, max(samples)::int as most
       from (select cell_id, sum(row_count) as samples from frames group by cell_id) as one`,
      database,
    );
    expect(rows).toEqual([{ cells, least: ITEMS, most: ITEMS }]);
    expect((await postgres.query('select count(*)::int as cells from cells', database)).rows).toEqual([{ cells }]);
  });
});
