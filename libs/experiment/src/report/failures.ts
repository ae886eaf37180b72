// Cells that failed, those that failed alike together: a time-out of a sweep is one line, not a thousand.
import type { Report } from './schema.js';
import { named } from './words.js';

type Failure = Report['failures'][number];

export interface FailureRow {
  readonly kind: Failure['kind'];
  /** `before, replication 0`, `before machine.cpus=6, 5 replications` or `before, v4: 10 cells at 3 points`. */
  readonly which: string;
  readonly message: string;
}

/** In the order of the first of each. */
export function failureRows({ failures }: Report): FailureRow[] {
  const alike = Map.groupBy(failures, ({ kind, message }) => `${kind} ${message}`);
  return [...alike.values()].map((entries) => ({
    kind: entries[0]!.kind,
    which: whichCells(entries),
    message: entries[0]!.message,
  }));
}

function whichCells(entries: readonly Failure[]): string {
  const [{ variant, point, replication }] = entries as [Failure];
  if (entries.length === 1) return `${named(variant, point)}, replication ${replication}`;
  const groups = new Set(entries.map((entry) => named(entry.variant, entry.point)));
  if (groups.size === 1) return `${named(variant, point)}, ${entries.length} replications`;
  const points = new Set(entries.map((entry) => JSON.stringify(entry.point))).size;
  const variants = [...new Set(entries.map((entry) => entry.variant))].join(', ');
  return `${variants}: ${entries.length} cells${points > 1 ? ` at ${points} points` : ''}`;
}
