// A comparison of two runs on a terminal. Only what left the noise is listed, each with its interval and its n.
import { formatNumber, formatPercent, formatQuantity } from './format.js';
import type { ComparisonReport } from './compare-reports.js';
import type { RenderOptions } from './render.js';
import { style, table, type Style } from './table.js';
import { named } from './words.js';

type Entry = ComparisonReport['entries'][number];

/** The rest is in the JSON. */
const MAX_LISTED = 40;

export function renderComparison(comparison: ComparisonReport, { color = false }: RenderOptions = {}): string {
  const paint = style(color);
  const sections = [head(comparison, paint), notes(comparison), changes(comparison, paint), verdict(comparison, paint)];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function head({ base, head: other }: ComparisonReport, paint: Style): string {
  const lines = [base, other].map(({ name, commit, modelVersion, startedAt }, i) => {
    const facts = [`model ${modelVersion}`, commit?.slice(0, 12) ?? 'no commit', startedAt ?? ''];
    return [['base', 'head'][i]!, name, facts.filter((fact) => fact !== '').join(', ')];
  });
  return table([[paint.bold(other.scenario), '', ''], ...lines], paint);
}

function notes({ constants, unmatched }: ComparisonReport): string {
  const shown = (value: number | null) => (value === null ? 'nothing' : String(value));
  return [
    ...constants.map(({ name, base, head: other }) => `${name}: ${shown(base)} in base, ${shown(other)} in head`),
    ...unmatched.map(({ variant, point, in: where }) => `only in ${where}: ${named(variant, point)}`),
  ].join('\n');
}

function changes({ entries }: ComparisonReport, paint: Style): string {
  const left = entries.filter(({ verdict: word }) => word !== 'within noise' && word !== 'too few replications');
  if (left.length === 0) return '';
  const order = ({ regression, gated, beyondEffect }: Entry) =>
    regression ? 0 : (gated ? 1 : 3) + (beyondEffect ? 0 : 1);
  const listed = left.toSorted((a, b) => order(a) - order(b)).slice(0, MAX_LISTED);
  const rows = listed.map((entry) => [
    entry.metric,
    named(entry.variant, entry.point),
    formatQuantity(entry.baselineMedian, entry.unit),
    formatQuantity(entry.median, entry.unit),
    entry.relative === null ? 'from 0' : formatPercent(entry.relative),
    `${formatQuantity(entry.low!, entry.unit)} to ${formatQuantity(entry.high!, entry.unit)}`,
    `n=${entry.n}`,
    word(entry, paint),
  ]);
  const title = ['metric', 'variant', 'base', 'head', 'change', '95 % interval of the difference', '', ''];
  const text = table([title, ...rows], paint);
  return listed.length < left.length ? `${text}\n${left.length - listed.length} more are in the JSON.` : text;
}

function word({ verdict: found, gated, beyondEffect, regression }: Entry, paint: Style): string {
  if (regression) return paint.red(`${found}: REGRESSION`);
  if (!beyondEffect) return `${found}, too little to count`;
  if (!gated) return `${found}, not gated`;
  return found === 'better' ? paint.green(found) : found;
}

function verdict({ verdict: found, entries: all, effect }: ComparisonReport, paint: Style): string {
  const entries = all.filter(({ gated }) => gated);
  const quiet = entries.filter(({ verdict: each }) => each === 'within noise').length;
  const counted = `${quiet} of ${entries.length} comparisons are within noise`;
  const small = entries.filter(({ verdict: each, beyondEffect }) => each !== 'within noise' && !beyondEffect).length;
  const below = small > 0 ? `, ${small} below the effect of ${formatNumber(effect * 100)} %` : '';
  switch (found) {
    case 'regression':
      return `${paint.red('REGRESSION')}  ${worst(entries)}; ${counted}${correctionNote(entries)}`;
    case 'within noise':
      return `${paint.green('WITHIN NOISE')}  ${counted}${below}${correctionNote(entries)}`;
    case 'changed': {
      const better = entries.filter(({ verdict: each, beyondEffect }) => each === 'better' && beyondEffect).length;
      const gain = better > 0 ? `, ${better} better` : '';
      return `${paint.green('NO REGRESSION')}  ${counted}${below}${gain}${correctionNote(entries)}`;
    }
    case 'too few replications':
      return `${paint.red('NOT JUDGED')}  a comparison needs at least three replications on both sides`;
  }
}

/** The largest of the regressions in words. */
function worst(entries: readonly Entry[]): string {
  const found = entries.filter(({ regression }) => regression);
  const size = ({ relative }: Entry) => (relative === null ? Infinity : Math.abs(relative));
  const [largest] = found.toSorted((a, b) => size(b) - size(a));
  const { metric, variant, point, relative } = largest!;
  const by = relative === null ? 'is no longer 0' : `is ${formatPercent(Math.abs(relative)).replace('+', '')} worse`;
  const more = found.length > 1 ? `, and ${found.length - 1} more` : '';
  return `${metric} of ${named(variant, point)} ${by}${more}`;
}

function correctionNote(entries: readonly Entry[]): string {
  const uncorrected = entries.some(({ corrected }) => corrected === false);
  return uncorrected && entries.some(({ verdict: each }) => each !== 'within noise')
    ? '\nToo few replications for a correction over all comparisons: single findings may be chance.'
    : '';
}
