// The published tables as means over their rows with a cache, which cost little, and the small guests without one; those of
// 128 GiB without a cache are in the scenario padata-vfio-pin.
import type { PublishedFigure } from '@kworkbench/mechanism';
import { describe, expect, it } from 'vitest';
import { published } from './published.js';
import { run } from './testing/cells.js';

/** Rows of tables whose ids begin so, without those that the specification calls unexplained. */
function rowsOf(prefix: RegExp): readonly PublishedFigure[] {
  return published.filter(({ id }) => prefix.test(id) && /-c[1-9]\d+-t\d+$/.test(id) && !/^xeon-thp-\w+-16g/.test(id));
}

/** Rows without a cache of guests that take little time, without those that the specification calls unexplained. */
function rowsWithoutCache(prefix: RegExp): readonly PublishedFigure[] {
  return published.filter(
    ({ id, gated }) => prefix.test(id) && /-(?:16g|prefaulted-128g)-c0-t\d+$/.test(id) && gated !== false,
  );
}

function errorOf({ requires, expected }: PublishedFigure): number {
  const workload = Object.fromEntries(
    Object.entries(requires).flatMap(([path, value]) => (path.startsWith('workload.') ? [[path.slice(9), value]] : [])),
  );
  const profile = String(requires['machine.profile']);
  const { metrics } = run({ profile, kernel: { cachePages: Number(requires['kernel.cachePages']) }, workload });
  return Math.abs(metrics['speedup_ratio']! / expected - 1);
}

describe('rows with a cache', () => {
  it.each([
    ['the Xeon, cold', /^xeon-\w+-cold/, 36, 0.07],
    ['the EPYC, cold', /^epyc-\w+-cold/, 48, 0.13],
    ['the Xeon, prefaulted', /^xeon-\w+-prefaulted/, 36, 0.15],
  ])(
    'of %s have a mean absolute error within what was asked for',
    (_what, prefix, count, most) => {
      const rows = rowsOf(prefix);
      expect(rows).toHaveLength(count);
      const mean = rows.reduce((sum, row) => sum + errorOf(row), 0) / rows.length;
      expect(mean).toBeLessThan(most);
    },
    120_000,
  );
});

describe('rows without a cache', () => {
  it.each([
    ['the Xeon, cold', /^xeon-\w+-cold/, 4],
    ['the Xeon, prefaulted', /^xeon-\w+-prefaulted/, 12],
    ['the EPYC, cold', /^epyc-\w+-cold/, 8],
  ])(
    'of %s are within 30 %% each',
    (_what, prefix, count) => {
      const rows = rowsWithoutCache(prefix);
      expect(rows).toHaveLength(count);
      const off = rows.map((row) => [row.id, errorOf(row)] as const).filter(([, error]) => error > 0.3);
      expect(off).toEqual([]);
    },
    120_000,
  );
});
