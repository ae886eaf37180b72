// The replications of one variant at one point, as far as they have been run: what every part of the report is made of.
import type { CellResult, PlannedCell } from '../cell.js';
import { isFailure, plannedGroups, type Results } from '../plan.js';
import type { Point, Scenario } from '../scenario/scenario.js';

export interface FinishedCell {
  readonly planned: PlannedCell;
  readonly result: CellResult;
}

export interface Group {
  readonly variant: string;
  readonly point: Point;
  readonly planned: readonly PlannedCell[];
  /** Those that ended with a result, in the order of replications. */
  readonly finished: readonly FinishedCell[];
}

export function groupsOf(scenario: Scenario, results: Results): Group[] {
  return plannedGroups(scenario, results).map(({ variant, point, cells }) => ({
    variant,
    point,
    planned: cells,
    finished: cells.flatMap((planned) => {
      const result = results.get(planned.id);
      return result && !isFailure(result) ? [{ planned, result }] : [];
    }),
  }));
}

export const valuesOf = (group: Group, metric: string): number[] =>
  group.finished.map(({ result }) => result.metrics[metric]!);

/** Values of one metric in two groups, replication by replication, where both have one. */
export function pairsOf(base: Group, other: Group, metric: string): (readonly [base: number, other: number])[] {
  const byReplication = new Map(other.finished.map(({ planned, result }) => [planned.replication, result]));
  return base.finished.flatMap(({ planned, result }) => {
    const right = byReplication.get(planned.replication);
    return right ? [[result.metrics[metric]!, right.metrics[metric]!] as const] : [];
  });
}

export const samePoint = (a: Point, b: Point): boolean => {
  const paths = Object.keys(a);
  return paths.length === Object.keys(b).length && paths.every((path) => a[path] === b[path]);
};
