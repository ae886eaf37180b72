// Each variant beside the first one, pair by pair: replications share their random numbers, so a difference is taken
// within a replication and the spread between replications drops out.
import type { Scenario } from '../scenario/scenario.js';
import { judgeContrasts, pairedContrast } from './contrast.js';
import { pairsOf, samePoint, type Group } from './groups.js';
import type { Report } from './schema.js';

export function compareVariants(scenario: Scenario, groups: readonly Group[]): Report['comparisons'] {
  const baseline = scenario.variants[0]!.label;
  const contrasts = groups
    .filter((group) => group.variant !== baseline)
    .flatMap((group) => {
      const base = groups.find((other) => other.variant === baseline && samePoint(other.point, group.point));
      if (!base) return [];
      return scenario.mechanism.metrics.flatMap((metric) => {
        const pairs = pairsOf(base, group, metric.name);
        return pairs.length > 0 ? [{ group, metric, contrast: pairedContrast(pairs) }] : [];
      });
    });
  return judgeContrasts(contrasts).map(({ made: { group }, entry }) => ({
    baseline,
    variant: group.variant,
    point: group.point,
    ...entry,
  }));
}
