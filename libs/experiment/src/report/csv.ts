// The report as CSV (RFC 4180), for spreadsheets and data frames: one row per variant, point and metric, or one per cell.
import type { Report } from './schema.js';

type Value = string | number | boolean | null | undefined;

const quote = (value: Value): string => {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const lines = (rows: readonly (readonly Value[])[]) => rows.map((row) => `${row.map(quote).join(',')}\n`).join('');

const sweptPaths = (report: Report) => [
  ...new Set([...report.summary, ...report.cells].flatMap(({ point }) => Object.keys(point))),
];

/** Medians with their intervals. */
export function toSummaryCsv(report: Report): string {
  const paths = sweptPaths(report);
  const units = new Map(report.metrics.map(({ name, unit }) => [name, unit]));
  const rows = report.summary.map(({ variant, point, metric, median, low, high, min, max, n }) => [
    variant,
    ...paths.map((path) => point[path]),
    metric,
    units.get(metric),
    median,
    low,
    high,
    min,
    max,
    n,
  ]);
  return lines([['variant', ...paths, 'metric', 'unit', 'median', 'low', 'high', 'min', 'max', 'n'], ...rows]);
}

/** Every cell with all its metrics. */
export function toCellsCsv(report: Report): string {
  const paths = sweptPaths(report);
  const metrics = report.metrics.map(({ name }) => name);
  const rows = report.cells.map((cell) => [
    cell.id,
    cell.variant,
    ...paths.map((path) => cell.point[path]),
    cell.replication,
    cell.seed,
    ...metrics.map((name) => cell.metrics[name]),
    cell.virtualSeconds,
    cell.wallSeconds,
    cell.events,
    cell.digest,
  ]);
  const head = ['id', 'variant', ...paths, 'replication', 'seed', ...metrics];
  return lines([[...head, 'virtual_seconds', 'wall_seconds', 'events', 'digest'], ...rows]);
}
