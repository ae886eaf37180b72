// Paired differences on the page: of a sweep a row per point, with the metrics that tell the variants apart as columns,
// and everything with its tests folded below; else one below the other.
import { formatNumber, formatPercent, metricLabel } from '../format.js';
import { changeText, correctionNote } from '../render-differences.js';
import { isSmall, standOut } from '../stand-out.js';
import { named, scalarText, show, unitOf } from '../words.js';
import type { Report } from '../schema.js';
import { htmlTable, markup, type Markup } from './markup.js';
import { MAX_ROWS, more, type Section } from './tables.js';

type Entry = Report['comparisons'][number];

/** Points from which on one list of all differences is too long to be read. */
const MANY_POINTS = 3;

export function differenceSection(report: Report): Section[] {
  const known = report.comparisons.filter(({ low, metric }) => low !== null && report.headline.includes(metric));
  if (known.length === 0) return [];
  const points = new Set(known.map(({ point }) => JSON.stringify(point))).size;
  const all = fullTable(report, known);
  const body =
    points < MANY_POINTS
      ? all
      : markup`${byPoint(report, known)}<details><summary>All of them, with effect sizes and tests</summary>${all}</details>`;
  const notes = correctionNote(known).map((note) => markup`<p class="soft">${note}.</p>`);
  return [{ id: 'differences', title: 'Paired differences', body: markup`${body}${notes}` }];
}

function byPoint(report: Report, entries: readonly Entry[]): Markup {
  const { loud, small, quiet } = standOut(report);
  const groups = Map.groupBy(entries, ({ variant, baseline, point }) => JSON.stringify([variant, baseline, point]));
  const paths = Object.keys(entries[0]!.point);
  const rows = [...groups.values()].slice(0, MAX_ROWS).map((own) => [
    `${own[0]!.variant} less ${own[0]!.baseline}`,
    ...paths.map((path) => scalarText(own[0]!.point[path]!)),
    ...loud.map((metric) =>
      changeCell(
        report,
        own.find((entry) => entry.metric === metric),
      ),
    ),
  ]);
  const label = (metric: string) => metricLabel(metric, unitOf(report, metric));
  const notes = [
    [`Within noise at every point`, quiet] as const,
    [`Less than 1 % at every point`, small] as const,
  ].filter(([, metrics]) => metrics.length > 0);
  return markup`${loud.length > 0 && htmlTable('Paired differences by point', ['difference', ...paths, ...loud.map(label)], rows)}${more(groups.size - rows.length)}
    <p class="soft">Medians of n=${entries[0]!.n} paired changes; ± is the wider side of the 95 % interval, in percentage points; below it the interval of the difference.</p>
    ${notes.map(([what, metrics]) => markup`<p class="soft">${what}: ${metrics.map(label).join(', ')}.</p>`)}`;
}

function changeCell(report: Report, entry: Entry | undefined): string | Markup {
  if (!entry) return '';
  const { metric, low, high, verdict } = entry;
  if (verdict === 'within noise') return markup`<span class="soft">within noise</span>`;
  const interval = markup`<span class="interval"> ${show(report, metric, low!)} to ${show(report, metric, high!)}</span>`;
  return markup`<span class="${lookOf(entry)}">${changeText(report, entry)}${verdict !== 'different' && ` ${verdict}`}</span>${interval}`;
}

function fullTable(report: Report, entries: readonly Entry[]): Markup {
  const rows = entries
    .slice(0, MAX_ROWS)
    .map((entry) => [
      `${named(entry.variant, entry.point)} less ${entry.baseline}`,
      metricLabel(entry.metric, unitOf(report, entry.metric)),
      show(report, entry.metric, entry.difference),
      entry.relative === null ? '' : formatPercent(entry.relative),
      `${show(report, entry.metric, entry.low!)} to ${show(report, entry.metric, entry.high!)}`,
      String(entry.n),
      entry.delta === undefined ? '' : formatNumber(entry.delta),
      entry.pAdjusted === undefined ? '' : formatNumber(entry.pAdjusted),
      markup`<span class="${lookOf(entry)}">${entry.verdict}</span>`,
    ]);
  const title = ['difference', 'metric', 'median', 'relative', '95 % interval', 'n', "Cliff's delta", 'p (Holm)', ''];
  return markup`${htmlTable('Paired differences', title, rows)}${more(entries.length - rows.length)}`;
}

/** Green and red are for what is of consequence. */
function lookOf(entry: Entry): string {
  if (entry.verdict === 'better' && !isSmall(entry)) return 'good';
  return entry.verdict === 'worse' && !isSmall(entry) ? 'bad' : 'verdict';
}
