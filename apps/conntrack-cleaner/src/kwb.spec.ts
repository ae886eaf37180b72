// What a user types: values of conntrack that the command line sets, and input that it refuses before anything is started.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const KWB = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'kwb-conntrack-'));
afterAll(() => rmSync(folder, { recursive: true }));

function kwb(out: string, scenario: string, ...args: string[]) {
  return spawnSync(process.execPath, [KWB, 'run', scenario, '--out', out, '--quiet', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
}

const SET = {
  'workload.threads': 2,
  'workload.packets': 2000,
  'workload.batch': 16,
  'workload.connections': 4,
  // Affinity of the packet threads.
  'workload.packetCpus': 2,
  'workload.pinned': false,
  'machine.cpus': 4,
  'machine.constants.packetPrivateNs': 100,
  'machine.constants.lineNearNs': 0,
  'machine.constants.lineFarNs': 0,
} as const;

interface Report {
  readonly verdict: string;
  readonly cells: readonly { readonly variant: string; readonly metrics: Readonly<Record<string, number>> }[];
}

it('kwb run conntrack-benchmark takes every path of --set, and the cells are those', () => {
  const out = join(folder, 'set');
  const set = Object.entries(SET).flatMap(([path, value]) => ['--set', `${path}=${value}`]);
  const { status, stderr } = kwb(out, 'conntrack-benchmark', ...set);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const [run] = readdirSync(out).filter((name) => !name.startsWith('.'));
  const report = JSON.parse(readFileSync(join(out, run!, 'report.json'), 'utf8')) as Report;
  expect(report.cells.map(({ variant }) => variant)).toEqual(['before', 'v4']);
  for (const { variant, metrics } of report.cells) {
    // Two threads with four connections each.
    expect(metrics['connections_max']).toBe(8);
    // 100 ns and 2 or 9 pairs of locks instead of 691 and 770 ns.
    const ns = (metrics['wall_seconds']! / SET['workload.packets']) * 1e9;
    expect(Math.abs(ns / (100 + (variant === 'v4' ? 2 : 9) * 11.3) - 1)).toBeLessThan(0.1);
  }
}, 60_000);

it.each([
  ['0 threads', 'workload.threads=0', 'an integer from 1 to 256, got 0'],
  ['a batch over 32', 'workload.batch=33', 'an integer from 1 to 32, got 33'],
  ['a limit below the live connections', 'kernel.connLimit=199999', 'at least the 200,000 connections that are in'],
  ['an unknown policy of expiration', 'kernel.expiration=lifo', 'one of lists, queues, rculists, buckets, got "lifo"'],
  ['an unknown constant', 'machine.constants.lineNear=3', '(did you mean lineNearNs?)'],
])(
  '%s: one line, exit code 104, nothing started',
  (_what, set, says) => {
    const out = join(folder, 'bad');
    const { status, stdout, stderr } = kwb(out, 'conntrack-flush', '--set', set);
    expect({ status, stdout }).toEqual({ status: 104, stdout: '' });
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(`--set ${set}: spec.${set.slice(0, set.indexOf('='))}: expected `);
    expect(stderr).toContain(says);
    expect(existsSync(out)).toBe(false);
  },
  30_000,
);
