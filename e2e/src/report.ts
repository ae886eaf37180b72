// The part of a report that two runs of the same experiment must agree on.
import type { Finished } from './kwb.js';

interface Cell {
  readonly id: string;
  readonly variant: string;
  readonly replication: number;
  readonly digest: string;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface Report {
  readonly apiVersion: string;
  readonly scenario: string;
  readonly verdict: string;
  readonly cells: readonly Cell[];
  readonly summary: readonly {
    readonly variant: string;
    readonly metric: string;
    readonly median: number;
    readonly n: number;
  }[];
}

/** @throws when stdout is anything but one JSON document; the error carries what the program said instead. */
export function parseReport({ stdout, stderr, code }: Finished): Report {
  try {
    return JSON.parse(stdout) as Report;
  } catch (error) {
    throw new Error(`no report on stdout; exit code ${code}\n${stderr}${stdout}`, { cause: error });
  }
}

/** Every cell's name, id, telemetry digest and metrics, in an order of its own. */
export function outcome(report: Report): unknown[] {
  return report.cells
    .map(({ id, variant, replication, digest, metrics }) => ({ id, variant, replication, digest, metrics }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
