// The example of a brought variant that every mechanism documents: it runs, it makes a difference, and what is wrong in it is
// said with its line.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mechanisms } from '@kworkbench/experiment';
import { afterAll, describe, expect, test } from 'vitest';
import { ROOT } from './paths.js';
import { kwb } from './testing/kwb.js';

const folder = mkdtempSync(join(tmpdir(), 'kwb-examples-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Example {
  readonly scenario: string;
  readonly set: readonly string[];
  /** The merged design, and a metric in which the example is better than that. */
  readonly merged: string;
  readonly metric: string;
  /** A change that the model catches, and what it says; the line is that of the change. */
  readonly wrong: { readonly from: string; readonly to: string; readonly says: string };
}

const EXAMPLES: Readonly<Record<string, Example>> = {
  netns: {
    scenario: 'netns-unshare-storm',
    set: ['workload.cycles=500'],
    merged: 'v4',
    metric: 'rcu_barrier_calls_total',
    wrong: {
      from: '  for (const fqdir of batch) yield* kernel.free(fqdir);',
      to: '  for (const fqdir of [...batch, ...batch]) yield* kernel.free(fqdir);',
      says: 'I2: an fqdir is freed twice',
    },
  },
  conntrack: {
    scenario: 'conntrack-mass-expiry',
    set: ['workload.connections=2000'],
    merged: 'merged',
    metric: 'ct_lock_acquisitions_per_packet',
    wrong: {
      from: '    for (const conn of expired) yield* kernel.remove(conn);',
      to: '    kernel.unlock(list); for (const conn of expired) yield* kernel.remove(conn);',
      says: 'P2: ct_clean removes a connection without its lock',
    },
  },
  padata: {
    scenario: 'padata-neighbours',
    set: ['workload.work=44s', 'workload.neighbourWork=4.3s'],
    merged: 'series',
    metric: 'job_seconds',
    wrong: {
      from: '      return remaining.take(Math.min(Math.ceil(wanted / align) * align, remaining.size));',
      to: '      return remaining.take(remaining.size + 1);',
      says: 'padata: a chunk of',
    },
  },
  ipvs: {
    scenario: 'ipvs-k8s-50k',
    set: ['workload.services=2000', 'workload.duration=20s'],
    merged: 'v6.2',
    metric: 'tick_max_seconds',
    wrong: {
      from: '      const isNew = delayRows === kthread.rows - 1;',
      to: '      const isNew = kthread.put(50) > 0 && delayRows > 0;',
      says: 'ipvs: an estimator is put into row 50, of 0 to 49',
    },
  },
  reuseport: {
    scenario: 'reuseport-close-order',
    set: ['workload.close=inOrder', 'workload.connections=800'],
    merged: 'M',
    metric: 'hops_mean',
    wrong: {
      from: '    const first = candidates[rng() % candidates.length]!;',
      to: '    while (live.length > 0); const first = candidates[0]!;',
      says: 'the policy read its context more than 10000 times in one call',
    },
  },
};

interface ReportJson {
  readonly cells: readonly { readonly variant: string; readonly metrics: Readonly<Record<string, number>> }[];
}

const fileOf = (mechanism: string) => join(ROOT, `libs/mechanisms/${mechanism}/src/examples/my-idea.ts`);

function runOf({ scenario, set, merged }: Example, file: string, variants: string): string[] {
  const sets = [...set].flatMap((assignment) => ['--set', assignment]);
  const out = ['--out', join(folder, merged)];
  return [
    'run',
    scenario,
    ...sets,
    '--variants',
    variants,
    '--variant',
    file,
    '--replications',
    '1',
    '--quiet',
    ...out,
  ];
}

test('every mechanism that a variant can be brought to has an example here', () => {
  const named = [...mechanisms.values()].filter(({ ideas }) => ideas !== undefined).map(({ name }) => name);
  expect(Object.keys(EXAMPLES).toSorted()).toEqual(named.toSorted());
});

// Each test is two short processes; the limit is for machines that do other work as well.
describe.each(Object.entries(EXAMPLES))('%s', { timeout: 120_000 }, (mechanism, example) => {
  const text = readFileSync(fileOf(mechanism), 'utf8');
  const id = /id: '(\w+)'/.exec(text)![1]!;

  test('its example runs beside the merged design and is better where it says so', async () => {
    const { merged, metric } = example;
    const { code, stdout } = await kwb([...runOf(example, fileOf(mechanism), `${merged},${id}`), '--json', '-']);
    expect(code).toBe(0);
    const { cells } = JSON.parse(stdout) as ReportJson;
    expect(cells.map(({ variant }) => variant)).toEqual([merged, id]);
    expect(cells[1]!.metrics[metric]).toBeLessThan(cells[0]!.metrics[metric]!);
  });

  test('what its kernel forbids is said with the line of the file', async () => {
    const { from, to, says } = example.wrong;
    expect(text).toContain(from);
    const file = join(folder, `${mechanism}.ts`);
    writeFileSync(file, text.replace(from, to));
    const { code, stdout } = await kwb(runOf(example, file, id));
    expect([107, 112]).toContain(code);
    expect(stdout).toContain(says);
    const place = new RegExp(`${mechanism}\\.ts:(\\d+)`).exec(stdout);
    expect(Number(place?.[1])).toBe(text.slice(0, text.indexOf(from)).split('\n').length);
  });
});
