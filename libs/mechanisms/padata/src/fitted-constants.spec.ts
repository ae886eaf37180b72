// How many constants were fitted: to the rows of each machine and kind of pages, and of all that were fitted to anything
// those that act on a pin of such pages: it takes another time with another value of them.
import type { CostProfile } from '@kworkbench/mechanism';
import { describe, expect, it } from 'vitest';
import { padataDefinitions } from './constants.js';
import type { FittedTo, MachineKey } from './page-kind-constants.js';
import { profiles } from './profiles.js';
import { run } from './testing/cells.js';

const FITTED_MOST = 5;

/** Names of the constants that were fitted to these rows, whatever they act on; what THP takes from hugetlb is one with it. */
function fittedTo(machine: MachineKey, kind: FittedTo): string[] {
  return padataDefinitions
    .filter(({ xeon, epyc }) => (machine === 'epyc' ? (epyc ?? xeon) : xeon)[3] === kind)
    .map(({ name }) => name)
    .filter((name) => kind !== 'cold hugetlb' || !name.startsWith('thpCold'));
}

const GUEST = 6 * 2 ** 30;
const CELLS = [
  { cachePages: 0, maxThreads: 8 },
  { cachePages: 0, maxThreads: 32 },
  { cachePages: 4096, maxThreads: 32 },
] as const;

function fittedOf(id: string): CostProfile['constants'] {
  return profiles.find((profile) => profile.id === id)!.constants.filter(({ basis }) => basis === 'fitted');
}

function pins(profile: string, pages: string, prefaulted: boolean, constants: Record<string, number>): number[] {
  return CELLS.map(({ cachePages, maxThreads }) => {
    const workload = { guest: GUEST, minChunk: 16 * 2 ** 20, pages, prefaulted, maxThreads };
    return run({ profile, constants, kernel: { cachePages }, workload }).metrics['job_seconds']!;
  });
}

function fittedThatActOn(profile: string, pages: string, prefaulted: boolean): string[] {
  const asItIs = pins(profile, pages, prefaulted, {});
  return fittedOf(profile)
    .filter(({ name, value }) =>
      pins(profile, pages, prefaulted, { [name]: 0.8 * value }).some((seconds, i) => seconds !== asItIs[i]),
    )
    .map(({ name }) => name);
}

describe('constants that were fitted', () => {
  it.each<[FittedTo, MachineKey, number]>([
    ['cold hugetlb', 'xeon', 3],
    ['cold THP', 'xeon', 0],
    ['prefaulted hugetlb', 'xeon', 3],
    ['prefaulted THP', 'xeon', 3],
    ['cold hugetlb', 'epyc', 5],
    ['cold THP', 'epyc', 0],
    ['prefaulted hugetlb', 'epyc', 1],
    ['prefaulted THP', 'epyc', 2],
  ])('to rows of %s on the %s are %i', (kind, machine, count) => {
    expect(fittedTo(machine, kind)).toHaveLength(count);
    expect(count).toBeLessThanOrEqual(FITTED_MOST);
  });

  it.each([
    ['xeon-8167m', 'hugetlb', false],
    ['xeon-8167m', 'hugetlb', true],
    ['xeon-8167m', 'thp', false],
    ['xeon-8167m', 'thp', true],
    ['epyc-7j13', 'hugetlb', false],
    ['epyc-7j13', 'hugetlb', true],
    ['epyc-7j13', 'thp', false],
    ['epyc-7j13', 'thp', true],
  ])(
    'of %s that act on pins of %s (prefaulted: %s) are five at most',
    (profile, pages, prefaulted) => {
      const names = fittedThatActOn(profile, pages, prefaulted);
      // Every kind has at least what a worker of several reaches: a count of none would be a spec that sees nothing.
      expect(names).toContain(`${pages}${prefaulted ? 'Prefaulted' : 'Cold'}WorkerSpeedRatio`);
      expect(names.slice(FITTED_MOST)).toEqual([]);
    },
    120_000,
  );

  it.each(['xeon-8167m', 'epyc-7551-kvm', 'zen-kvm-4cpu'])(
    'of %s that act on deferred page init are five at most',
    (id) => {
      const workload = { kind: 'deferredInit', guest: 4 * 2 ** 30, maxThreads: 4 };
      const seconds = (constants: Record<string, number>): number =>
        run({ profile: id, variant: 'boot-only', constants, workload }).metrics['job_seconds']!;
      const asItIs = seconds({});
      const names = fittedOf(id).flatMap(({ name, value }) =>
        seconds({ [name]: 0.8 * value }) === asItIs ? [] : [name],
      );
      expect(names).toContain('structPageWorkerSpeedRatio');
      expect(names.slice(FITTED_MOST)).toEqual([]);
    },
  );
});
