// A sweep of a thousand small cells through two replicas of a service, as processes.
import {
  digestsOf,
  endEverything,
  localDigests,
  metric,
  scenarioYaml,
  startCoordinator,
  startService,
  TestClient,
  TestRedis,
  untilReady,
} from '@kworkbench/coordinator/testing';
import { ExperimentState } from '@kworkbench/contracts';
import { afterAll, describe, expect, it } from 'vitest';

const CELLS = 1_000;
const LIMIT_MS = 240_000;
const SWEEP = scenarioYaml(
  `seed: 31, workload: { items: 600 }, variants: [before, fast], replications: ${CELLS / 10}, sweep: { workload.rate: [200, 300, 400, 500, 600] }`,
);
const PERSON = scenarioYaml('seed: 32, workload: { items: 600 }, variants: [before, fast], replications: 3');

afterAll(endEverything);

describe('a sweep of a thousand cells through the services', { timeout: LIMIT_MS }, () => {
  it('gives every digest of the local run, shared between the replicas, and lets a person go first', async () => {
    const redis = await TestRedis.start('append-only');
    const { http, grpc } = await startCoordinator(redis).ports();
    await untilReady(http, true);
    const services = await Promise.all([1, 2].map(() => startService(redis, grpc).ports()));
    for (const service of services) await untilReady(service.http, true);
    const client = new TestClient(grpc);
    const { id, cellsTotal } = await client.submit(SWEEP);
    expect(cellsTotal).toBe(CELLS);

    const person = await client.submit(PERSON);
    expect((await client.watch(person.id)).at(-1)!.state).toBe(ExperimentState.COMPLETED);
    const then = await client.get(id);
    expect(then.state).toBe(ExperimentState.RUNNING);
    expect(then.cellsDone).toBeLessThan(CELLS / 2);

    const ended = (await client.watch(id)).at(-1);
    expect(ended).toMatchObject({ state: ExperimentState.COMPLETED, cellsDone: CELLS, cellsFailed: 0 });
    expect(digestsOf(await client.report(id))).toEqual(await localDigests(SWEEP));
    const committed = 'kworkbench_service_cells_total{result="committed",mechanism="queue"}';
    const shares = await Promise.all(services.map((service) => metric(service.http, committed)));
    expect(shares[0]! + shares[1]!).toBe(CELLS + 6);
    for (const share of shares) expect(share).toBeGreaterThan(CELLS / 4);
    client.close();
  });
});
