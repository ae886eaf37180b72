// Thresholds in rows, for the terminal and the page. Those that hold at several points share a row; each that fails has
// one of its own, before the others of its kind.
import type { Report } from './schema.js';
import { table, type Style } from './table.js';
import { named, thresholdSubject, thresholdValue } from './words.js';

type Entry = Report['thresholds'][number];

export interface ThresholdRow {
  readonly metric: string;
  /** Variant and point, or how many points. */
  readonly where: string;
  readonly condition: string;
  readonly here: string;
  readonly n: string;
  readonly ok: boolean;
}

export function thresholdRows(report: Report): ThresholdRow[] {
  const keyOf = (entry: Entry) => [entry.metric, thresholdSubject(entry), entry.condition].join(' ');
  return [...Map.groupBy(report.thresholds, keyOf).values()].flatMap((entries) => {
    const held = entries.filter(({ ok }) => ok);
    const failed = entries.filter(({ ok }) => !ok);
    const alone = held.length > 1 ? [] : held;
    return [
      ...[...failed, ...alone].map((entry) => row(report, entry)),
      ...(held.length > 1 ? [together(report, held, entries.length)] : []),
    ];
  });
}

export function thresholdTable(report: Report, paint: Style): string {
  if (report.thresholds.length === 0) return '';
  const rows = thresholdRows(report).map(({ metric, where, condition, here, n, ok }) => [
    `${metric} ${where}`,
    condition,
    here,
    `n=${n}`,
    mark(ok, paint),
  ]);
  return table([['threshold', 'condition', 'here', '', ''], ...rows], paint);
}

function row(report: Report, entry: Entry): ThresholdRow {
  const { metric, condition, n, ok } = entry;
  const where = named(thresholdSubject(entry), entry.point);
  return { metric, where, condition, here: thresholdValue(report, entry), n: String(n), ok };
}

function together(report: Report, entries: readonly Entry[], points: number): ThresholdRow {
  const { metric, condition } = entries[0]!;
  const byValue = entries.toSorted((a, b) => a.value! - b.value!);
  const [least, most] = [byValue[0]!, byValue.at(-1)!].map((entry) => thresholdValue(report, entry));
  const counts = entries.map(({ n }) => n);
  const [fewest, greatest] = [Math.min(...counts), Math.max(...counts)];
  const which = entries.length === points ? `all ${points} points` : `${entries.length} of ${points} points`;
  return {
    metric,
    where: `${thresholdSubject(entries[0]!)}, ${which}`,
    condition,
    here: least === most ? least! : `${least} to ${most}`,
    n: fewest === greatest ? String(fewest) : `${fewest} to ${greatest}`,
    ok: true,
  };
}

export const mark = (ok: boolean, paint: Style): string => (ok ? paint.green('ok') : paint.red('FAILED'));
