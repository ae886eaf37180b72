// The rows of patch 8 as figures: what is fitted, how far a row may be off, and which have a say in the verdict.
//
// Fitted are the rows of 128 GiB with 32k and 128k pages of cache (memory bandwidth, speed of a worker) and those without
// a cache (how fast a woken writer is, against the next reader; on the EPYC the former tell that as well); all others are
// predicted. Not gated are rows whose base of 0.1 to 0.6 s was published with one digit, and the THP guest of 16 GiB on the
// Xeon, where something constant of about 0.15 s is at work that nobody has explained.
import type { PublishedFigure } from '@kworkbench/mechanism';
import { epycPins } from './epyc-7j13.js';
import { type PinTable, THREADS } from './pin-table.js';
import { xeonPins } from './xeon-8167m.js';

const PATCH_8 = 'patch 8, 20220106004656.126790-9';

/**
 * Per row. Neighbouring rows of the EPYC differ by as much as a half (4.3, 2.8, 3.0, 3.6), so single rows say little: what is
 * asked of the means of the tables is a spec (published-tables.spec.ts).
 */
const toleranceOf = ({ profile, prefaulted }: PinTable, cache: number): number => {
  if (cache === 0) return 0.3;
  if (profile === 'epyc-7j13') return 0.55;
  return prefaulted ? 0.35 : 0.15;
};

/** Something constant of about 0.15 s that nobody has explained. */
const unexplained = ({ profile, pages, guestGib }: PinTable): boolean =>
  profile === 'xeon-8167m' && pages === 'thp' && guestGib === 16;

/** Whether a row has a say in the verdict. */
function isGated(table: PinTable, cache: number): boolean {
  if (unexplained(table)) return false;
  if (!table.prefaulted) return true;
  return table.profile === 'xeon-8167m' && (table.guestGib === 128 || cache === 0);
}

const isFitted = ({ guestGib }: PinTable, cache: number): boolean =>
  cache === 0 || (guestGib === 128 && cache !== 65_536);

const UNDISTURBED = {
  'workload.jobs': 1,
  'workload.neighbours': 0,
  'workload.memoryHogs': 0,
  'workload.quota': 0,
  'workload.parentQuota': 0,
  'workload.affinity': 0,
  'workload.offlineCpus': 0,
  'workload.errorPages': '',
  'workload.killAfter': 0,
  'workload.lockLimit': 0,
  'workload.memoryLimit': 0,
} as const;

const requiresOf = (
  { profile, pages, prefaulted, guestGib }: PinTable,
  maxThreads: number,
): PublishedFigure['requires'] => ({
  'machine.profile': profile,
  'workload.kind': 'pin',
  'workload.pages': pages,
  'workload.prefaulted': prefaulted,
  'workload.guest': guestGib * 2 ** 30,
  'workload.maxThreads': maxThreads,
  ...UNDISTURBED,
});

/** What the ids of a table's rows begin with. */
export const nameOf = ({ profile, pages, prefaulted, guestGib }: PinTable): string =>
  `${profile === 'xeon-8167m' ? 'xeon' : 'epyc'}-${pages}-${prefaulted ? 'prefaulted' : 'cold'}-${guestGib}g`;

function speedup(table: PinTable, cache: number, threads: number, expected: number): PublishedFigure {
  const name = nameOf(table);
  return {
    id: `${name}-c${cache}-t${threads}`,
    title: `${name.replaceAll('-', ' ')}, cache ${cache}, ${threads} threads: speedup`,
    source: PATCH_8,
    variant: 'parallel',
    metric: 'speedup_ratio',
    expected,
    low: expected * (1 - toleranceOf(table, cache)),
    high: expected * (1 + toleranceOf(table, cache)),
    basis: isFitted(table, cache) ? 'fitted' : 'predicted',
    gated: isGated(table, cache),
    requires: { ...requiresOf(table, threads), 'kernel.cachePages': cache },
  };
}

/** Cold only: with prefaulted memory QEMU's own prefaulting is nearly all of its start, and it was given to the model. */
function starts(table: PinTable): PublishedFigure[] {
  if (table.prefaulted) return [];
  const requires = { ...requiresOf(table, 16), 'workload.kind': 'guestStart' };
  const common = { source: PATCH_8, metric: 'guest_start_seconds', gated: !unexplained(table), requires } as const;
  const within = (expected: number, by: number) => ({ expected, low: expected * (1 - by), high: expected * (1 + by) });
  const name = nameOf(table);
  const parallel = table.initSeconds / table.initSpeedup;
  return [
    {
      ...common,
      id: `${name}-start-single`,
      title: `${name.replaceAll('-', ' ')}: QEMU's start, one thread`,
      variant: 'single',
      basis: 'input',
      ...within(table.initSeconds, 0.1),
    },
    {
      ...common,
      id: `${name}-start`,
      title: `${name.replaceAll('-', ' ')}: QEMU's start, 16 threads`,
      variant: 'parallel',
      basis: 'predicted',
      ...within(parallel, table.guestGib === 128 ? 0.15 : 0.3),
    },
  ];
}

function base(table: PinTable): PublishedFigure {
  const name = nameOf(table);
  // One digit after the point is published.
  const slack = 0.05 * table.pinSeconds + 0.05;
  return {
    id: `${name}-base`,
    title: `${name.replaceAll('-', ' ')}: pin by one thread`,
    source: PATCH_8,
    variant: 'single',
    metric: 'job_seconds',
    expected: table.pinSeconds,
    low: table.pinSeconds - slack,
    high: table.pinSeconds + slack,
    basis: 'input',
    gated: table.guestGib === 128 && !(table.prefaulted && table.profile === 'epyc-7j13'),
    requires: { ...requiresOf(table, 16) },
  };
}

export const pinFigures: readonly PublishedFigure[] = [...xeonPins, ...epycPins].flatMap((table) => [
  base(table),
  ...starts(table),
  ...Object.entries(table.speedups).flatMap(([cache, row]) =>
    row.map((expected, i) => speedup(table, Number(cache), THREADS[i]!, expected)),
  ),
]);
