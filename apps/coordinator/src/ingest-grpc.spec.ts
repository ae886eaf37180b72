// A real gRPC server, real client streams and a real store (SQLite).
import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import {
  frameToMessage,
  outcomeToMessage,
  PublishResponse_Result,
  tablesToMessage,
  TelemetryIngestClient,
  type PublishRequest,
  type PublishResponse,
} from '@kworkbench/contracts';
import { createLogger, GrpcHost } from '@kworkbench/service-host';
import { TelemetryDigest, type Frame } from '@kworkbench/telemetry';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ingest } from './ingest-grpc.js';
import { CoordinatorMetrics } from './metrics.js';
import { StoreLink } from './store-link.js';
import { openStore, type Store } from './store/index.js';
import { endEverything, eventually, scratchDirectory } from './testing/processes.js';
import { sampleCell } from './testing/sample-cell.js';

const log = createLogger('test', 'silent');
const { header, frames, outcome, digest } = sampleCell(3);

let store: Store;
let grpc: GrpcHost;
let client: TelemetryIngestClient;
let ingest: Ingest;
const settled: string[] = [];

beforeAll(async () => {
  store = openStore(`sqlite://${scratchDirectory()}/ingest.db`);
  const link = new StoreLink(store, log);
  await link.open();
  ingest = new Ingest(link, new CoordinatorMetrics(), (cellId) => settled.push(cellId), log);
  grpc = new GrpcHost([ingest.hosted]);
  client = new TelemetryIngestClient(`127.0.0.1:${await grpc.listen('127.0.0.1', 0)}`, credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  await grpc.close(1000);
  await store.close();
  await endEverything();
});

type Part = NonNullable<PublishRequest['part']>;
const begin = (cellId: string, experimentId = ''): Part => ({
  $case: 'begin',
  value: { cellId, mechanism: 'm', instance: 'i', experimentId },
});
const head: Part = { $case: 'header', value: { tables: tablesToMessage(header) } };
const frame = (index: number): Part => ({ $case: 'frame', value: frameToMessage(frames[index]!) });
const end: Part = {
  $case: 'end',
  value: { result: { $case: 'outcome', value: outcomeToMessage(outcome, digest, 1) } },
};
const whole = (cellId: string) => [begin(cellId), head, frame(0), frame(1), frame(2), end];
const cell = (letter: string) => letter.repeat(32);

type Answer = { error: ServiceError | null; response: PublishResponse };

function open() {
  let answered!: (answer: Answer) => void;
  const answer = new Promise<Answer>((done) => (answered = done));
  const call = client.publish((error, response) => answered({ error, response }));
  call.on('error', () => {});
  return { call, answer };
}

async function publish(parts: readonly Part[]): Promise<Answer> {
  const { call, answer } = open();
  for (const part of parts) call.write({ part });
  call.end();
  return answer;
}

describe('TelemetryIngest', () => {
  it('commits a cell, tells of it, and says DUPLICATE from then on, before the cell has run again', async () => {
    const first = await publish(whole(cell('a')));
    expect(first.response).toEqual({ result: PublishResponse_Result.COMMITTED, acknowledgedFrames: 3 });
    expect(settled).toContain(cell('a'));
    const series = await store.readSeries(cell('a'), 't');
    expect([...series!.columns[0]!]).toEqual([0, 0.5, 1, 1.5, 2, 2.5]);
    const { call, answer } = open();
    call.write({ part: begin(cell('a')) });
    expect((await answer).response.result).toBe(PublishResponse_Result.DUPLICATE);
  });

  it('commits one of two that publish the same cell at once', async () => {
    const answers = await Promise.all([publish(whole(cell('b'))), publish(whole(cell('b')))]);
    const results = answers.map(({ response }) => response.result).sort();
    expect(results).toEqual([PublishResponse_Result.COMMITTED, PublishResponse_Result.DUPLICATE]);
  });

  it.each([
    ['a frame was lost on the way', [begin(cell('c')), head, frame(0), frame(1), end], status.DATA_LOSS],
    ['a frame came twice', [begin(cell('c')), head, frame(0), frame(0)], status.INVALID_ARGUMENT],
    ['the stream ended early', [begin(cell('c')), head, frame(0)], status.INVALID_ARGUMENT],
    ['the stream was empty', [], status.INVALID_ARGUMENT],
  ] as [string, Part[], status][])('commits nothing when %s', async (_what, parts, code) => {
    expect((await publish(parts)).error).toMatchObject({ code, details: expect.any(String) });
    expect(await store.hasResult(cell('c'))).toBe(false);
    expect(settled).not.toContain(cell('c'));
  });

  it('commits nothing of a service that went away', async () => {
    const { call, answer } = open();
    for (const part of [begin(cell('d')), head, frame(0)]) call.write({ part });
    await new Promise((done) => setTimeout(done, 100));
    call.cancel();
    expect((await answer).error?.code).toBe(status.CANCELLED);
    expect(await store.hasResult(cell('d'))).toBe(false);
    expect((await publish(whole(cell('d')))).response.result).toBe(PublishResponse_Result.COMMITTED);
  });

  it('ends the streams of an experiment that was cancelled, here or by another coordinator', async () => {
    const experiment = {
      scenario: 's',
      sourceName: 's',
      document: 's',
      cellsTotal: 1,
      submittedAt: new Date().toISOString(),
    };
    await store.createExperiment({ id: 'here', ...experiment });
    await store.createExperiment({ id: 'there', ...experiment });
    const [here, there] = [open(), open()];
    here.call.write({ part: begin(cell('e'), 'here') });
    there.call.write({ part: begin(cell('e'), 'there') });
    await new Promise((done) => setTimeout(done, 100));
    ingest.cancelled('here');
    expect((await here.answer).error?.code).toBe(status.CANCELLED);
    await store.cancelExperiment('there', new Date().toISOString());
    expect((await there.answer).error).toMatchObject({
      code: status.CANCELLED,
      details: 'the experiment was cancelled',
    });
  });

  it('stores a failure of the model as the outcome of its cell', async () => {
    const failure: Part = {
      $case: 'end',
      value: { result: { $case: 'failure', value: { kind: 'invariant', message: 'I1' } } },
    };
    expect((await publish([begin(cell('f')), failure])).response.result).toBe(PublishResponse_Result.COMMITTED);
    const stored = await eventually('the failure', async () => (await store.getResults([cell('f')])).get(cell('f')));
    expect(stored).toEqual({ cellId: cell('f'), kind: 'invariant', message: 'I1' });
  });

  it('holds no more than its budget while the store stands still, and loses nothing', { timeout: 60_000 }, async () => {
    const file = `${scratchDirectory()}/slow.db`;
    const slow = openStore(`sqlite://${file}`);
    const link = new StoreLink(slow, log);
    await link.open();
    const budgetBytes = 2 * 2 ** 20;
    const narrow = new Ingest(
      link,
      new CoordinatorMetrics(),
      () => {},
      log,
      () => {},
      budgetBytes,
    );
    const host = new GrpcHost([narrow.hosted]);
    const publisher = new TelemetryIngestClient(
      `127.0.0.1:${await host.listen('127.0.0.1', 0)}`,
      credentials.createInsecure(),
    );
    const blocker = new DatabaseSync(file);
    blocker.exec('begin immediate');
    // Eight cells of 4 MB: sixteen times the budget.
    const rows = 8_192;
    const big = Array.from({ length: 64 }, (_, sequence): Frame => ({
      sequence,
      table: 0,
      rows,
      columns: [Float64Array.from({ length: rows }, (_, row) => sequence * rows + row)],
    }));
    const hash = new TelemetryDigest();
    hash.header(header);
    for (const one of big) hash.frame(one);
    const bigDigest = hash.outcome(outcome);
    const last: Part = {
      $case: 'end',
      value: { result: { $case: 'outcome', value: outcomeToMessage(outcome, bigDigest, 1) } },
    };
    const publishBig = async (cellId: string) => {
      let answered!: (answer: Answer) => void;
      const answer = new Promise<Answer>((done) => (answered = done));
      const call = publisher.publish((error, response) => answered({ error, response }));
      for (const part of [
        begin(cellId),
        head,
        ...big.map((one): Part => ({ $case: 'frame', value: frameToMessage(one) })),
        last,
      ]) {
        if (!call.write({ part })) await new Promise((room) => void call.once('drain', room));
      }
      call.end();
      return answer;
    };
    const letters = [...'abcdef01'];
    const all = Promise.all(letters.map((letter) => publishBig(cell(letter))));
    let most = 0;
    const looking = setInterval(() => (most = Math.max(most, narrow.heldBytes)), 1);
    await new Promise((done) => setTimeout(done, 1_500));
    const cellBytes = 64 * rows * 8;
    expect(narrow.heldBytes).toBeGreaterThan(budgetBytes);
    blocker.exec('rollback');
    expect((await all).map(({ response }) => response?.result)).toEqual(
      letters.map(() => PublishResponse_Result.COMMITTED),
    );
    clearInterval(looking);
    // The budget, the oldest cell, and a message of each of the others.
    expect(most).toBeLessThanOrEqual(budgetBytes + cellBytes + letters.length * rows * 8);
    expect(narrow.heldBytes).toBe(0);
    for (const letter of letters) expect((await slow.readSeries(cell(letter), 't'))!.rows).toBe(64 * rows);
    blocker.close();
    publisher.close();
    await host.close(1000);
    await slow.close();
  });

  it('says UNAVAILABLE while the store cannot be used', async () => {
    const away = new Ingest(
      new StoreLink(openStore('sqlite:///nowhere/at/all.db'), log),
      new CoordinatorMetrics(),
      () => {},
      log,
    );
    const host = new GrpcHost([away.hosted]);
    const port = await host.listen('127.0.0.1', 0);
    const other = new TelemetryIngestClient(`127.0.0.1:${port}`, credentials.createInsecure());
    const error = await new Promise<ServiceError | null>((done) => {
      const call = other.publish(done);
      for (const part of whole(cell('a'))) call.write({ part });
      call.end();
    });
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: 'database: not reached yet' });
    other.close();
    await host.close(1000);
  });
});
