// `kwb up` as a person uses it: real Redis, coordinator and service, on free ports.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { kwb, startKwb, type RunningKwb } from '../testing/kwb.js';

const folder = mkdtempSync(join(tmpdir(), 'kwb-up-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FREE = [
  '--http-port',
  '0',
  '--grpc-port',
  '0',
  '--service-http-port',
  '0',
  '--service-grpc-port',
  '0',
  '--redis-port',
  '0',
];

let running: RunningKwb | undefined;
afterEach(async () => {
  running?.kill('SIGTERM');
  await running?.ended;
  running = undefined;
});

function up(data: string, ...args: string[]): RunningKwb {
  running = startKwb(['up', '--data', join(folder, data), '--workers', '1', ...FREE, ...args]);
  return running;
}

/** Addresses from the one line that `kwb up` prints. */
async function addresses(stack: RunningKwb): Promise<{ http: string; grpc: string }> {
  const line = await stack.line(/^kwb up: .*$/m);
  const [, http, grpc] = /coordinator (http:\S+) grpc (\S+)/.exec(line)!;
  return { http: http!, grpc: grpc! };
}

async function status(url: string): Promise<number | undefined> {
  return fetch(url).then(
    (answer) => answer.status,
    () => undefined,
  );
}

test('everything gets ready, an experiment runs through it, and Ctrl-C ends it all', { timeout: 240_000 }, async () => {
  const stack = up('whole');
  const { http, grpc } = await addresses(stack);
  expect(await status(`${http}/readyz`)).toBe(200);

  const small = ['netns-unshare-storm', '--set', 'workload.cycles=200', '--replications', '1'];
  const submitted = await kwb(['submit', ...small, '--coordinator', grpc]);
  expect(submitted).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[\w-]+\n$/) });
  const id = submitted.stdout.trim();
  const watched = await kwb(['watch', id, '--json', '-', '--coordinator', grpc]);
  const local = await kwb(['run', ...small, '--json', '-', '--out', join(folder, 'runs')]);
  const digests = (text: string) =>
    (JSON.parse(text) as { cells: { digest: string }[] }).cells.map((cell) => cell.digest);
  expect(digests(watched.stdout)).toEqual(digests(local.stdout));
  expect(watched.code).toBe(local.code);
  const report = await kwb(['report', id, '--json', '-', '--coordinator', grpc]);
  expect(digests(report.stdout)).toEqual(digests(local.stdout));

  // Histograms and series are in the store; the page has the charts that the page of a local run has.
  const exported = (target: string, format: string) =>
    kwb(['export', target, '--format', format, '--coordinator', grpc]).then(({ stdout }) => stdout);
  const directory = join(
    folder,
    'runs',
    readdirSync(join(folder, 'runs')).find((name) => !name.startsWith('.'))!,
  );
  expect(await exported(id, 'hlog')).toBe(await exported(directory, 'hlog'));
  const captions = (page: string) => [...page.matchAll(/<figcaption>([^<]*)/g)].map(([, caption]) => caption);
  const page = captions(await exported(id, 'html'));
  expect(page).toContain('mem available over time');
  expect(page).toEqual(captions(await exported(directory, 'html')));

  // One that would run for minutes is ended; one that has ended stays as it is.
  const long = await kwb(['submit', 'netns-unshare-storm', '--replications', '50', '--coordinator', grpc]);
  const cancelled = await kwb(['cancel', long.stdout.trim(), '--coordinator', grpc]);
  expect(cancelled).toMatchObject({ code: 0, stdout: expect.stringMatching(/ is cancelled, \d+ of 100 cells\n$/) });
  expect(await kwb(['cancel', id, '--coordinator', grpc])).toMatchObject({
    code: 0,
    stdout: `${id} is completed, 2 of 2 cells\n`,
  });
  const listed = await kwb(['list', 'experiments', '--json', '--coordinator', grpc]);
  expect(JSON.parse(listed.stdout)).toMatchObject([
    { id: long.stdout.trim(), state: 'cancelled' },
    { id, scenario: 'netns-unshare-storm', state: 'completed', cells: '2 of 2' },
  ]);
  expect((await kwb(['watch', long.stdout.trim(), '--coordinator', grpc])).code).toBe(105);
  const nothing = await kwb(['cancel', 'nothing', '--coordinator', grpc]);
  expect(nothing).toMatchObject({ code: 104, stderr: expect.stringMatching(/^kwb: cancel: .*nothing/) });

  stack.kill('SIGINT');
  expect((await stack.ended).code).toBe(0);
  expect(await status(`${http}/readyz`)).toBeUndefined();
});

test('a killed coordinator is started again on the same ports', { timeout: 120_000 }, async () => {
  const stack = up('restart');
  const { http } = await addresses(stack);
  const pid = Number(/coordinator pid (\d+)/.exec(await stack.line(/^kwb: started .*$/m))![1]);
  process.kill(pid, 'SIGKILL');
  await stack.shown('coordinator killed by SIGKILL; restarting it');
  for (let i = 0; i < 300 && (await status(`${http}/readyz`)) !== 200; i += 1) await sleep(100);
  expect(await status(`${http}/readyz`)).toBe(200);
});

describe('what cannot start says so in one line, before anything runs', () => {
  test('a taken port', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const { code, stdout, stderr } = await up('taken', '--http-port', String(port)).ended;
    server.close();
    expect({ code, stdout }).toEqual({ code: 114, stdout: '' });
    expect(stderr).toBe(
      `kwb: up: port ${port} (coordinator HTTP) is taken on 127.0.0.1; free it, or choose another with --http-port\n`,
    );
  });

  test('a Redis that is not there', async () => {
    const { code, stderr } = await up('noredis', '--redis-url', 'redis://127.0.0.1:1').ended;
    expect(code).toBe(114);
    expect(stderr).toBe('kwb: up: no Redis answers at redis://127.0.0.1:1 (KWB_REDIS_URL or --redis-url)\n');
  });

  test('a data folder that another kwb up uses', { timeout: 120_000 }, async () => {
    const first = startKwb(['up', '--data', join(folder, 'shared'), ...FREE]);
    await first.line(/^kwb up: .*$/m);
    const second = await up('shared').ended;
    first.kill('SIGTERM');
    await first.ended;
    expect(second.code).toBe(114);
    expect(second.stderr).toBe(
      `kwb: up: ${join(folder, 'shared')} is in use by another kwb up (pid ${first.pid}); end it, or give --data another folder\n`,
    );
  });
});
