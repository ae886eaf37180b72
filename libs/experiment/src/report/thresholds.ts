// Thresholds against what was measured: one entry per variant and point that the key names.
import type { Scenario } from '../scenario/scenario.js';
import { aggregate, holds, isSameValue, type Threshold, type Versus } from '../thresholds.js';
import { pairsOf, samePoint, valuesOf, type Group } from './groups.js';
import type { Report } from './schema.js';

type Entry = Report['thresholds'][number];

export const checkThresholds = (scenario: Scenario, groups: readonly Group[]): Entry[] =>
  scenario.thresholds.flatMap((threshold) => checksOf(threshold, groups));

/** The entries of one threshold. Nothing measured is no pass. */
export function checksOf(threshold: Threshold, groups: readonly Group[]): Entry[] {
  const { metric, variant, versus, at, condition } = threshold;
  return groups
    .filter((group) => (variant === undefined ? group.variant !== versus?.variant : group.variant === variant))
    .filter(({ point }) => Object.entries(at).every(([path, text]) => isSameValue(point[path] ?? '', text)))
    .map((group) => {
      const values = versus ? versusValues(metric, versus, group, groups) : valuesOf(group, metric);
      const value = values.length > 0 ? aggregate(condition, values) : null;
      return {
        metric,
        variant: group.variant,
        ...(versus && { versus }),
        point: group.point,
        condition: condition.text,
        // A ratio to 0 is no number that JSON knows.
        value: value !== null && Number.isFinite(value) ? value : null,
        n: values.length,
        ok: value !== null && holds(condition, value),
      };
    });
}

/** Differences or ratios, replication by replication: pairs share their random numbers. */
function versusValues(metric: string, versus: Versus, group: Group, groups: readonly Group[]): number[] {
  const base = groups.find((other) => other.variant === versus.variant && samePoint(other.point, group.point));
  if (!base) return [];
  return pairsOf(base, group, metric).map(([left, right]) => (versus.kind === 'minus' ? right - left : right / left));
}
