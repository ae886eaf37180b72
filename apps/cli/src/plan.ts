// What a scenario would run, in words, for validate and --dry-run.
import { findCellCount, plannedGroups, type Scenario } from '@kworkbench/experiment';

/** How many cells, and how they come about. */
export function planSummary(scenario: Scenario): string {
  const { find, points, replications, variants } = scenario;
  const shape = [
    count(variants.length, 'variant'),
    ...(points.length > 1 ? [count(points.length, 'point')] : []),
    count(replications, 'replication'),
  ].join(' x ');
  if (!find) return `${count(variants.length * points.length * replications, 'cell')} (${shape})`;
  const most = findCellCount(find, points.length, replications);
  return `at most ${count(most, 'cell')} (${shape}, searching ${find.parameter} from ${find.from} to ${find.to})`;
}

/** The summary and a line per variant and point, with the ids that its cells have. */
export function planLines(scenario: Scenario): string[] {
  const groups = plannedGroups(scenario, new Map()).map(({ variant, point, cells }) => {
    const at = Object.entries(point).map(([path, value]) => ` ${path}=${value}`);
    const seeds = cells.map(({ cell }) => cell.seed).join(', ');
    return `  ${variant}${at.join('')}: ${count(cells.length, 'replication')}, seeds ${seeds}`;
  });
  return [`${scenario.name}: ${planSummary(scenario)}`, ...groups];
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
