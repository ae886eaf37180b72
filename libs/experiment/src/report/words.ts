// What the text report and the page call the things of a report.
import { digitsToTellApart, formatNumber, formatPercent, formatQuantity } from './format.js';
import type { Report } from './schema.js';

export type ShownPoint = Report['cells'][number]['point'];

export const unitOf = (report: Report, name: string): string =>
  report.metrics.find((metric) => metric.name === name)?.unit ?? 'count';

export const show = (report: Report, metric: string, value: number): string =>
  formatQuantity(value, unitOf(report, metric));

export const scalarText = (value: ShownPoint[string]): string =>
  typeof value === 'number' ? formatNumber(value) : String(value);

/** `machine.cpus=40 workload.rate=5`; empty without a sweep. */
export const pointText = (point: ShownPoint): string =>
  Object.entries(point)
    .map(([path, value]) => `${path}=${scalarText(value)}`)
    .join(' ');

export const named = (variant: string, point: ShownPoint): string => `${variant} ${pointText(point)}`.trim();

/** `60 cells`, `19 of 60 cells`, `60 cells (19 of them run before)`: the machine time of those cost this run nothing. */
export function cellsText({ cells, failures, notRun, provenance: { reusedCells = 0 } }: Report): string {
  const all = cells.length + failures.length + notRun;
  const count = all > cells.length ? `${cells.length} of ${all}` : String(all);
  return `${count} ${all === 1 ? 'cell' : 'cells'}${reusedCells > 0 ? ` (${reusedCells} of them run before)` : ''}`;
}

/** `v4`, `v4 - before` or `v4 / before`. */
export const thresholdSubject = ({ variant, versus }: Report['thresholds'][number]): string =>
  versus ? `${variant} ${versus.kind === 'minus' ? '-' : '/'} ${versus.variant}` : variant;

/** What is judged may miss by little. */
const JUDGED_DIGITS = 4;

export const thresholdValue = (report: Report, { versus, metric, value }: Report['thresholds'][number]): string => {
  if (value === null) return 'nothing';
  const unit = versus?.kind === 'over' ? 'ratio' : unitOf(report, metric);
  return formatQuantity(value, unit, JUDGED_DIGITS);
};

/** What a row about a published figure says: published, here, error, accepted; in digits that show the range. */
export function publishedTexts(
  report: Report,
  { metric, expected, low, high, measured, error }: Report['published'][number],
): { readonly expected: string; readonly here: string; readonly error: string; readonly accepted: string } {
  const unit = unitOf(report, metric);
  const digits = digitsToTellApart([low, expected, high], unit);
  const text = (value: number): string => formatQuantity(value, unit, digits);
  return {
    expected: text(expected),
    here: measured === null ? '' : text(measured),
    error: error === null ? '' : formatPercent(error),
    accepted: `${text(low)} to ${text(high)}`,
  };
}

/** At most so many of the items, evenly taken, both ends among them. */
export function spread<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  const step = (items.length - 1) / Math.max(1, most - 1);
  return Array.from({ length: most }, (_, i) => items[Math.round(i * step)]!);
}
