import { createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { dockerEngine, effectiveCapability, findOnPath, hostFacts, programVersion } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'kwb-probe-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the facts of this host agree with what Node says', () => {
  const facts = hostFacts();
  expect(facts.cpusOnline).toBeGreaterThanOrEqual(facts.cpusUsable);
  expect(cpus().length).toBeLessThanOrEqual(facts.cpusOnline);
  expect(facts.memoryAvailableBytes).toBeLessThanOrEqual(facts.memoryTotalBytes);
  expect(facts.kernelRelease).toMatch(/^\d+\.\d+/);
});

test('capabilities of this process are known', () => {
  expect(effectiveCapability('CAP_SYS_ADMIN')).toBeTypeOf('boolean');
});

test('a program is found on PATH only when it is an executable file', () => {
  writeFileSync(join(folder, 'tool'), '#!/bin/sh\necho tool 1.2\n', { mode: 0o755 });
  writeFileSync(join(folder, 'text'), 'no program', { mode: 0o644 });
  expect(findOnPath('tool', `/nowhere:${folder}`)).toBe(join(folder, 'tool'));
  expect(findOnPath('text', folder)).toBeUndefined();
  expect(findOnPath('missing', folder)).toBeUndefined();
});

test('the version of a program is its first line, and undefined when it fails', async () => {
  expect(await programVersion(join(folder, 'tool'))).toBe('tool 1.2');
  expect(await programVersion('/bin/false')).toBeUndefined();
});

test('an engine that is not there is a reason, not an error', async () => {
  expect(await dockerEngine(`unix://${folder}/no.sock`)).toEqual({ reason: `${folder}/no.sock: ENOENT` });
});

test('an engine on a socket says its version', async () => {
  const socket = join(folder, 'engine.sock');
  const server = createServer((request, response) => response.end(`{"Path":"${request.url}","Version":"20.10.24"}`));
  await new Promise<void>((listening) => server.listen(socket, listening));
  try {
    expect(await dockerEngine(`unix://${socket}`)).toEqual({ version: '20.10.24' });
  } finally {
    server.close();
  }
});
