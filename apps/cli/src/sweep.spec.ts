// A sweep as its user sees it: progress with the time that is left, Ctrl-C, the rest later, one table and one chart.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { kwb, startKwb } from './testing/kwb.js';

const out = mkdtempSync(join(tmpdir(), 'kwb-sweep-'));
afterAll(() => rmSync(out, { recursive: true }));

const CPUS = [2, 6, 16];
const CELLS = 2 * CPUS.length * 3;
const SWEEP = ['--sweep', 'machine.cpus=16,2,6', '--replications', '3', '--set', 'workload.cycles=1500'];

const runs = () => readdirSync(out).filter((name) => !name.startsWith('.'));

test('a sweep that was cut off goes on where it was, to one table and one chart', async () => {
  const process = startKwb(['run', 'netns-unshare-storm', ...SWEEP, '--workers', '1', '--out', out]);
  // Every point has run once.
  await process.shown(`7 of ${CELLS} cells`);
  process.kill('SIGINT');
  const cut = await process.ended;
  expect(cut.code).toBe(105);
  const [, done, directory] = /cancelled after (\d+) of 18 cells; kwb resume (\S+) runs the rest/.exec(cut.stderr)!;
  expect(Number(done)).toBeGreaterThanOrEqual(7);

  // Points that have not run yet make a lower bound; from the first replication of all on it is an estimate.
  expect(cut.stderr).toMatch(/^1 of 18 cells .*, at least [1-9]\d* s left$/m);
  expect(cut.stderr).toMatch(/^7 of 18 cells .*, \d+ s, [1-9]\d* s left$/m);
  expect(cut.stderr).not.toMatch(/, 0 s left/);

  rmSync(join(out, '.cells'), { recursive: true });
  const resumed = await kwb(['resume', directory!, '--out', out]);
  expect(resumed.stderr).toContain(`kwb: ${done} of ${CELLS} cells were run before and are taken over`);
  expect(runs()).toHaveLength(2);

  const rows = [...resumed.stdout.matchAll(/^(before|v4) +(\d+) +\d/gm)].map(([, variant, cpus]) => [
    variant,
    Number(cpus),
  ]);
  expect(rows).toEqual(
    CPUS.flatMap((cpus) => [
      ['before', cpus],
      ['v4', cpus],
    ]),
  );
  expect(resumed.stdout).toMatch(/^paired difference +machine\.cpus /m);

  const last = join(
    out,
    runs().find((name) => !directory!.endsWith(name))!,
  );
  const page = readFileSync(join(last, 'report.html'), 'utf8');
  const [section] = /<h2 id="sweep">[^]*?<\/section>/.exec(page)!;
  // The memory dip along the CPUs: a line and a band of confidence for each of the variants.
  const chart = section.split('<figure').find((figure) => figure.includes('mem available dip'))!;
  expect(chart.match(/class="line" data-name="(before|v4)" d="M/g)).toHaveLength(2);
  expect(chart.match(/class="band" d="M/g)).toHaveLength(2);
});
