// The report on a terminal: head, variants side by side, differences, published figures, thresholds, verdict.
// Only from the report, so that a report that was fetched looks the same as one that was just made.
import { formatGiB, formatNumber, formatPercent, formatQuantity, formatSeconds, metricLabel } from './format.js';
import type { Report } from './schema.js';
import { style, table, type Style } from './table.js';

/** Differences are listed up to this many; a sweep's are in the report. */
const MAX_DIFFERENCES = 24;
/** Half-widths below this are not shown: they would be noise in the table, not about the noise. */
const LEAST_SIDE = 0.005;
const SEPARATOR = ' · ';

export interface RenderOptions {
  readonly color?: boolean;
  /** Columns of the terminal. */
  readonly width?: number;
}

export function renderSummary(report: Report, { color = false, width = 120 }: RenderOptions = {}): string {
  const paint = style(color);
  const sections = [
    head(report, paint),
    variantTable(report, paint, width),
    differences(report, paint),
    findSection(report, paint),
    publishedTable(report, paint),
    thresholdTable(report, paint),
    failureLines(report, paint),
    verdict(report, paint),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function head(report: Report, paint: Style): string {
  const { machine, seed, replications, workload } = report;
  const axes = sweptValues(report);
  const own = (path: string, text: string) => (axes.has(path) || axes.has('machine.profile') ? [] : [text]);
  const facts = [
    workload,
    ...own('machine.cpus', `${machine.cpus} CPUs`),
    ...own('machine.memory', formatGiB(machine.memoryBytes)),
    `seed ${seed}`,
    `${replications} ${replications === 1 ? 'replication' : 'replications'}`,
    ...[...axes].map(([path, values]) => `${path} ${[...values].join(', ')}`),
  ];
  return `${paint.bold(report.scenario)}   ${facts.join(SEPARATOR)}`;
}

/** Sweep path to the values that were run. The parameter of a search is not one: its values are the answer. */
function sweptValues(report: Report): Map<string, Set<string>> {
  const searched = new Set(report.find.map(({ parameter }) => parameter));
  const axes = new Map<string, Set<string>>();
  for (const { point } of [...report.cells, ...report.failures]) {
    for (const [path, value] of Object.entries(point)) {
      if (searched.has(path)) continue;
      axes.set(
        path,
        (axes.get(path) ?? new Set()).add(typeof value === 'number' ? formatNumber(value) : String(value)),
      );
    }
  }
  return axes;
}

const unitOf = (report: Report, name: string) => report.metrics.find((metric) => metric.name === name)?.unit ?? 'count';
const show = (report: Report, metric: string, value: number) => formatQuantity(value, unitOf(report, metric));
export const pointText = (point: Report['cells'][number]['point']) =>
  Object.entries(point)
    .map(([path, value]) => `${path}=${typeof value === 'number' ? formatNumber(value) : value}`)
    .join(' ');
const named = (variant: string, point: Report['cells'][number]['point']) =>
  [variant, pointText(point)].filter((part) => part !== '').join(' ');

/** Headline metrics as columns; neighbours that differ in their percentile alone share one (`p50 / p99`). */
function headlineColumns(report: Report): { readonly title: string; readonly metrics: readonly string[] }[] {
  const columns: { stem: string; title: string; metrics: string[] }[] = [];
  for (const name of report.headline) {
    const percentile = /_(p\d+)_/.exec(name)?.[1];
    const stem = percentile ? name.replace(`_${percentile}_`, '_*_') : name;
    const last = columns.at(-1);
    if (percentile && last?.stem === stem) {
      last.title += ` / ${percentile}`;
      last.metrics.push(name);
    } else columns.push({ stem, title: metricLabel(name, unitOf(report, name)), metrics: [name] });
  }
  return columns;
}

function variantTable(report: Report, paint: Style, width: number): string {
  const groups = new Map<string, Report['summary']>();
  for (const entry of report.summary) {
    const key = JSON.stringify([entry.variant, entry.point]);
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  if (groups.size === 0) return '';
  const points = Object.keys(report.summary[0]!.point);
  const columns = headlineColumns(report);
  const rows = [...groups.values()].map((entries) => {
    const { variant, point } = entries[0]!;
    const cells = columns.map(({ metrics }) =>
      metrics
        .map((metric) =>
          medianText(
            report,
            entries.find((entry) => entry.metric === metric)!,
          ),
        )
        .join(' / '),
    );
    return [
      variant,
      ...points.map((path) => String(typeof point[path] === 'number' ? formatNumber(point[path]) : point[path])),
      ...cells,
    ];
  });
  const text = table([['variant', ...points, ...columns.map(({ title }) => title)], ...rows], paint, width);
  return text.includes('±')
    ? `${text}\n${paint.dim(`medians of n=${report.summary[0]!.n}; ± is the wider side of the 95 % interval`)}`
    : text;
}

/** The median, and the wider side of its 95 % interval where that is not next to nothing. */
function medianText(report: Report, { metric, median, low, high }: Report['summary'][number]): string {
  const text = show(report, metric, median);
  if (low === null || high === null || median === 0) return text;
  const side = Math.max(high - median, median - low) / Math.abs(median);
  return side < LEAST_SIDE ? text : `${text} ±${formatPercent(side).slice(1)}`;
}

function differences(report: Report, paint: Style): string {
  const all = report.comparisons.filter(({ metric }) => report.headline.includes(metric));
  if (all.length === 0) return '';
  if (all.length > MAX_DIFFERENCES) {
    return `${report.comparisons.length} paired differences are in the report.`;
  }
  const rows = all.map((entry) => {
    const known = entry.low !== null && entry.high !== null;
    const label = `${named(entry.variant, entry.point)} - ${entry.baseline}: ${metricLabel(entry.metric, unitOf(report, entry.metric))}`;
    // A difference without an interval is not shown at all.
    return [
      label,
      known ? `${entry.difference > 0 ? '+' : ''}${show(report, entry.metric, entry.difference)}` : '',
      known && entry.relative !== null ? formatPercent(entry.relative) : '',
      known ? `${show(report, entry.metric, entry.low!)} to ${show(report, entry.metric, entry.high!)}` : '',
      `n=${entry.n}`,
      verdictWord(entry.verdict, paint),
    ];
  });
  return table([['paired difference', 'median', '', '95 % interval', '', ''], ...rows], paint);
}

function verdictWord(word: Report['comparisons'][number]['verdict'], paint: Style): string {
  if (word === 'better') return paint.green(word);
  return word === 'worse' ? paint.red(word) : word;
}

function findSection(report: Report, paint: Style): string {
  const lines = report.find.map((entry) => {
    const about = `${named(entry.variant, entry.point)}: ${entry.metric} ${entry.condition}`;
    const { parameter } = entry;
    switch (entry.outcome) {
      case 'found':
        return `${about} from ${paint.bold(`${parameter} = ${formatNumber(entry.high!)}`)} on, not yet at ${formatNumber(entry.low!)}`;
      case 'holds at from':
        return `${about} holds already at ${parameter} = ${formatNumber(entry.value!)}`;
      case 'never holds':
        return `${about} holds nowhere up to ${parameter} = ${formatNumber(entry.tried.at(-1)?.value ?? 0)}`;
      default:
        return `${about}: ${entry.outcome}${entry.reason === undefined ? '' : ` (${entry.reason})`}`;
    }
  });
  return lines.join('\n');
}

function publishedTable(report: Report, paint: Style): string {
  const compared = report.published.filter(({ ok }) => ok !== null);
  const left = report.published.length - compared.length;
  const note =
    left > 0
      ? `${left} published ${left === 1 ? 'figure does' : 'figures do'} not apply here; the report says why.`
      : '';
  if (compared.length === 0) return note;
  const rows = compared.map((entry) => [
    pointText(entry.point) === '' ? entry.title : `${entry.title} (${pointText(entry.point)})`,
    show(report, entry.metric, entry.expected),
    entry.measured === null ? 'nothing' : show(report, entry.metric, entry.measured),
    entry.error === null ? (entry.ok ? 'within' : 'outside') : formatPercent(entry.error),
    `${show(report, entry.metric, entry.low)} to ${show(report, entry.metric, entry.high)}`,
    entry.basis,
    entry.gated ? mark(entry.ok === true, paint) : entry.ok === true ? 'ok, not gated' : 'missed, not gated',
  ]);
  const text = table([['published figure', 'published', 'here', 'error', 'accepted', 'basis', ''], ...rows], paint);
  return note === '' ? text : `${text}\n${note}`;
}

function thresholdTable(report: Report, paint: Style): string {
  if (report.thresholds.length === 0) return '';
  const rows = report.thresholds.map((entry) => [
    `${entry.metric} ${named(thresholdSubject(entry), entry.point)}`,
    entry.condition,
    entry.value === null ? 'nothing' : thresholdValue(report, entry),
    `n=${entry.n}`,
    mark(entry.ok, paint),
  ]);
  return table([['threshold', 'condition', 'here', '', ''], ...rows], paint);
}

/** `v4`, `v4 - before` or `v4 / before`. */
export const thresholdSubject = ({ variant, versus }: Report['thresholds'][number]) =>
  versus ? `${variant} ${versus.kind === 'minus' ? '-' : '/'} ${versus.variant}` : variant;

const thresholdValue = (report: Report, { versus, metric, value }: Report['thresholds'][number]) =>
  versus?.kind === 'over' ? formatNumber(value!) : show(report, metric, value!);

const mark = (ok: boolean, paint: Style) => (ok ? paint.green('ok') : paint.red('FAILED'));

function failureLines(report: Report, paint: Style): string {
  const lines = report.failures.map(
    ({ variant, point, replication, kind, message }) =>
      `${paint.red(kind)}  ${named(variant, point)}, replication ${replication}: ${message}`,
  );
  if (report.aborted !== undefined) lines.push(`${paint.red('ended early')}  ${report.aborted}`);
  if (report.notRun > 0) lines.push(`${report.notRun} cells were not run`);
  return lines.join('\n');
}

function verdict(report: Report, paint: Style): string {
  const compared = report.published.filter(({ ok, gated }) => gated && ok !== null);
  const counted = [
    count(compared.filter(({ ok }) => ok).length, compared.length, 'published figure'),
    count(report.thresholds.filter(({ ok }) => ok).length, report.thresholds.length, 'threshold'),
  ].filter((part) => part !== '');
  const machineSeconds = report.cells.reduce((sum, cell) => sum + cell.virtualSeconds, 0);
  const cells = `${report.cells.length} ${report.cells.length === 1 ? 'cell' : 'cells'}`;
  const run = `${cells}, ${formatSeconds(machineSeconds)} of machine time in ${formatSeconds(report.wallSeconds)}`;
  const word = report.verdict === 'pass' ? paint.green('PASS') : paint.red('FAIL');
  return `${word}  ${[counted.join(', '), run].filter((part) => part !== '').join(SEPARATOR)}`;
}

const count = (ok: number, all: number, what: string) =>
  all === 0 ? '' : `${ok} of ${all} ${what}${all === 1 ? '' : 's'}`;
