// Thresholds on a terminal. Those that hold at several points share a row; each that fails has one of its own.
import type { Report } from './schema.js';
import { table, type Style } from './table.js';
import { named, thresholdSubject, thresholdValue } from './words.js';

type Entry = Report['thresholds'][number];

export function thresholdTable(report: Report, paint: Style): string {
  if (report.thresholds.length === 0) return '';
  const keyOf = (entry: Entry) => [entry.metric, thresholdSubject(entry), entry.condition].join(' ');
  const rows = [...Map.groupBy(report.thresholds, keyOf).values()].flatMap((entries) => {
    const held = entries.filter(({ ok }) => ok);
    const failed = entries.filter(({ ok }) => !ok);
    const alone = held.length > 1 ? [] : held;
    return [
      ...(held.length > 1 ? [together(report, held, entries.length, paint)] : []),
      ...[...alone, ...failed].map((entry) => row(report, entry, paint)),
    ];
  });
  return table([['threshold', 'condition', 'here', '', ''], ...rows], paint);
}

function row(report: Report, entry: Entry, paint: Style): string[] {
  const subject = `${entry.metric} ${named(thresholdSubject(entry), entry.point)}`;
  return [subject, entry.condition, thresholdValue(report, entry), `n=${entry.n}`, mark(entry.ok, paint)];
}

function together(report: Report, entries: readonly Entry[], points: number, paint: Style): string[] {
  const byValue = entries.toSorted((a, b) => a.value! - b.value!);
  const [least, most] = [byValue[0]!, byValue.at(-1)!].map((entry) => thresholdValue(report, entry));
  const counts = entries.map(({ n }) => n);
  const [fewest, greatest] = [Math.min(...counts), Math.max(...counts)];
  const where = entries.length === points ? `all ${points} points` : `${entries.length} of ${points} points`;
  return [
    `${entries[0]!.metric} ${thresholdSubject(entries[0]!)}, ${where}`,
    entries[0]!.condition,
    least === most ? least! : `${least} to ${most}`,
    fewest === greatest ? `n=${fewest}` : `n=${fewest} to ${greatest}`,
    mark(true, paint),
  ];
}

export const mark = (ok: boolean, paint: Style): string => (ok ? paint.green('ok') : paint.red('FAILED'));
