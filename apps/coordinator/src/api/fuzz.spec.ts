// Whatever is sent, the answer is a problem that blames the client, soon, and the coordinator lives on as it was.
// `kwb test --all` sends ten thousand. Build before running this file alone.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_FORGOTTEN_BYTES } from '../limits.js';
import { expectProblem } from '../testing/api-client.js';
import { scenarioYaml, startCoordinator } from '../testing/cluster.js';
import { wrongRequests, type WrongRequest } from '../testing/malformed.js';
import { endEverything, type TestProcess, TestRedis, untilReady } from '../testing/processes.js';

const REQUESTS = process.env['KWB_TEST_ALL'] ? 10_000 : 400;
const SEED = 20_261_121;
const LIMIT_MS = 600_000;
/** One after another would mostly wait; more at once would only queue. */
const AT_ONCE = 4;
/**
 * Of the coordinator, in the heap that Node.js takes for itself in a container of 512 MB (docker-compose.yml, k8s).
 * Without a limit it would collect when it likes to, and show what the machine has instead of what it needs.
 */
const HEAP_OF_CONTAINER = '--max-old-space-size=256 --max-semi-space-size=1';
/** Above what the coordinator has at rest. Measured over 3,000 requests in such a container: 95 MB, and 90 of them after 750. */
const MAX_GROWTH_MB = 250;
/** Mutations that happened to leave the scenario good. More would mean that hardly anything wrong is sent. */
const MAX_ACCEPTED_SHARE = 0.1;

let coordinator: TestProcess;
let http: string;

beforeAll(async () => {
  const redis = await TestRedis.start();
  coordinator = startCoordinator(redis, {
    KWB_MAX_MALFORMED: '1000000',
    NODE_OPTIONS: HEAP_OF_CONTAINER,
  });
  http = (await coordinator.ports()).http;
  await untilReady(http, true);
}, LIMIT_MS);
afterAll(endEverything);

/** Most that the process ever had in memory. */
function peakResidentMb(): number {
  const status = readFileSync(`/proc/${coordinator.child.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
}

/** @returns whether it was accepted after all. */
async function send({ method, path, headers, body }: WrongRequest): Promise<boolean> {
  const response = await fetch(http + path, { method, headers, ...(body !== undefined && { body }) });
  const text = await response.text();
  if (response.ok && (path.includes('/scenarios/check') || path === '/api/v1/experiments')) return true;
  expect(response.status, `${method} ${path} ${String(body).slice(0, 300)}: ${text}`).toBeGreaterThanOrEqual(400);
  expect(response.status, `${method} ${path} ${String(body).slice(0, 300)}: ${text}`).toBeLessThan(500);
  expectProblem(response, JSON.parse(text));
  return false;
}

describe('malformed requests', { timeout: LIMIT_MS }, () => {
  it(`are all refused with a problem: ${REQUESTS} of them`, async () => {
    const requests = wrongRequests(REQUESTS, SEED);
    const atRestMb = peakResidentMb();
    let accepted = 0;
    let next = 0;
    const sender = async () => {
      while (next < requests.length) if (await send(requests[next++]!)) accepted++;
    };
    await Promise.all(Array.from({ length: AT_ONCE }, sender));
    expect(accepted / requests.length).toBeLessThan(MAX_ACCEPTED_SHARE);
    expect(coordinator.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    expect(coordinator.child.exitCode).toBeNull();
    expect(peakResidentMb() - atRestMb).toBeLessThan(MAX_GROWTH_MB);
  });

  it('leave the coordinator as it was', async () => {
    const good = scenarioYaml('workload: { items: 10 }, variants: [before], replications: 2');
    const response = await fetch(`${http}/api/v1/scenarios/check`, {
      method: 'POST',
      headers: { 'content-type': 'application/yaml' },
      body: good,
    });
    expect([response.status, await response.json()]).toMatchObject([200, { cells: 2 }]);
  });
});

const CHUNKED = 'transfer-encoding: chunked';
const LENGTH = `content-length: ${10 * 2 ** 20}`;
/** Sends a body of so many bytes and only then reads the answer, as simple clients do. */
function sendAll(framing: string, bytes: number): Promise<{ sent: number; answer: string }> {
  const piece = Buffer.alloc(2 ** 16, 'x');
  const chunk = framing === CHUNKED ? Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')]) : piece;
  return new Promise((resolve) => {
    let sent = 0;
    let answer = '';
    const socket = connect(Number(new URL(http).port), '127.0.0.1');
    socket.on('close', () => resolve({ sent, answer })).on('error', () => {});
    socket.write(
      `POST /api/v1/experiments HTTP/1.1\r\nhost: x\r\ncontent-type: application/yaml\r\n${framing}\r\n\r\n`,
    );
    const write = (error?: Error | null) => {
      // A write that failed calls back before its socket is destroyed: another one now would be queued and called back at once.
      if (error || socket.destroyed) return;
      if (sent < bytes) {
        sent += piece.length;
        return void socket.write(chunk, write);
      }
      if (framing === CHUNKED) socket.write('0\r\n\r\n');
      socket.on('data', (text) => {
        answer += text.toString();
        if (answer.endsWith('}')) socket.destroy();
      });
    };
    write();
  });
}

describe('a scenario that is far too large', { timeout: LIMIT_MS }, () => {
  const check = async (body: string) => {
    const response = await fetch(`${http}/api/v1/experiments`, {
      method: 'POST',
      headers: { 'content-type': 'application/yaml' },
      body,
    });
    return [response.status, await response.json()] as const;
  };

  it('is refused by its length: 10 MB', async () => {
    const before = peakResidentMb();
    // Only the header is sent: a client that goes on writing may lose its connection before it reads the answer.
    const headers = { 'content-type': 'application/yaml', 'content-length': String(10 * 2 ** 20) };
    const status = await new Promise((resolve, reject) => {
      const sent = request(`${http}/api/v1/experiments`, { method: 'POST', headers }, (response) => {
        resolve(response.statusCode);
        sent.destroy();
      });
      sent.on('error', reject);
      sent.flushHeaders();
    });
    expect(status).toBe(413);
    // Refused at the header: the body was not even read.
    expect(peakResidentMb() - before).toBeLessThan(8);
  });

  it.each(['with its length', 'in chunks'])(
    'is refused in words that its sender gets to read, who sends all of it %s first',
    async (how) => {
      const before = peakResidentMb();
      for (let time = 0; time < 20; time++) {
        const { answer } = await sendAll(how === 'in chunks' ? CHUNKED : LENGTH, 10 * 2 ** 20);
        expect(answer).toMatch(/^HTTP\/1.1 413 .*application\/problem\+json.*"status":413/s);
      }
      // Nothing of the 200 MB is kept; the collector takes its time with the pieces.
      expect(peakResidentMb() - before).toBeLessThan(100);
    },
  );

  it('is cut off when it does not end', async () => {
    const { sent } = await sendAll(CHUNKED, Infinity);
    // What the sockets of both sides hold comes on top.
    expect(sent).toBeGreaterThan(MAX_FORGOTTEN_BYTES);
    expect(sent).toBeLessThan(2 * MAX_FORGOTTEN_BYTES);
  });

  it('is refused by its size before it is expanded: 10^9 cells', async () => {
    const thousand = `[${Array.from({ length: 1000 }, (_, i) => i + 1).join(',')}]`;
    const sweep = `{ workload.items: ${thousand}, workload.rate: ${thousand} }`;
    const before = peakResidentMb();
    const [status, problem] = await check(scenarioYaml(`variants: [before], replications: 1000, sweep: ${sweep}`));
    expect(status).toBe(422);
    expect(problem).toMatchObject({ errors: [{ detail: expect.stringContaining('at most') }] });
    expect(peakResidentMb() - before).toBeLessThan(50);
  });
});
