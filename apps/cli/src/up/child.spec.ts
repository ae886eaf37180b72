import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, expect, test } from 'vitest';
import type { ChildSpec } from './child.js';
import { claimPort } from './ports.js';
import { Supervisor } from './supervisor.js';

const folder = mkdtempSync(join(tmpdir(), 'kwb-child-'));
afterAll(() => rmSync(folder, { recursive: true }));

const lines: string[] = [];
let supervisor: Supervisor | undefined;
afterEach(async () => {
  await supervisor?.stop();
  supervisor = undefined;
  lines.length = 0;
});

function start(): Supervisor {
  supervisor = new Supervisor((name, line) => lines.push(`${name}: ${line}`));
  return supervisor;
}

const script = (name: string, source: string, ready = (): Promise<boolean> => Promise.resolve(true)): ChildSpec => ({
  name,
  command: process.execPath,
  args: ['-e', source],
  env: process.env,
  ready,
});

const STAYS = 'setInterval(() => {}, 1000)';

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i += 1) await sleep(20);
  expect(condition()).toBe(true);
}

test('a child that is killed is started again', async () => {
  const stack = start();
  expect(await stack.startGroup([script('a', STAYS)])).toBeUndefined();
  const supervised = stack.supervise();
  const first = stack.pids['a']!;
  process.kill(first, 'SIGKILL');
  await until(() => stack.pids['a'] !== first && alive(stack.pids['a']!));
  expect(lines).toContain('kwb: a killed by SIGKILL; restarting it in 0.5 s');
  await stack.stop();
  expect(await supervised).toBeUndefined();
});

test('a child that dies before it is ready fails the start with its reason', async () => {
  const failure = await start().startGroup([
    script('a', 'console.log("no disk"); process.exit(3)', () => Promise.resolve(false)),
  ]);
  expect(failure).toBe('a: exited with 3');
  expect(lines).toEqual(['a: no disk']);
});

test('a program that does not exist fails the start', async () => {
  const failure = await start().startGroup([
    { ...script('a', '', () => Promise.resolve(false)), command: '/nowhere/tool' },
  ]);
  expect(failure).toMatch(/^a: (exited with 127|spawn .*ENOENT)/);
});

test('children end in the reverse of their order, each with time to finish', async () => {
  const log = join(folder, 'order');
  writeFileSync(log, '');
  const stopping = (name: string, delayMs: number) =>
    script(
      name,
      `const fs = require('fs'); fs.writeFileSync('${log}.${name}', ''); ${STAYS};
       process.on('SIGTERM', () => setTimeout(() => { fs.appendFileSync('${log}', '${name} '); process.exit(0) }, ${delayMs}))`,
      () => Promise.resolve(readable(`${log}.${name}`)),
    );
  const stack = start();
  await stack.startGroup([stopping('redis', 0)]);
  await stack.startGroup([stopping('coordinator', 0), stopping('service', 200)]);
  const pids = Object.values(stack.pids);
  await stack.stop();
  expect(readFileSync(log, 'utf8')).toBe('service coordinator redis ');
  expect(pids.some((pid) => alive(pid!))).toBe(false);
});

function readable(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}

test('a taken port is seen before anything starts, and 0 finds a free one', async () => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  expect(await claimPort('127.0.0.1', port)).toBeUndefined();
  server.close();
  expect(await claimPort('127.0.0.1', 0)).toBeGreaterThan(0);
});
