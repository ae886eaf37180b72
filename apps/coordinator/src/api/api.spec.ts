// The HTTP API with real processes. Build before running this file alone.
import { connect } from 'node:net';
import type { Report } from '@kworkbench/experiment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_HEADER_BYTES, MAX_SCENARIO_BYTES } from '../limits.js';
import { ask } from '../testing/api-client.js';
import { scenarioYaml, startCoordinator, startService } from '../testing/cluster.js';
import { endEverything, eventually, TestRedis, untilReady } from '../testing/processes.js';

const LIMIT_MS = 120_000;
let redis: TestRedis;
let http: string;
/** An experiment of six cells that has ended. */
let ended: string;

const SPEC = 'seed: 5, workload: { items: 3000 }, variants: [before, fast], replications: 3';
const submit = async (spec: string, name?: string) => {
  const { status, headers, json } = await ask(http, 'submitExperiment', { body: scenarioYaml(spec, name) });
  expect(status).toBe(202);
  expect(headers.get('location')).toBe(`/api/v1/experiments/${json.id}`);
  return json.id as string;
};

beforeAll(async () => {
  redis = await TestRedis.start();
  const ports = await startCoordinator(redis).ports();
  http = ports.http;
  await untilReady(http, true);
  startService(redis, ports.grpc);
  ended = await submit(SPEC);
  await eventually('the end', async () => {
    const { json } = await ask(http, 'getExperiment', { params: { id: ended } });
    return json.state !== 'running';
  });
}, LIMIT_MS);
afterAll(endEverything);

describe('the API', { timeout: LIMIT_MS }, () => {
  it('describes itself, with the schema that it refers to', async () => {
    const document = (await (await fetch(`${http}/api/openapi.json`)).json()) as { openapi: string };
    expect(document.openapi).toBe('3.1.1');
    const report = (await (await fetch(`${http}/api/report.schema.json`)).json()) as { properties: object };
    expect(Object.keys(report.properties)).toContain('verdict');
  });

  it('gives the report of an ended experiment, and says that a running one has none', async () => {
    expect((await ask(http, 'getReport', { params: { id: ended } })).json).toMatchObject({ kind: 'Report' });
    const id = await submit('workload: { fault: hang }, variants: [before], replications: 1');
    expect((await ask(http, 'getReport', { params: { id } })).status).toBe(409);
    const { json } = await ask(http, 'cancelExperiment', { params: { id } });
    expect(json).toMatchObject({ id, state: 'cancelled' });
    expect((await ask(http, 'cancelExperiment', { params: { id } })).json).toEqual(json);
  });

  it('lists page by page, and by state and scenario', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const id = await submit(`seed: ${i}, workload: { fault: hang }, variants: [before], replications: 1`, 'paged');
      await ask(http, 'cancelExperiment', { params: { id } });
      ids.push(id);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: '2', state: 'cancelled', scenario: 'paged', ...(cursor && { cursor }) };
      const { json } = await ask(http, 'listExperiments', { query });
      seen.push(...json.experiments.map((one: { id: string }) => one.id));
      cursor = json.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(ids.toReversed());
    expect((await ask(http, 'listExperiments', { query: { state: 'running', scenario: 'paged' } })).json).toEqual({
      experiments: [],
    });
  });

  it('gives the cells of an experiment, each with its samples', async () => {
    const pages = [];
    for (let cursor: string | undefined, first = true; first || cursor; first = false) {
      const { json } = await ask(http, 'listCells', {
        params: { id: ended },
        query: { limit: '4', ...(cursor && { cursor }) },
      });
      pages.push(json.cells);
      cursor = json.nextCursor;
    }
    expect(pages.map((page) => page.length)).toEqual([4, 2]);
    const report = (await ask(http, 'getReport', { params: { id: ended } })).json as Report;
    const told = pages.flat() as { id: string; state: string; digest: string }[];
    // The cells come as they are run, the report is by variant and point.
    const identities = (cells: readonly { id: string; digest: string }[]) =>
      cells.map(({ id, digest }) => `${id} ${digest}`).toSorted();
    expect(identities(told)).toEqual(identities(report.cells));

    const cellId = told[0]!.id;
    const { json: cell } = await ask(http, 'getCell', { params: { cellId } });
    expect(cell.metrics).toEqual(report.cells.find(({ id }) => id === cellId)!.metrics);
    expect(cell.tables[0].name).toBe('queue');
    const whole = await ask(http, 'readSeries', { params: { cellId, table: 'queue' }, query: { maxPoints: '100000' } });
    expect(whole.json).toMatchObject({ samples: 3000, thinned: false });
    const [time, wait] = whole.json.columns.map(({ values }: { values: number[] }) => values) as [number[], number[]];

    const some = await ask(http, 'readSeries', {
      params: { cellId, table: 'queue' },
      query: { maxPoints: '50', columns: 'wait_seconds' },
    });
    expect(some.json).toMatchObject({ samples: 3000, thinned: true });
    const [someTime, someWait] = some.json.columns.map(({ values }: { values: number[] }) => values) as number[][];
    expect(someTime!.length).toBeLessThanOrEqual(50);
    expect([Math.min(...someWait!), Math.max(...someWait!)]).toEqual([Math.min(...wait), Math.max(...wait)]);

    const range = await ask(http, 'readSeries', {
      params: { cellId, table: 'queue' },
      query: { from: String(time[10]), to: String(time[19]) },
    });
    expect(range.json.columns[0].values).toEqual(time.slice(10, 20));
  });

  it('compares two experiments', async () => {
    const id = await submit(SPEC);

    await eventually('the end', async () => {
      const { json } = await ask(http, 'getExperiment', { params: { id } });
      return json.state !== 'running';
    });
    const { json } = await ask(http, 'compareExperiments', { query: { base: ended, head: id } });
    expect(json).toMatchObject({ kind: 'Comparison', verdict: 'within noise', effect: 0.05 });
    const unknown = await ask(http, 'compareExperiments', { query: { base: ended, head: 'none' } });
    expect(unknown.status).toBe(404);
    const unlikely = await ask(http, 'compareExperiments', { query: { base: ended, head: id, effect: '-1' } });
    expect(unlikely.status).toBe(400);
  });

  it('knows the catalogue and the mechanisms', async () => {
    const { scenarios } = (await ask(http, 'listScenarios')).json;
    expect(scenarios.map(({ name }: { name: string }) => name)).toContain('netns-unshare-storm');
    const params = { name: 'netns-unshare-storm' };
    const { yaml, ...facts } = (await ask(http, 'getScenario', { params })).json;
    expect(scenarios).toContainEqual(facts);
    const checked = await ask(http, 'checkScenario', { body: yaml });
    expect(checked.json).toEqual(facts);
    const { mechanisms } = (await ask(http, 'listMechanisms')).json;
    for (const { name } of mechanisms) {
      const { json } = await ask(http, 'getMechanism', { params: { name } });
      expect(json.workloadSchema.type).toBe('object');
    }
  });

  it('checks a scenario without starting anything', async () => {
    const before = (await ask(http, 'listExperiments')).json;
    expect((await ask(http, 'checkScenario', { body: scenarioYaml(SPEC) })).json).toMatchObject({ cells: 6 });
    expect((await ask(http, 'checkScenario', { body: scenarioYaml('variants: [after]') })).status).toBe(422);
    expect((await ask(http, 'listExperiments')).json).toEqual(before);
  });

  it.each([
    ['an unknown experiment', 'getExperiment', { params: { id: 'none' } }, 404],
    ['its report', 'getReport', { params: { id: 'none' } }, 404],
    ['its cells', 'listCells', { params: { id: 'none' } }, 404],
    ['its end', 'cancelExperiment', { params: { id: 'none' } }, 404],
    ['its events', 'watchExperiment', { params: { id: 'none' } }, 404],
    ['an unknown cell', 'getCell', { params: { cellId: '0'.repeat(32) } }, 404],
    ['no id of a cell', 'getCell', { params: { cellId: '../../etc/passwd' } }, 400],
    ['its series', 'readSeries', { params: { cellId: '0'.repeat(32), table: 'queue' } }, 404],
    ['a scenario outside of the catalogue', 'getScenario', { params: { name: '../secret' } }, 404],
    ['an unknown mechanism', 'getMechanism', { params: { name: 'none' } }, 404],
    ['a cursor that is none', 'listExperiments', { query: { cursor: 'AAAA' } }, 400],
    ['a long key', 'submitExperiment', { body: 'a: 1', headers: { 'idempotency-key': 'k'.repeat(201) } }, 400],
    ['nothing', 'submitExperiment', { body: ' ' }, 400],
    ['too much', 'submitExperiment', { body: `# ${'x'.repeat(MAX_SCENARIO_BYTES)}` }, 413],
    ['too deep', 'submitExperiment', { body: '['.repeat(MAX_SCENARIO_BYTES / 2) }, 422],
    [
      'a form',
      'submitExperiment',
      { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
    ],
  ])('%s is a problem', async (_what, operation, request, status) => {
    const answer = await ask(http, operation, request);
    expect(answer.status).toBe(status);
  });

  it('names the parameter that is wrong', async () => {
    const { json } = await ask(http, 'listExperiments', { query: { limit: '-1', what: 'x' } });
    expect(json.errors).toEqual([
      { detail: 'limit: expected an integer from 1 to 500, got "-1"', parameter: 'limit' },
      { detail: '"what": expected no such parameter', parameter: 'what' },
    ]);
  });
});

describe('events', { timeout: LIMIT_MS }, () => {
  const events = (id: string, lastEventId?: string) =>
    fetch(`${http}/api/v1/experiments/${id}/events`, {
      headers: { ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
    });

  it('go on where a client stopped, and end for good when it has seen the end', async () => {
    const id = await submit('seed: 77, workload: { items: 20000 }, variants: [before], replications: 3');
    const text = await (await events(id)).text();
    expect(text).toMatch(/^retry: \d+\n\n/);
    const told = [...text.matchAll(/^id: (.*)\nevent: experiment\ndata: (.*)$/gm)].map(([, version, data]) => ({
      version: version!,
      ...(JSON.parse(data!) as { state: string; cellsDone: number }),
    }));
    expect(told.at(-1)).toMatchObject({ state: 'completed', cellsDone: 3 });
    expect(new Set(told.map(({ version }) => version)).size).toBe(told.length);

    const early = await (await events(id, 'something else')).text();
    expect(early).toContain(`id: ${told.at(-1)!.version}\n`);
    const late = await events(id, told.at(-1)!.version);
    expect([late.status, await late.text()]).toEqual([204, '']);
  });
});

/** Sends bytes as they are. @returns what came back, until the server closed. */
function raw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(http);
  return new Promise((done, fail) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (some: string) => (text += some));
    socket.on('close', () => done(text)).on('error', fail);
  });
}

describe('what is not even a request', { timeout: LIMIT_MS }, () => {
  it.each([
    ['garbage', '\x01\x02 what?\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(MAX_HEADER_BYTES + 100)}\r\n\r\n`, 431],
    ['a path that is none', 'GET /api/v1/experiments/%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 400],
    ['an unknown path', 'GET /api/v2 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 404],
  ])('is answered with a problem: %s', async (_what, bytes, status) => {
    const answer = await raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status });
  });
});
