// Paired differences on a terminal: one below the other with their intervals while they are few; of a sweep, a row per
// point and the headline metrics as columns. A difference without an interval is never shown.
import { formatPercent, metricLabel } from './format.js';
import type { Report } from './schema.js';
import { table, type Style } from './table.js';
import { named, pointText, scalarText, show, spread, unitOf } from './words.js';

type Entry = Report['comparisons'][number];

/** Differences and points that are listed one below the other. */
const MAX_LISTED = 24;
const MAX_LISTED_POINTS = 2;
/** A metric that differs by less than this everywhere needs no column: the width is for those that do. */
const SMALL = 0.01;
/** Rows of a large sweep, both ends among them. */
const MAX_ROWS = 48;

export function differences(report: Report, paint: Style, width: number): string {
  const headline = report.comparisons.filter(({ metric }) => report.headline.includes(metric));
  if (headline.length === 0) return '';
  const known = headline.filter(({ low, high }) => low !== null && high !== null);
  if (known.length === 0) {
    return `Too few replications (n=${headline[0]!.n}) to tell a difference from noise: three are needed, five are better.`;
  }
  const points = new Set(known.map(({ point }) => pointText(point))).size;
  const few = known.length <= MAX_LISTED && points <= MAX_LISTED_POINTS;
  const text = few ? listed(report, known, paint) : byPoint(report, known, paint, width);
  const left = headline.length - known.length;
  return left === 0 ? text : `${text}\n${left} more have too few replications.`;
}

function listed(report: Report, entries: readonly Entry[], paint: Style): string {
  const rows = entries.map((entry) => {
    const label = `${named(entry.variant, entry.point)} - ${entry.baseline}: ${metricLabel(entry.metric, unitOf(report, entry.metric))}`;
    return [
      label,
      `${entry.difference > 0 ? '+' : ''}${show(report, entry.metric, entry.difference)}`,
      entry.relative === null ? '' : formatPercent(entry.relative),
      `${show(report, entry.metric, entry.low!)} to ${show(report, entry.metric, entry.high!)}`,
      `n=${entry.n}`,
      painted(entry.verdict, entry.verdict, paint),
    ];
  });
  return table([['paired difference', 'median', '', '95 % interval', '', ''], ...rows], paint);
}

function byPoint(report: Report, entries: readonly Entry[], paint: Style, width: number): string {
  const loud = new Set(entries.filter(({ verdict }) => verdict !== 'within noise').map(({ metric }) => metric));
  const ofHeadline = report.headline.filter((metric) => entries.some((entry) => entry.metric === metric));
  const quiet = ofHeadline.filter((metric) => !loud.has(metric));
  const isSmall = (metric: string) =>
    entries.every((entry) => entry.metric !== metric || (entry.relative !== null && Math.abs(entry.relative) < SMALL));
  const small = ofHeadline.filter((metric) => loud.has(metric) && isSmall(metric));
  const metrics = ofHeadline.filter((metric) => loud.has(metric) && !isSmall(metric));
  const labels = (names: readonly string[]) => names.map((name) => metricLabel(name, unitOf(report, name))).join(', ');
  const all = [
    ...Map.groupBy(entries, ({ variant, baseline, point }) => `${variant} - ${baseline} ${pointText(point)}`).values(),
  ];
  const notes = [
    ...(quiet.length > 0 ? [`within noise at every point: ${labels(quiet)}`] : []),
    ...(small.length > 0 ? [`less than 1 % at every point: ${labels(small)}`] : []),
    `all ${report.comparisons.length} paired differences, with their intervals, are in the report`,
  ];
  if (metrics.length === 0) return notes.join('\n');
  const shown = spread(all, MAX_ROWS);
  const paths = Object.keys(entries[0]!.point);
  const rows = shown.map((own) => [
    `${own[0]!.variant} - ${own[0]!.baseline}`,
    ...paths.map((path) => scalarText(own[0]!.point[path]!)),
    ...metrics.map((metric) =>
      cellText(
        report,
        own.find((entry) => entry.metric === metric),
        paint,
      ),
    ),
  ]);
  const head = ['paired difference', ...paths, ...metrics.map((metric) => metricLabel(metric, unitOf(report, metric)))];
  const about = `medians of n=${entries[0]!.n} differences; ± is the wider side of the 95 % interval`;
  const some = shown.length < all.length ? [`${shown.length} of ${all.length} rows`] : [];
  return [table([head, ...rows], paint, width), ...[about, ...some, ...notes].map((note) => paint.dim(note))].join(
    '\n',
  );
}

/** `-98 % ±0.4 % better`, relative to the baseline; the difference itself where the baseline is 0. */
function cellText(report: Report, entry: Entry | undefined, paint: Style): string {
  if (!entry) return '';
  const { verdict, difference, relative, low, high, metric, baselineMedian } = entry;
  if (verdict === 'within noise') return verdict;
  const side = Math.max(high! - difference, difference - low!);
  const [size, width] =
    relative === null
      ? [`${difference > 0 ? '+' : ''}${show(report, metric, difference)}`, show(report, metric, side)]
      : [formatPercent(relative), formatPercent(side / Math.abs(baselineMedian)).replace('+', '')];
  return painted(verdict, `${size} ±${width}${verdict === 'different' ? '' : ` ${verdict}`}`, paint);
}

function painted(verdict: Entry['verdict'], text: string, paint: Style): string {
  if (verdict === 'better') return paint.green(text);
  return verdict === 'worse' ? paint.red(text) : text;
}
