// Paired differences on a terminal: one below the other with their intervals while they are few; of a sweep, a row per
// point and the headline metrics as columns. A difference without an interval is never shown.
import { formatPercent, metricLabel } from './format.js';
import type { Report } from './schema.js';
import { isSmall, standOut } from './stand-out.js';
import { fittingColumns, table, type Style } from './table.js';
import { named, pointText, scalarText, show, spread, unitOf } from './words.js';

type Entry = Report['comparisons'][number];

/** Differences and points that are listed one below the other. */
const MAX_LISTED = 24;
const MAX_LISTED_POINTS = 2;
/** Percentage points; a side below this is not shown. */
const LEAST_POINTS = 0.01;
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
  const notes = [...(left > 0 ? [`${left} more have too few replications.`] : []), ...correctionNote(known)];
  return [text, ...notes.map((note) => paint.dim(note))].join('\n');
}

/** Said where it matters: something left the noise, and with so few replications anything might. */
export function correctionNote(entries: readonly Entry[]): string[] {
  const chance = entries.some(({ corrected, verdict }) => corrected === false && verdict !== 'within noise');
  return chance
    ? [
        `n=${entries[0]!.n} is too few to correct for many comparisons: the intervals decide, and a single finding may be chance`,
      ]
    : [];
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
      painted(entry, entry.verdict, paint),
    ];
  });
  return table([['paired difference', 'median', '', '95 % interval', '', ''], ...rows], paint);
}

function byPoint(report: Report, entries: readonly Entry[], paint: Style, width: number): string {
  const { loud: metrics, small, quiet } = standOut(report);
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
  const about = `medians of n=${entries[0]!.n} paired changes; ± is the wider side of the 95 % interval, in percentage points`;
  const lines = [head, ...rows];
  const left = head.slice(fittingColumns(lines, width));
  if (left.length > 0) notes.unshift(`too wide for ${width} columns: ${left.join(', ')}`);
  const some = shown.length < all.length ? [`${shown.length} of ${all.length} rows`] : [];
  return [table(lines, paint, width), ...[about, ...some, ...notes].map((note) => paint.dim(note))].join('\n');
}

/** `-98 % ±0.4 better`, relative to the baseline; the difference itself where the baseline is 0. */
function cellText(report: Report, entry: Entry | undefined, paint: Style): string {
  if (!entry) return '';
  if (entry.verdict === 'within noise') return entry.verdict;
  return painted(
    entry,
    `${changeText(report, entry)}${entry.verdict === 'different' ? '' : ` ${entry.verdict}`}`,
    paint,
  );
}

/** `-98.4 % ±0.1`, in percentage points: no more digits than the interval carries. */
export function changeText(report: Report, { metric, difference, low, high, ...entry }: Entry): string {
  const { relative, relativeLow, relativeHigh } = entry;
  if (relative !== null && typeof relativeLow === 'number' && typeof relativeHigh === 'number') {
    const points = 100 * Math.max(relativeHigh - relative, relative - relativeLow);
    if (points < LEAST_POINTS) return formatPercent(relative, 1);
    const digits = points >= 10 ? 0 : points >= 1 && Math.abs(relative) >= 0.1 ? 0 : points >= 0.1 ? 1 : 2;
    const [size, side] = [100 * relative, points].map((value) => value.toFixed(digits));
    return `${relative > 0 ? '+' : ''}${size} % ±${side}`;
  }
  const side = Math.max(high! - difference, difference - low!);
  return `${difference > 0 ? '+' : ''}${show(report, metric, difference)}${side === 0 ? '' : ` ±${show(report, metric, side)}`}`;
}

/** Green and red are for what is of consequence. */
function painted(entry: Entry, text: string, paint: Style): string {
  const { verdict } = entry;
  if (isSmall(entry)) return text;
  if (verdict === 'better') return paint.green(text);
  return verdict === 'worse' ? paint.red(text) : text;
}
