// Early abort: a threshold with `abortOnFail` ends the experiment as soon as it fails over the replications that have
// ended, once there are as many as its grace asks for. A pure function of the results, so every process judges alike.
import type { Results } from './plan.js';
import { groupsOf, type Group } from './report/groups.js';
import { checksOf } from './report/thresholds.js';
import type { Scenario } from './scenario/scenario.js';

/**
 * The first threshold that ends the experiment, in words; undefined when none does.
 * @param cellId look only at the points that this cell is part of: it was the last one to end.
 */
export function brokenThreshold(scenario: Scenario, results: Results, cellId?: string): string | undefined {
  const aborting = scenario.thresholds.filter(({ abortAfter }) => abortAfter !== undefined);
  if (aborting.length === 0) return undefined;
  const groups = groupsOf(scenario, results);
  const concerned = cellId === undefined ? groups : pointsOf(groups, cellId);
  for (const threshold of aborting) {
    for (const { metric, variant, point, condition, value, n, ok } of checksOf(threshold, concerned)) {
      if (n < threshold.abortAfter! || ok) continue;
      const at = Object.entries(point).map(([path, swept]) => ` ${path}=${swept}`);
      return `${metric} of ${variant}${at.join('')}: ${condition} failed with ${value} (n=${n})`;
    }
  }
  return undefined;
}

/** Every group at the points that the cell is part of: a ratio looks at the other variant there. */
function pointsOf(groups: readonly Group[], cellId: string): Group[] {
  const points = new Set(
    groups.filter(({ planned }) => planned.some(({ id }) => id === cellId)).map(({ point }) => JSON.stringify(point)),
  );
  return groups.filter(({ point }) => points.has(JSON.stringify(point)));
}
