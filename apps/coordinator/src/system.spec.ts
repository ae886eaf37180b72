// The whole of it with real processes: Redis, coordinator, services. Build before running this file alone.
import { ExperimentState } from '@kworkbench/contracts';
import { ExitCode, exitCodeOf } from '@kworkbench/experiment';
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

  it('says so when a cell needs more memory than there is, without trying again', { timeout: LIMIT_MS }, async () => {
    const { id } = await client.submit(
      scenarioYaml(`seed: ${seed++}, workload: { fault: memory }, variants: [before], replications: 1`),
    );
    expect((await client.watch(id)).at(-1)).toMatchObject({ state: ExperimentState.FAILED, cellsFailed: 1 });
    const report = await client.report(id);
    expect(report.failures).toMatchObject([
      { kind: 'memory', message: expect.stringMatching(/^needed more than the/) },
    ]);
    expect(exitCodeOf(report)).toBe(ExitCode.ModelFailed);
  });

  it('ends early when a threshold that asks for it has failed', { timeout: LIMIT_MS }, async () => {
    const { id } = await client.submit(
      scenarioYaml(
        `seed: ${seed++}, workload: { items: 60000 }, variants: [before], replications: 40, thresholds: { items_total: [{ threshold: 'max<1', abortOnFail: true, grace: 2 }] }`,
      ),
    );
    const ended = (await client.watch(id)).at(-1)!;
    expect(ended).toMatchObject({ state: ExperimentState.COMPLETED, verdict: 'fail' });
    const report = await client.report(id);
    expect(report.aborted).toMatch(/^items_total of before: max<1 failed with 60000/);
    expect(report.notRun).toBeGreaterThan(0);
    expect(exitCodeOf(report)).toBe(ExitCode.ThresholdFailed);
  });

  it('ends as timed out when its time is over, and the service is free', { timeout: LIMIT_MS }, async () => {
    const { id } = await client.submit(
      scenarioYaml(
        `seed: ${seed++}, workload: { fault: hang }, variants: [before], replications: 2, timeout: 600s, maxDuration: 2s`,
      ),
    );
    expect((await client.watch(id)).at(-1)).toMatchObject({ state: ExperimentState.FAILED, verdict: 'fail' });
    const report = await client.report(id);
    expect(report.failures.map(({ kind, message }) => `${kind}: ${message}`)).toEqual(
      Array(2).fill('timeout: the experiment had not ended after 2 s'),
    );
    expect(exitCodeOf(report)).toBe(ExitCode.TimedOut);
    const active = 'kworkbench_service_active_cells{mechanism="queue"}';
    const serviceHttp = (await service.ports()).http;
    await eventually('the service to stop the cell', async () => (await metric(serviceHttp, active)) === 0);
  });

  it('ends with its report when a search comes to a value that cannot run', { timeout: LIMIT_MS }, async () => {
    const { id } = await client.submit(
      scenarioYaml(
        `seed: ${seed++}, variants: [before], replications: 1, find: { parameter: workload.items, from: 1, to: 64, precision: 1, metric: items_total, condition: 'med>50' }`,
      ),
    );
    expect((await client.watch(id)).at(-1)).toMatchObject({ state: ExperimentState.FAILED, cellsDone: 3 });
    const report = await client.report(id);
    expect(report.find[0]!.reason).toMatch(/^workload\.items = 23 cannot run: expected/);
    expect(exitCodeOf(report)).toBe(ExitCode.BadScenario);
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

const post = (body: string, type = 'application/yaml', headers: Record<string, string> = {}) =>
  fetch(`${http}/api/v1/experiments`, { method: 'POST', body, headers: { 'content-type': type, ...headers } });

describe('over HTTP', { timeout: LIMIT_MS }, () => {
  it('an experiment is accepted, watched as server-sent events, listed, and reports what gRPC reports', async () => {
    const accepted = await post(six(500));
    expect(accepted.status).toBe(202);
    const { id } = (await accepted.json()) as { id: string };
    expect(accepted.headers.get('location')).toBe(`/api/v1/experiments/${id}`);
    const events = await (await fetch(`${http}/api/v1/experiments/${id}/events`)).text();
    const states = [...events.matchAll(/^event: experiment\ndata: (.*)$/gm)].map(
      ([, data]) => JSON.parse(data!) as { state: string; cellsDone: number },
    );
    expect(states.at(-1)).toMatchObject({ state: 'completed', cellsDone: 6 });
    const got = await fetch(`${http}${accepted.headers.get('location')}`);
    expect(await got.json()).toMatchObject({ id, state: 'completed', cellsTotal: 6 });
    const { experiments } = (await (await fetch(`${http}/api/v1/experiments?limit=1`)).json()) as {
      experiments: { id: string }[];
    };
    expect(experiments.map((one) => one.id)).toEqual([id]);
    const report = await fetch(`${http}/api/v1/experiments/${id}/report`);
    expect(await report.json()).toEqual(await client.report(id));
  });

  it('a JSON scenario is as good as YAML, and the same key gives the same experiment', async () => {
    const json = JSON.stringify({
      apiVersion: 'kworkbench/v1',
      kind: 'Scenario',
      metadata: { name: 'j' },
      spec: { mechanism: 'queue', machine: { profile: 'small' }, variants: ['before'], replications: 1 },
    });
    const ids = await Promise.all(
      [1, 2].map(
        async () =>
          ((await (await post(json, 'application/json', { 'idempotency-key': 'j' })).json()) as { id: string }).id,
      ),
    );
    expect(ids[0]).toBe(ids[1]);
  });

  it('an experiment is cancelled', async () => {
    const { id } = (await (await post(hanging())).json()) as { id: string };
    const cancelled = await fetch(`${http}/api/v1/experiments/${id}/cancel`, { method: 'POST' });
    expect(await cancelled.json()).toMatchObject({ id, state: 'cancelled' });
  });

  it.each([
    [
      'a bad value',
      'machine: { profile: small, cpus: forty }',
      '/spec/machine/cpus',
      'expected an integer from 1 to 4096, got "forty"',
    ],
    ['an unknown key', 'mashine: 1', '/spec/mashine', 'mashine'],
    ['an unknown variant', 'machine: { profile: small }, variants: [after]', '/spec/variants/0', 'after'],
  ])('%s is a problem with a pointer, and starts nothing', async (_what, spec, pointer, text) => {
    const before = await metric(http, 'kworkbench_coordinator_experiments_total{event="submitted"}');
    const answer = await post(`apiVersion: kworkbench/v1
kind: Scenario
metadata: { name: bad }
spec: { mechanism: queue, ${spec} }`);
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const problem = (await answer.json()) as { detail: string; errors: { pointer: string }[] };
    expect(problem.errors.map((one) => one.pointer)).toContain(pointer);
    expect(problem.detail).toContain(text);
    expect(await metric(http, 'kworkbench_coordinator_experiments_total{event="submitted"}')).toBe(before);
  });

  it('the same lines come over gRPC', async () => {
    await expect(client.submit(scenarioYaml('variants: [after]'))).rejects.toMatchObject({
      code: 3,
      details: expect.stringMatching(/^test\.yaml:\d+: spec\.variants/),
    });
  });

  it.each([
    ['nothing', () => post(' '), 400],
    ['too much', () => post(`# ${'x'.repeat(2 ** 20)}`), 413],
    ['a form', () => post('a=b', 'application/x-www-form-urlencoded'), 415],
    ['an unknown experiment', () => fetch(`${http}/api/v1/experiments/none`), 404],
    ['events of an unknown experiment', () => fetch(`${http}/api/v1/experiments/none/events`), 404],
    ['a bad limit', () => fetch(`${http}/api/v1/experiments?limit=-1`), 400],
    ['an unknown path', () => fetch(`${http}/api/v2`), 404],
  ])('%s is a problem', async (_what, ask, status) => {
    const answer = await ask();
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await answer.json()).toMatchObject({ status, detail: expect.any(String) });
  });

  it('metrics hold the depth of the queues, each metric described once', async () => {
    const text = await (await fetch(`${http}/metrics`)).text();
    expect(text).toMatch(/^bullmq_job_count\{queue="cells\.queue", state="prioritized"\} \d+$/m);
    const heads = text.split('\n').filter((line) => line.startsWith('# TYPE'));
    expect(new Set(heads).size).toBe(heads.length);
  });
});
