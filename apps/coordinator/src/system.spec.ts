// The whole of it with real processes: Redis, coordinator, services. Build before running this file alone.
import { ExperimentState } from '@kworkbench/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  digestsOf,
  localDigests,
  metric,
  scenarioYaml,
  startCoordinator,
  startService,
  TestClient,
} from './testing/cluster.js';
import { endEverything, eventually, type TestProcess, TestRedis, untilReady } from './testing/processes.js';

/** Kills, restarts and lost locks take their time on a busy machine. */
const LIMIT_MS = 120_000;

/** Each call gives cells that nobody has run: another seed. */
let seed = 1000;
const six = (items: number) =>
  scenarioYaml(
    `seed: ${seed++}, workload: { rate: 600/s, items: ${items} }, variants: [before, fast], replications: 3`,
  );
const hanging = () =>
  scenarioYaml(`seed: ${seed++}, workload: { fault: hang }, variants: [before], replications: 1, timeout: 600s`);

const COMMITTED = 'kworkbench_coordinator_cells_total{result="committed"}';

let redis: TestRedis;
let coordinator: TestProcess;
let http: string;
let grpc: string;
let client: TestClient;
let service: TestProcess;

beforeAll(async () => {
  redis = await TestRedis.start();
  coordinator = startCoordinator(redis);
  ({ http, grpc } = await coordinator.ports());
  await untilReady(http, true);
  client = new TestClient(grpc);
  service = startService(redis, grpc);
  await untilReady((await service.ports()).http, true);
}, LIMIT_MS);

afterAll(async () => {
  client?.close();
  await endEverything();
});

const committed = () => metric(http, COMMITTED);

describe('an experiment through the services', () => {
  it('ends with the digests of the local run, watched from beginning to end', { timeout: LIMIT_MS }, async () => {
    const scenario = six(2000);
    const before = await committed();
    const { id, cellsTotal } = await client.submit(scenario);
    const told = await client.watch(id);
    expect(cellsTotal).toBe(6);
    expect(told.at(-1)).toMatchObject({ state: ExperimentState.COMPLETED, cellsDone: 6, cellsFailed: 0 });
    expect(told.map(({ cellsDone }) => cellsDone)).toEqual(told.map(({ cellsDone }) => cellsDone).toSorted());
    const report = await client.report(id);
    expect(digestsOf(report)).toEqual(await localDigests(scenario));
    expect(report.verdict).toBe(told.at(-1)!.verdict);
    expect((await committed()) - before).toBe(6);
  });

  it('runs no cell whose result is there from another experiment', { timeout: LIMIT_MS }, async () => {
    const scenario = six(1000);
    const first = await client.submit(scenario);
    await client.watch(first.id);
    const before = await committed();
    const second = await client.submit(scenario);
    expect(second.id).not.toBe(first.id);
    await client.watch(second.id);
    expect(digestsOf(await client.report(second.id))).toEqual(digestsOf(await client.report(first.id)));
    expect(await committed()).toBe(before);
  });

  it('is the same experiment when it is submitted again with its key', { timeout: LIMIT_MS }, async () => {
    const scenario = six(1000);
    const [first, second] = await Promise.all([client.submit(scenario, 'key'), client.submit(scenario, 'key')]);
    expect(second.id).toBe(first.id);
    await client.watch(first.id);
  });

  it('plans round after round until a search has ended', { timeout: LIMIT_MS }, async () => {
    const scenario = scenarioYaml(
      `seed: ${seed++}, workload: { items: 500 }, variants: [before], replications: 2, find: { parameter: workload.rate, from: 100/s, to: 2000/s, precision: 5%, metric: wait_p99_seconds, condition: 'med>0.1' }`,
    );
    const local = await localDigests(scenario);
    const { id, cellsTotal } = await client.submit(scenario);
    const ended = (await client.watch(id)).at(-1)!;
    expect(ended.state).toBe(ExperimentState.COMPLETED);
    expect(ended.cellsTotal).toBeGreaterThan(cellsTotal);
    const report = await client.report(id);
    expect(report.find[0]!.outcome).toBe('found');
    expect(digestsOf(report)).toEqual(local);
  });

  it('fails with its report when the model throws, without trying again', { timeout: LIMIT_MS }, async () => {
    const { id } = await client.submit(
      scenarioYaml(`seed: ${seed++}, workload: { fault: throw }, variants: [before], replications: 1`),
    );
    const ended = (await client.watch(id)).at(-1)!;
    expect(ended).toMatchObject({ state: ExperimentState.FAILED, cellsDone: 0, cellsFailed: 1, verdict: 'fail' });
    expect((await client.report(id)).failures).toMatchObject(
      [{ kind: 'model', message: /the model fell over/ }].map((f) => ({
        ...f,
        message: expect.stringMatching(f.message),
      })),
    );
  });

  it('ends when it is cancelled, and the service is free for the next one', { timeout: LIMIT_MS }, async () => {
    const { id } = await client.submit(hanging());
    const active = 'kworkbench_service_active_cells{mechanism="queue"}';
    const serviceHttp = (await service.ports()).http;
    await eventually('the cell to run', async () => (await metric(serviceHttp, active)) === 1);
    expect((await client.cancel(id)).state).toBe(ExperimentState.CANCELLED);
    expect((await client.watch(id)).at(-1)!.state).toBe(ExperimentState.CANCELLED);
    await eventually('the service to stop the cell', async () => (await metric(serviceHttp, active)) === 0);
    await expect(client.report(id)).rejects.toThrow('is cancelled and has no report');
  });
});
