// What happens when processes die, at the worst moment, for real. Build before running this file alone.
import { ExperimentState } from '@kworkbench/contracts';
import { cellQueueName } from '@kworkbench/service-host';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { freePort } from '@kworkbench/service-host/testing/free-port';
import { afterEach, describe, expect, it } from 'vitest';
import {
  digestsOf,
  localDigests,
  metric,
  scenarioYaml,
  startCoordinator,
  startService,
  TestClient,
} from './testing/cluster.js';
import {
  endEverything,
  eventually,
  killed,
  readyz,
  scratchDirectory,
  TestProcess,
  TestRedis,
  untilReady,
} from './testing/processes.js';
import { TemporaryPostgres } from './store/testing/temporary-postgres.js';

/** Kills, restarts and lost locks take their time on a busy machine. */
const LIMIT_MS = 180_000;
/** Six cells of some hundred frames: time enough to be killed in the middle, one cell after the other. */
const SCENARIO = scenarioYaml(
  'seed: 7, workload: { rate: 600/s, items: 60000 }, variants: [before, fast], replications: 3',
);
const HANGING = scenarioYaml('workload: { fault: hang }, variants: [before], replications: 1, timeout: 600s');
const COMMITTED = 'kworkbench_coordinator_cells_total{result="committed"}';
const ACTIVE = 'kworkbench_service_active_cells{mechanism="queue"}';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await endEverything();
});

const clientOf = (target: string) => {
  const client = new TestClient(target);
  closers.push(() => client.close());
  return client;
};

/** A coordinator at an address that stays the same when it is started again. */
async function fixedCoordinator(redis: TestRedis, environment: Readonly<Record<string, string>> = {}) {
  const [http, grpc] = [await freePort(), await freePort()];
  const fixed = {
    KWB_HTTP_PORT: String(http),
    KWB_GRPC_PORT: String(grpc),
    KWB_DATA_DIR: scratchDirectory(),
    ...environment,
  };
  return {
    http: `http://127.0.0.1:${http}`,
    grpc: `127.0.0.1:${grpc}`,
    start: () => startCoordinator(redis, fixed),
  };
}

/** The experiment runs, and one of its cells is done. */
const halfway = (client: TestClient, id: string) =>
  eventually('the first cell to be done', async () => (await client.get(id)).cellsDone >= 1);

/** Waits for the end, which must be a good one. */
async function digestsAtTheEnd(client: TestClient, id: string): Promise<Record<string, string>> {
  const ended = await client.untilEnded(id, LIMIT_MS);
  expect(ended).toMatchObject({ state: ExperimentState.COMPLETED, cellsDone: 6, cellsTotal: 6, cellsFailed: 0 });
  return digestsOf(await client.report(id));
}

describe('kill -9', { timeout: LIMIT_MS }, () => {
  it('of the service in the middle: another one ends the experiment, every cell committed once', async () => {
    const redis = await TestRedis.start();
    const { http, grpc } = await startCoordinator(redis).ports();
    const client = clientOf(grpc);
    await untilReady(http, true);
    const service = startService(redis, grpc);
    const { id } = await client.submit(SCENARIO);
    await halfway(client, id);
    await killed(service.child, 'SIGKILL');
    expect((await client.get(id)).state).toBe(ExperimentState.RUNNING);
    startService(redis, grpc);
    expect(await digestsAtTheEnd(client, id)).toEqual(await localDigests(SCENARIO));
    expect(await metric(http, COMMITTED)).toBe(6);
  });

  it('of the coordinator in the middle: started again, it ends the experiment', async () => {
    const redis = await TestRedis.start();
    const coordinator = await fixedCoordinator(redis);
    const first = coordinator.start();
    await untilReady(coordinator.http, true);
    const client = clientOf(coordinator.grpc);
    startService(redis, coordinator.grpc);
    const { id } = await client.submit(SCENARIO);
    await halfway(client, id);
    await killed(first.child, 'SIGKILL');
    coordinator.start();
    await untilReady(coordinator.http, true);
    expect(await digestsAtTheEnd(client, id)).toEqual(await localDigests(SCENARIO));
  });
});

describe('SIGTERM', { timeout: LIMIT_MS }, () => {
  it('makes a service give its cell back at once, without burning an attempt, and end with code 0', async () => {
    const redis = await TestRedis.start();
    const { http, grpc } = await startCoordinator(redis).ports();
    await untilReady(http, true);
    const service = startService(redis, grpc);
    const ports = await service.ports();
    const { id } = await clientOf(grpc).submit(HANGING);
    await eventually('the cell to run', async () => (await metric(ports.http, ACTIVE)) === 1);
    const started = Date.now();
    expect(await killed(service.child, 'SIGTERM')).toBe(0);
    expect(Date.now() - started).toBeLessThan(10_000);

    const connection = new Redis(redis.url);
    const queue = new Queue(cellQueueName('queue'), { connection });
    closers.push(
      () => connection.disconnect(),
      () => queue.close(),
    );
    const jobs = await queue.getJobs(['prioritized', 'waiting']);
    expect(jobs.map((job) => job.data.experimentId)).toEqual([id]);
    expect(jobs[0]!.attemptsMade).toBe(0);
    expect(await queue.getActiveCount()).toBe(0);

    // Sooner than a lock could run out.
    const other = startService(redis, grpc);
    const otherPorts = await other.ports();
    await eventually('another service to take it', async () => (await metric(otherPorts.http, ACTIVE)) === 1, 10_000);
  });

  it('in the middle of an experiment changes nothing of its result', async () => {
    const redis = await TestRedis.start();
    const { http, grpc } = await startCoordinator(redis).ports();
    const client = clientOf(grpc);
    await untilReady(http, true);
    const service = startService(redis, grpc);
    const { id } = await client.submit(SCENARIO);
    await halfway(client, id);
    expect(await killed(service.child, 'SIGTERM')).toBe(0);
    startService(redis, grpc);
    expect(await digestsAtTheEnd(client, id)).toEqual(await localDigests(SCENARIO));
    expect(await metric(http, COMMITTED)).toBe(6);
  });
});

describe('SIGTERM while Redis is away', { timeout: LIMIT_MS }, () => {
  it('ends service and coordinator soon, with code 0', async () => {
    const redis = await TestRedis.start();
    const coordinator = startCoordinator(redis);
    const { http, grpc } = await coordinator.ports();
    await untilReady(http, true);
    const service = startService(redis, grpc);
    const ports = await service.ports();
    await clientOf(grpc).submit(HANGING);
    await eventually('the cell to run', async () => (await metric(ports.http, ACTIVE)) === 1);
    await redis.stop();
    await untilReady(ports.http, false);
    const started = Date.now();
    expect(await killed(service.child, 'SIGTERM')).toBe(0);
    expect(await killed(coordinator.child, 'SIGTERM')).toBe(0);
    expect(Date.now() - started).toBeLessThan(10_000);
  });
});

describe('two coordinators on one database', { timeout: LIMIT_MS }, () => {
  it('end an experiment together: one is asked, the other one ingests, and the first one dies', async () => {
    const redis = await TestRedis.start();
    const database = { KWB_DATABASE_URL: `sqlite://${scratchDirectory()}/shared.db` };
    const asked = startCoordinator(redis, database);
    const ingesting = await startCoordinator(redis, database).ports();
    const askedPorts = await asked.ports();
    await untilReady(askedPorts.http, true);
    await untilReady(ingesting.http, true);
    startService(redis, ingesting.grpc);
    const client = clientOf(askedPorts.grpc);
    const { id } = await client.submit(SCENARIO);
    await halfway(client, id);
    await killed(asked.child, 'SIGKILL');
    expect(await digestsAtTheEnd(clientOf(ingesting.grpc), id)).toEqual(await localDigests(SCENARIO));
  });
});

describe('Redis', { timeout: LIMIT_MS }, () => {
  it('stopped with all that was in it, and started again: not ready, then ready, and the experiment ends', async () => {
    const redis = await TestRedis.start();
    const coordinator = startCoordinator(redis);
    const { http, grpc } = await coordinator.ports();
    const client = clientOf(grpc);
    await untilReady(http, true);
    const service = startService(redis, grpc);
    const servicePorts = await service.ports();
    const { id } = await client.submit(SCENARIO);
    await halfway(client, id);
    await redis.stop();
    const notReady = await untilReady(http, false);
    expect(notReady.checks.redis).toContain(`Redis at ${redis.url}: `);
    expect((await untilReady(servicePorts.http, false)).checks.redis).toContain('Redis at');
    await expect(client.submit(SCENARIO)).rejects.toThrow(`14 UNAVAILABLE: Redis at ${redis.url}`);
    expect(await client.list()).toHaveLength(1);
    const complaints = () => coordinator.log.filter(({ msg }) => msg === 'Redis is not reachable; trying on').length;
    expect(complaints()).toBe(1);

    await redis.start();
    await untilReady(http, true);
    await untilReady(servicePorts.http, true);
    expect(await digestsAtTheEnd(client, id)).toEqual(await localDigests(SCENARIO));
    expect(complaints()).toBe(1);
  });

  it('and coordinator absent when a service boots: not ready, with the reason, and ready without a restart', async () => {
    const redis = await TestRedis.start();
    await redis.stop();
    const coordinator = await fixedCoordinator(redis);
    const service = startService(redis, coordinator.grpc);
    const { http } = await service.ports();
    const { checks } = await readyz(http);
    expect(checks.redis).toContain(redis.url);
    expect(checks.coordinator).toContain(`coordinator at ${coordinator.grpc}`);
    expect((await fetch(`${http}/healthz`)).status).toBe(200);
    expect(await metric(http, ACTIVE)).toBe(0);
    coordinator.start();
    await redis.start();
    await untilReady(coordinator.http, true);
    await untilReady(http, true);
    const client = clientOf(coordinator.grpc);
    const { id } = await client.submit(SCENARIO);
    expect(await digestsAtTheEnd(client, id)).toEqual(await localDigests(SCENARIO));
  });
});

describe('PostgreSQL', { timeout: LIMIT_MS }, () => {
  it('killed in the middle and started again: not ready, submissions refused, then the experiment ends', async () => {
    const redis = await TestRedis.start();
    const postgres = await TemporaryPostgres.start();
    closers.push(() => postgres.remove());
    const coordinator = startCoordinator(redis, { KWB_DATABASE_URL: await postgres.createDatabase() });
    const { http, grpc } = await coordinator.ports();
    const client = clientOf(grpc);
    await untilReady(http, true);
    startService(redis, grpc);
    const { id } = await client.submit(SCENARIO);
    await halfway(client, id);
    await postgres.stop('SIGKILL');
    expect((await untilReady(http, false)).checks.database).toContain('database');
    await expect(client.submit(SCENARIO)).rejects.toThrow('14 UNAVAILABLE');
    await postgres.start();
    await untilReady(http, true);
    expect(await digestsAtTheEnd(client, id)).toEqual(await localDigests(SCENARIO));
    expect(await client.list()).toHaveLength(1);
  });
});

describe('a bad setting', { timeout: LIMIT_MS }, () => {
  it.each([
    ['KWB_HTTP_PORT', 'forty', 'KWB_HTTP_PORT: expected an integer from 0 to 65535, got "forty"\n'],
    [
      'KWB_DATABASE_URL',
      'mysql://me:secret@x/y',
      'KWB_DATABASE_URL: expected postgres://user:password@host:port/database or sqlite:///absolute/path.db, got "mysql://me:***@x/y"\n',
    ],
  ])('ends the coordinator with one line and code 104: %s', async (name, value, line) => {
    const coordinator = new TestProcess('main.js', { [name]: value });
    expect(await new Promise((done) => coordinator.child.once('close', done))).toBe(104);
    expect(coordinator.stderr).toBe(line);
  });
});
