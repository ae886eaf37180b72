// Published figures beside measured ones. A figure is compared only where its conditions hold: its variant with the
// kernel options of that variant, the machine of its profile, and everything that it requires. Anywhere else it is
// listed with `ok: null` and the reason, and neither passes nor fails.
import type { Cell, PublishedFigure } from '@kworkbench/mechanism';
import type { Scenario } from '../scenario/scenario.js';
import { median } from '../statistics.js';
import { valuesOf, type Group } from './groups.js';
import type { Report } from './schema.js';

type Entry = Report['published'][number];

export function comparePublished(scenario: Scenario, groups: readonly Group[]): Entry[] {
  return scenario.published.flatMap((figure) => {
    const labels = scenario.variants.filter((variant) => variant.id === figure.variant).map((variant) => variant.label);
    const candidates = groups.filter((group) => labels.includes(group.variant));
    const judged = candidates.map((group) => ({ group, reason: whyNot(scenario, figure, group.planned[0]!.cell) }));
    const fitting = judged.filter(({ reason }) => reason === undefined);
    if (fitting.length > 0) return fitting.map(({ group }) => entryOf(figure, group));
    const reason = judged[0]?.reason ?? `variant ${figure.variant} is not part of this scenario`;
    return [{ ...entryOf(figure, candidates[0]), measured: null, error: null, n: 0, ok: null, reason }];
  });
}

/** The first condition that a cell does not meet; undefined when the figure can be compared. */
function whyNot(scenario: Scenario, figure: PublishedFigure, cell: Cell): string | undefined {
  for (const [path, wanted] of Object.entries(figure.requires)) {
    const found = valueOf(cell, path);
    if (found !== wanted) return `needs ${path} ${wanted}, here ${found}`;
  }
  const preset = scenario.mechanism.variants.find((variant) => variant.id === figure.variant)!.kernel;
  const expected = scenario.mechanism.kernelSchema.parse({ ...preset });
  for (const [option, wanted] of Object.entries(expected)) {
    const path = `kernel.${option}`;
    if (!Object.hasOwn(figure.requires, path) && cell.kernel[option] !== wanted) {
      return `needs ${path} ${wanted} as in variant ${figure.variant}, here ${cell.kernel[option]}`;
    }
  }
  const profile = scenario.mechanism.profiles.find((candidate) => candidate.id === cell.machine.profile)!;
  const changed = profile.constants.find(
    ({ name, value }) =>
      !Object.hasOwn(figure.requires, `machine.constants.${name}`) && cell.machine.constants[name] !== value,
  );
  return changed && `machine.constants.${changed.name} was changed`;
}

/** A value of a cell by the path that a scenario uses for it. */
function valueOf(cell: Cell, path: string): unknown {
  const keys = path === 'machine.memory' ? ['machine', 'memoryBytes'] : path.split('.');
  return keys.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], cell);
}

function entryOf(figure: PublishedFigure, group: Group | undefined): Entry {
  const { id, title, source, metric, expected, low, high, basis } = figure;
  const values = group ? valuesOf(group, metric) : [];
  const measured = values.length > 0 ? median(values) : null;
  return {
    id,
    title,
    source,
    variant: group?.variant ?? figure.variant,
    point: group?.point ?? {},
    metric,
    expected,
    low,
    high,
    tolerance: expected === 0 ? null : Math.max(high - expected, expected - low) / Math.abs(expected),
    measured,
    error: measured === null || expected === 0 ? null : (measured - expected) / Math.abs(expected),
    n: values.length,
    basis,
    gated: figure.gated ?? true,
    // Its cells were to be run and none finished: that is no pass.
    ok: measured !== null && measured >= low && measured <= high,
  };
}
