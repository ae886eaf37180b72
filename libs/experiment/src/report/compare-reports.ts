// Two runs side by side: is HEAD worse than BASE? Cells are matched by variant and sweep point. Where both runs used the
// same seeds the values are pairs; otherwise they are independent samples. A regression is a metric that is worse beyond
// noise and by at least the stated effect. Only some metrics are gated, by default those of the summary: the more
// that are, the more false alarms. The others are listed and have no say.
import { z } from 'zod';
import { ExitCode } from '../exit-codes.js';
import { API_VERSION } from '../scenario/schema.js';
import { MIN_SAMPLES_FOR_INTERVAL } from '../statistics.js';
import { independentContrast, judgeContrasts, pairedContrast, type Contrast } from './contrast.js';
import { samePoint } from './groups.js';
import { comparison, point, type Report } from './schema.js';

const side = z.object({
  name: z.string().describe('What was compared, as it was named'),
  scenario: z.string(),
  modelVersion: z.int(),
  version: z.string(),
  commit: z.string().nullable(),
  startedAt: z.string().optional(),
});

export const comparisonReportSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Comparison'),
  verdict: z
    .enum(['regression', 'within noise', 'changed', 'too few replications'])
    .describe('changed: beyond noise and effect, but not for the worse'),
  effect: z.number().describe('Smallest relative change that counts'),
  base: side,
  head: side,
  constants: z
    .array(
      z.object({ profile: z.string(), name: z.string(), base: z.number().nullable(), head: z.number().nullable() }),
    )
    .describe('Constants with which the runs differ'),
  unmatched: z.array(z.object({ variant: z.string(), point, in: z.enum(['base', 'head']) })),
  entries: z.array(
    comparison.omit({ baseline: true }).extend({
      unit: z.string(),
      gated: z.boolean().describe('Whether a change for the worse is a regression'),
      beyondEffect: z.boolean(),
      regression: z.boolean(),
    }),
  ),
});

export type ComparisonReport = z.output<typeof comparisonReportSchema>;
type Entry = ComparisonReport['entries'][number];
type CellValues = Report['cells'][number];

export interface CompareOptions {
  /** Smallest relative change that counts, e.g. 0.05. */
  readonly effect: number;
  /** Metrics that are gated; the default are those of the summary. */
  readonly metrics?: readonly string[];
  readonly baseName: string;
  readonly headName: string;
}

export function compareReports(base: Report, head: Report, options: CompareOptions): ComparisonReport {
  const { effect } = options;
  const heads = groupCells(head);
  const bases = groupCells(base);
  const matched = heads.flatMap((group) => {
    const other = bases.find((candidate) => isSameGroup(candidate, group));
    return other ? [{ base: other, head: group }] : [];
  });
  const metrics = head.metrics.filter(({ name }) => base.metrics.some((metric) => metric.name === name));
  const gates = options.metrics ?? head.headline;
  const contrasts = matched.flatMap((pair) =>
    metrics.map((metric) => ({
      group: pair.head,
      metric,
      gated: gates.includes(metric.name),
      contrast: contrastOf(pair.base.cells, pair.head.cells, metric.name),
    })),
  );
  // Two families, so that what is only shown does not weaken what is judged.
  const families = [true, false].map((gated) => contrasts.filter((contrast) => contrast.gated === gated));
  const entries = families.flatMap(judgeContrasts).map(({ made: { group, metric, gated }, entry }): Entry => {
    const beyondEffect = isBeyond(entry, effect);
    const regression = gated && entry.verdict === 'worse' && beyondEffect;
    const { variant, point: at } = group;
    return { variant, point: at, ...entry, unit: metric.unit, gated, beyondEffect, regression };
  });
  return {
    apiVersion: API_VERSION,
    kind: 'Comparison',
    verdict: verdictOf(entries),
    effect,
    base: sideOf(base, options.baseName),
    head: sideOf(head, options.headName),
    constants: changedConstants(base, head),
    unmatched: [...unmatched(bases, heads, 'base'), ...unmatched(heads, bases, 'head')],
    entries,
  };
}

export function comparisonExitCode({ verdict }: ComparisonReport): ExitCode {
  if (verdict === 'regression') return ExitCode.RegressionFound;
  // Nothing could be judged: that is no pass.
  return verdict === 'too few replications' ? ExitCode.BadScenario : ExitCode.Passed;
}

interface CellGroup {
  readonly variant: string;
  readonly point: Report['cells'][number]['point'];
  readonly cells: CellValues[];
}

function groupCells({ cells }: Report): CellGroup[] {
  const groups = new Map<string, CellGroup>();
  for (const cell of cells) {
    const key = JSON.stringify([cell.variant, Object.entries(cell.point).toSorted()]);
    const group = groups.get(key) ?? { variant: cell.variant, point: cell.point, cells: [] };
    group.cells.push(cell);
    groups.set(key, group);
  }
  return [...groups.values()];
}

const isSameGroup = (a: CellGroup, b: CellGroup) => a.variant === b.variant && samePoint(a.point, b.point);

function contrastOf(base: readonly CellValues[], head: readonly CellValues[], metric: string): Contrast {
  const bySeed = new Map(head.map((cell) => [cell.seed, cell.metrics[metric]!]));
  const pairs = base.flatMap(({ seed, metrics }) =>
    bySeed.has(seed) ? [[metrics[metric]!, bySeed.get(seed)!] as const] : [],
  );
  // A few shared seeds among many others would throw most of the values away.
  if (pairs.length >= MIN_SAMPLES_FOR_INTERVAL || pairs.length === Math.min(base.length, head.length)) {
    return pairedContrast(pairs);
  }
  return independentContrast(
    base.map((cell) => cell.metrics[metric]!),
    head.map((cell) => cell.metrics[metric]!),
  );
}

/** A change from 0 has no relative size: any that is beyond noise counts. */
function isBeyond(
  { verdict, relative, difference }: { verdict: string; relative: number | null; difference: number },
  effect: number,
) {
  if (verdict === 'within noise' || verdict === 'too few replications') return false;
  return relative === null ? difference !== 0 : Math.abs(relative) >= effect;
}

function verdictOf(entries: readonly Entry[]): ComparisonReport['verdict'] {
  if (entries.some(({ regression }) => regression)) return 'regression';
  if (entries.filter(({ gated }) => gated).every(({ verdict }) => verdict === 'too few replications'))
    return 'too few replications';
  return entries.some(({ gated, beyondEffect }) => gated && beyondEffect) ? 'changed' : 'within noise';
}

function sideOf({ scenario, modelVersion, provenance }: Report, name: string): ComparisonReport['base'] {
  const { version, commit, startedAt } = provenance;
  return { name, scenario, modelVersion, version, commit, ...(startedAt !== undefined && { startedAt }) };
}

function changedConstants(base: Report, head: Report): ComparisonReport['constants'] {
  const valuesOf = (report: Report) =>
    new Map(
      report.profiles.flatMap(({ id, constants }) =>
        constants.map(({ name, value }) => [JSON.stringify([id, name]), value] as const),
      ),
    );
  const [before, after] = [valuesOf(base), valuesOf(head)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => {
      const [profile, name] = JSON.parse(key) as [string, string];
      return { profile, name, base: before.get(key) ?? null, head: after.get(key) ?? null };
    });
}

const unmatched = (groups: readonly CellGroup[], others: readonly CellGroup[], where: 'base' | 'head') =>
  groups
    .filter((group) => !others.some((other) => isSameGroup(other, group)))
    .map(({ variant, point: at }) => ({ variant, point: at, in: where }));
