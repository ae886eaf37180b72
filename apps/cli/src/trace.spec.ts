// `kwb run --trace` as a real process.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TraceReader } from '@kworkbench/telemetry/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { kwb } from './testing/kwb.js';

const folder = mkdtempSync(join(tmpdir(), 'kwb-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SMALL = ['netns-unshare-storm', '--set', 'workload.cycles=200', '--replications', '2'];
const run = (...args: string[]) => kwb(['run', ...SMALL, '--out', join(folder, 'runs'), ...args]);

describe('kwb run --trace', () => {
  test('writes what the wanted cell did, below the limit, and says where it was full', async () => {
    const file = join(folder, 'v4.pftrace');
    const { stderr, stdout } = await run('--trace', file, '--trace-cell', 'v4/1', '--trace-limit', '10KiB');
    const line = /^kwb: trace of v4\/1 written to (\S+): (\d+) events, (\d+) bytes; full at [\d.]+ s of the run, \d+ /m;
    const [, path, , bytes] = line.exec(stderr) ?? [];
    expect([path, Number(bytes)]).toEqual([file, statSync(file).size]);
    expect(Number(bytes)).toBeLessThanOrEqual(10 * 1024);
    expect(new TraceReader(readFileSync(file)).title).toMatch(/^netns v4\/1 /);
    expect(stdout).toContain('variant');
  });

  test('traces the first cell and a window of it', async () => {
    const file = join(folder, 'first.pftrace');
    const { stderr } = await run('--trace', file, '--trace-window', '100ms..150ms', '--quiet');
    expect(stderr).toBe('');
    const { cpuSlices, title } = new TraceReader(readFileSync(file));
    expect(title).toMatch(/^netns before\/0 /);
    expect(Math.min(...cpuSlices.map(({ startNs }) => startNs))).toBe(100e6);
    expect(Math.max(...cpuSlices.map(({ startNs }) => startNs))).toBeLessThanOrEqual(150e6);
  });

  test.each([
    [
      ['--trace', join(folder, 'x'), '--trace-cell', 'v9/0'],
      /--trace-cell: expected one of before\/0, .*before\/1, .*"v9\/0"/,
    ],
    [['--trace-cell', 'before/0'], /--trace-cell: expected --trace FILE with it/],
    [['--trace', join(folder, 'none', 'x')], /--trace .*cannot write there/],
    [['--trace', join(folder, 'x'), '--trace-limit', '100'], /expected a size of at least 4KiB, such as 64MiB/],
    [['--trace', join(folder, 'x'), '--trace-window', '2s..1s'], /expected two times of the run, such as 1s..1.5s/],
  ])('refuses %j in one line, before anything runs', async (args, message) => {
    const { code, stderr, stdout } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 104, stdout: '' });
    expect(stderr).toMatch(message);
  });
});
