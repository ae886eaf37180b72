// What gRPC offers besides experiments: cells and catalogue, on a store with one cell in it.
import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import { CatalogueClient, CellsClient } from '@kworkbench/contracts';
import { createLogger, GrpcHost } from '@kworkbench/service-host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Catalogue } from '../catalogue.js';
import { Cells } from '../cells.js';
import { ScenarioReader } from '../scenario-reader.js';
import { StoreLink } from '../store-link.js';
import { openStore } from '../store/index.js';
import { HEADER, plannedCell, resultCommit } from '../store/testing/fixtures.js';
import { endEverything, scratchDirectory } from '../testing/processes.js';
import { catalogueGrpc, cellsGrpc } from './results-grpc.js';

const log = createLogger('test', 'silent');
const cell = plannedCell(1);
const store = openStore(`sqlite://${scratchDirectory()}/results.db`);
const reader = new ScenarioReader();
let host: GrpcHost;
let cells: CellsClient;
let catalogue: CatalogueClient;

beforeAll(async () => {
  const link = new StoreLink(store, log);
  await link.open();
  await store.commitCell(resultCommit(cell.id, 1, 20, 100));
  const scenarios = new Catalogue(new URL('../../../../scenarios', import.meta.url).pathname, reader);
  host = new GrpcHost([cellsGrpc(new Cells(link), log), catalogueGrpc(scenarios, log)]);
  const target = `127.0.0.1:${await host.listen('127.0.0.1', 0)}`;
  cells = new CellsClient(target, credentials.createInsecure());
  catalogue = new CatalogueClient(target, credentials.createInsecure());
});
afterAll(async () => {
  cells.close();
  catalogue.close();
  await host.close(1000);
  await store.close();
  await reader.close();
  await endEverything();
});

const answer = <Response>(ask: (callback: (error: ServiceError | null, response: Response) => void) => unknown) =>
  new Promise<Response>((done, fail) => ask((error, response) => (error ? fail(error) : done(response))));
const series = (more: object) => {
  const question = { cellId: cell.id, table: 'memory', columns: [], maxPoints: 0, ...more };
  return answer<{ samples: number; thinned: boolean; columns: { values: number[] }[] }>((done) =>
    cells.readSeries(question, done),
  );
};

describe('cells over gRPC', () => {
  it('tell how they ended and which tables they have', async () => {
    const { result, tables } = await answer<{ result?: { $case: string }; tables: unknown }>((done) =>
      cells.getCell({ cellId: cell.id }, done),
    );
    expect(result?.$case).toBe('outcome');
    expect(tables).toEqual(HEADER.tables);
  });

  it('give their samples, all, some columns, or thinned out', async () => {
    const whole = await series({});
    expect(whole).toMatchObject({ samples: 1000, thinned: false });
    expect(whole.columns).toHaveLength(2);
    const time = whole.columns[0]!.values;
    expect((await series({ from: time[5], to: time[7] })).columns[0]!.values).toEqual(time.slice(5, 8));
    const thinned = await series({ maxPoints: 20, columns: ['mem_available_bytes'] });
    expect(thinned).toMatchObject({ samples: 1000, thinned: true });
    expect(thinned.columns[1]!.values.at(-1)).toBe(whole.columns[1]!.values.at(-1));
  });

  it.each([
    [{ cellId: 'x' }, status.INVALID_ARGUMENT],
    [{ cellId: '0'.repeat(32) }, status.NOT_FOUND],
    [{ table: 'none' }, status.NOT_FOUND],
    [{ columns: ['none'] }, status.INVALID_ARGUMENT],
    [{ maxPoints: 1 }, status.INVALID_ARGUMENT],
  ])('refuse %j', async (question, code) => {
    await expect(series(question)).rejects.toMatchObject({ code });
  });
});

describe('the catalogue over gRPC', () => {
  it('has scenarios that check as they are', async () => {
    const { scenarios } = await answer<{ scenarios: { name: string }[] }>((done) => catalogue.listScenarios({}, done));
    expect(scenarios.length).toBeGreaterThan(3);
    const name = 'netns-unshare-storm';
    const { facts, yaml } = await answer<{ facts?: object; yaml: string }>((done) =>
      catalogue.getScenario({ name }, done),
    );
    expect(scenarios).toContainEqual(facts);
    const checked = await answer((done) => catalogue.checkScenario({ scenario: yaml, sourceName: name }, done));
    expect(checked).toEqual({ facts });
  });

  it('refuses what cannot run, in one line per problem', async () => {
    await expect(
      answer((done) => catalogue.checkScenario({ scenario: 'kind: Scenario', sourceName: 'x.yaml' }, done)),
    ).rejects.toMatchObject({ code: status.INVALID_ARGUMENT, details: expect.stringContaining('x.yaml: ') });
    const huge = { scenario: 'x'.repeat(10 * 2 ** 20), sourceName: '' };
    await expect(answer((done) => catalogue.checkScenario(huge, done))).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'scenario: expected at most 65536 bytes, got 10485760',
    });
  });

  it('has the mechanisms', async () => {
    const { mechanisms } = await answer<{ mechanisms: { name: string }[] }>((done) =>
      catalogue.listMechanisms({}, done),
    );
    expect(mechanisms.map(({ name }) => name)).toContain('netns');
  });
});
