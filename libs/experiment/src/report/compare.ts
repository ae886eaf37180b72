// Each variant beside the first one, pair by pair: replications share their random numbers, so a difference is taken
// within a replication and the spread between replications drops out.
import type { MetricSpec } from '@kworkbench/mechanism';
import type { Scenario } from '../scenario/scenario.js';
import { median, pairedDifference, type PairedDifference } from '../statistics.js';
import { pairsOf, samePoint, type Group } from './groups.js';
import type { Report } from './schema.js';

type Comparison = Report['comparisons'][number];

export function compareVariants(scenario: Scenario, groups: readonly Group[]): Comparison[] {
  const baseline = scenario.variants[0]!.label;
  return groups
    .filter((group) => group.variant !== baseline)
    .flatMap((group) => {
      const base = groups.find((other) => other.variant === baseline && samePoint(other.point, group.point));
      return base ? scenario.mechanism.metrics.flatMap((metric) => compareMetric(metric, base, group)) : [];
    });
}

function compareMetric(metric: MetricSpec, base: Group, other: Group): Comparison[] {
  const pairs = pairsOf(base, other, metric.name);
  if (pairs.length === 0) return [];
  const before = pairs.map(([left]) => left);
  const after = pairs.map(([, right]) => right);
  const paired = pairedDifference(before, after);
  const baselineMedian = median(before);
  return [
    {
      baseline: base.variant,
      variant: other.variant,
      point: other.point,
      metric: metric.name,
      n: paired.n,
      baselineMedian,
      median: median(after),
      difference: paired.difference,
      low: paired.interval?.low ?? null,
      high: paired.interval?.high ?? null,
      relative: baselineMedian === 0 ? null : paired.difference / Math.abs(baselineMedian),
      verdict: verdictOf(metric, paired),
    },
  ];
}

function verdictOf(metric: MetricSpec, { significant, difference }: PairedDifference): Comparison['verdict'] {
  if (significant === undefined) return 'too few replications';
  if (!significant) return 'within noise';
  if (metric.better === 'none') return 'different';
  return difference < 0 === (metric.better === 'lower') ? 'better' : 'worse';
}
