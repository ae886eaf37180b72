// Variants side by side on a terminal: a row per variant and point, the headline metrics as columns.
import { formatPercent, metricLabel } from './format.js';
import type { Axis } from './readable.js';
import type { Report } from './schema.js';
import { fittingColumns, table, type Style } from './table.js';
import { scalarText, show, spread, unitOf } from './words.js';

type Entry = Report['summary'][number];

/** Half-widths below this are not shown: they would be noise in the table, not about the noise. */
const LEAST_SIDE = 0.005;
/** Rows of a large sweep, both ends among them. */
const MAX_ROWS = 100;

interface Column {
  readonly stem: string;
  readonly title: string;
  readonly metrics: readonly string[];
}

/** Headline metrics as columns; neighbours that differ in their percentile alone share one (`p50 / p99`). */
function headlineColumns(report: Report): Column[] {
  const columns: Column[] = [];
  for (const name of report.headline) {
    const percentile = /_(p\d+)_/.exec(name)?.[1];
    const stem = percentile ? name.replace(`_${percentile}_`, '_*_') : name;
    const last = columns.at(-1);
    if (percentile && last?.stem === stem) {
      columns.splice(-1, 1, { stem, title: `${last.title} / ${percentile}`, metrics: [...last.metrics, name] });
    } else columns.push({ stem, title: metricLabel(name, unitOf(report, name)), metrics: [name] });
  }
  return columns;
}

export function variantTable(report: Report, axes: readonly Axis[], paint: Style, width: number): string {
  // Each variant has a search of its own: its steps stay together.
  const searches = report.find.length > 0;
  const points = Map.groupBy(report.summary, ({ variant, point }) =>
    JSON.stringify(searches ? [variant, point] : point),
  );
  if (points.size === 0) return '';
  const perPoint = searches ? 1 : Math.max(1, report.variants.length);
  const shown = spread([...points.values()], Math.max(2, Math.floor(MAX_ROWS / perPoint)));
  // Besides the axes, the parameter of a search has values that differ.
  const paths = Object.keys(report.summary[0]!.point);
  const columns = headlineColumns(report);
  const rows = shown.flatMap((entries) =>
    [...Map.groupBy(entries, ({ variant }) => variant)].map(([variant, own]) => [
      variant,
      ...paths.map((path) => scalarText(own[0]!.point[path]!)),
      ...columns.map(({ metrics }) => metrics.map((metric) => medianText(report, own, metric)).join(' / ')),
    ]),
  );
  const head = ['variant', ...paths, ...columns.map(({ title }) => title)];
  const text = table([head, ...rows], paint, width);
  const left = head.slice(fittingColumns([head, ...rows], width));
  const notes = [
    ...(left.length > 0 ? [`too wide for ${width} columns: ${left.join(', ')}`] : []),
    ...(text.includes('±') ? [`medians of n=${report.summary[0]!.n}; ± is the wider side of the 95 % interval`] : []),
    ...(shown.length < points.size && axes.length > 0
      ? [`${shown.length} of ${points.size} points; all are in the report`]
      : []),
  ];
  return [text, ...notes.map((note) => paint.dim(note))].join('\n');
}

/** The median, and the wider side of its 95 % interval where that is not next to nothing. */
function medianText(report: Report, entries: readonly Entry[], metric: string): string {
  const { median, low, high } = entries.find((entry) => entry.metric === metric)!;
  const text = show(report, metric, median);
  if (low === null || high === null || median === 0) return text;
  const side = Math.max(high - median, median - low) / Math.abs(median);
  // More than the median itself is no plus or minus: replications fell into two kinds.
  if (side >= 1 && high > 0) return `${text} (up to ${show(report, metric, high)})`;
  return side < LEAST_SIDE ? text : `${text} ±${formatPercent(side).replace('+', '')}`;
}
