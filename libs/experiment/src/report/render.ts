// The report on a terminal: head, variants side by side, differences, published figures, thresholds, verdict.
// Only from the report, so that a report that was fetched looks the same as one that was just made.
import { factsOf } from './facts.js';
import { failureRows } from './failures.js';
import { formatNumber, formatSeconds } from './format.js';
import { readable, type Readable } from './readable.js';
import { differences } from './render-differences.js';
import { mark, thresholdTable } from './render-thresholds.js';
import { variantTable } from './render-variants.js';
import type { Report } from './schema.js';
import { style, table, type Style } from './table.js';
import { named, pointText, publishedTexts, cellsText } from './words.js';

const SEPARATOR = ' · ';
/** Failures that are no others' alike. */
const MAX_FAILURES = 20;

export interface RenderOptions {
  readonly color?: boolean;
  /** Columns of the terminal. */
  readonly width?: number;
}

export function renderSummary(made: Report, { color = false, width = 120 }: RenderOptions = {}): string {
  const paint = style(color);
  const shown = readable(made);
  const { report, axes } = shown;
  const sections = [
    head(shown, paint),
    // The answer of a search before the steps that led to it.
    findSection(report, paint),
    variantTable(report, axes, paint, width),
    differences(report, paint, width),
    publishedTable(report, paint),
    thresholdTable(report, paint),
    failureLines(report, paint),
    verdict(report, paint),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function head(shown: Readable, paint: Style): string {
  return `${paint.bold(shown.report.scenario)}   ${factsOf(shown).join(SEPARATOR)}`;
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
  const rows = compared.map((entry) => {
    const { expected, here, error, accepted } = publishedTexts(report, entry);
    return [
      pointText(entry.point) === '' ? entry.title : `${entry.title} (${pointText(entry.point)})`,
      expected,
      here || 'nothing',
      error || (here === '' ? '' : entry.ok ? 'within' : 'outside'),
      accepted,
      entry.basis,
      entry.gated ? mark(entry.ok === true, paint) : entry.ok === true ? 'ok, not gated' : 'missed, not gated',
    ];
  });
  const text = table([['published figure', 'published', 'here', 'error', 'accepted', 'basis', ''], ...rows], paint);
  return note === '' ? text : `${text}\n${note}`;
}

function failureLines(report: Report, paint: Style): string {
  const rows = failureRows(report);
  const lines = rows
    .slice(0, MAX_FAILURES)
    .map(({ kind, which, message }) => `${paint.red(kind)}  ${which}: ${message}`);
  if (rows.length > MAX_FAILURES) lines.push(`${rows.length - MAX_FAILURES} more failures are in the report`);
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
  const run = `${cellsText(report)}, ${formatSeconds(machineSeconds)} of machine time in ${formatSeconds(report.wallSeconds)}`;
  const word = report.verdict === 'pass' ? paint.green('PASS') : paint.red('FAIL');
  return `${word}  ${[counted.join(', '), run].filter((part) => part !== '').join(SEPARATOR)}`;
}

const count = (ok: number, all: number, what: string) =>
  all === 0 ? '' : `${ok} of ${all} ${what}${all === 1 ? '' : 's'}`;
