// Checks of everything in a scenario that refers to something by name: variants, sweep paths, metrics, figures.
import type { Mechanism, PublishedFigure } from '@kworkbench/mechanism';
import { DEFAULT_ABORT_GRACE, MAX_CELLS } from '../limits.js';
import {
  CONDITION_FORM,
  isSameValue,
  KEY_FORM,
  parseCondition,
  parseThresholdKey,
  parseThresholdValue,
  type Threshold,
} from '../thresholds.js';
import { withoutSpec } from './overriding.js';
import { formatGot, oneOf } from './problems.js';
import { SWEEP_ROOTS } from './resolve.js';
import type { FindSpec, ScenarioVariant } from './scenario.js';
import type { ScenarioSpec } from './schema.js';
import { isSweepPath, type SweepAxis } from './sweep.js';
import type { FieldProblem } from './zod-problems.js';

type Problems = FieldProblem[];

export function checkVariants(mechanism: Mechanism, spec: ScenarioSpec, problems: Problems): ScenarioVariant[] {
  const variants: ScenarioVariant[] = [];
  const known = mechanism.variants.map((variant) => variant.id);
  for (const [index, entry] of spec.variants.entries()) {
    const { id, as: label = id, kernel = {} } = typeof entry === 'string' ? { id: entry } : entry;
    const preset = mechanism.variants.find((variant) => variant.id === id);
    if (!preset) {
      const path = typeof entry === 'string' ? ['variants', index] : ['variants', index, 'id'];
      problems.push({ path, expected: `a variant of ${mechanism.name}, ${oneOf(known, id)}`, got: formatGot(id) });
    } else if (variants.some((other) => other.label === label)) {
      problems.push({
        path: ['variants', index],
        expected: 'another label (`as`) for each variant',
        got: formatGot(label),
      });
    } else variants.push({ label, id, title: preset.title, kernel });
  }
  checkKernelIsUsed(mechanism, spec, variants, problems);
  return variants;
}

/** An option for all variants that each variant sets itself would be lost without a word. */
function checkKernelIsUsed(
  mechanism: Mechanism,
  spec: ScenarioSpec,
  variants: readonly ScenarioVariant[],
  problems: Problems,
): void {
  for (const [key, value] of Object.entries(spec.kernel ?? {})) {
    const fixes = (variant: ScenarioVariant) =>
      Object.hasOwn(variant.kernel, key) ||
      Object.hasOwn(mechanism.variants.find((preset) => preset.id === variant.id)!.kernel, key);
    if (variants.length > 0 && variants.every(fixes)) {
      problems.push({
        path: ['kernel', key],
        expected: 'an option that not every variant sets itself',
        got: formatGot(value),
      });
    }
  }
}

export function checkThresholds(
  mechanism: Mechanism,
  spec: ScenarioSpec,
  variants: readonly ScenarioVariant[],
  axes: readonly SweepAxis[],
  problems: Problems,
): Threshold[] {
  const thresholds: Threshold[] = [];
  for (const [key, conditions] of Object.entries(spec.thresholds ?? {})) {
    const parsed = parseThresholdKey(key);
    if (!parsed) {
      problems.push({ path: ['thresholds', key], expected: KEY_FORM, got: formatGot(key) });
      continue;
    }
    const { metric, variant, versus, at } = parsed;
    checkMetric(mechanism, metric, ['thresholds', key], problems);
    for (const label of [variant, versus?.variant]) {
      if (label !== undefined) checkLabel(variants, label, ['thresholds', key], problems);
    }
    for (const [path, text] of Object.entries(at)) checkSwept(axes, path, text, ['thresholds', key], problems);
    for (const [index, entry] of conditions.entries()) {
      const { threshold: text, abortOnFail, grace } = typeof entry === 'string' ? { threshold: entry } : entry;
      const condition = parseCondition(text);
      const abortAfter = abortOnFail ? Math.min(grace ?? DEFAULT_ABORT_GRACE, spec.replications) : undefined;
      if (condition) thresholds.push({ metric, variant, versus, at, condition, abortAfter });
      else problems.push({ path: ['thresholds', key, index], expected: CONDITION_FORM, got: formatGot(text) });
    }
  }
  return thresholds;
}

/** A threshold at a point that is never run would pass without having been asked. */
function checkSwept(
  axes: readonly SweepAxis[],
  path: string,
  text: string,
  place: readonly PropertyKey[],
  problems: Problems,
): void {
  const axis = axes.find((candidate) => candidate.path === path);
  if (!axis) {
    const swept = axes.length > 0 ? oneOf(axes.map((known) => known.path)) : 'none here';
    problems.push({ path: place, expected: `a path of the sweep, ${swept}`, got: formatGot(path) });
  } else if (axis.size <= MAX_CELLS && !axis.values().some((value) => isSameValue(value, text))) {
    problems.push({ path: place, expected: `a value of ${path} that is swept`, got: formatGot(text) });
  }
}

function checkMetric(mechanism: Mechanism, metric: string, path: readonly PropertyKey[], problems: Problems): void {
  const known = mechanism.metrics.map((spec) => spec.name);
  if (known.includes(metric)) return;
  problems.push({ path, expected: `a metric of ${mechanism.name}, ${oneOf(known, metric)}`, got: formatGot(metric) });
}

function checkLabel(
  variants: readonly ScenarioVariant[],
  label: string,
  path: readonly PropertyKey[],
  problems: Problems,
): void {
  const labels = variants.map((variant) => variant.label);
  if (labels.includes(label)) return;
  problems.push({ path, expected: `a variant of this scenario, ${oneOf(labels, label)}`, got: formatGot(label) });
}

/** The figures to compare: those that are listed, or all of the mechanism. */
export function checkPublished(mechanism: Mechanism, spec: ScenarioSpec, problems: Problems): PublishedFigure[] {
  if (!spec.published) return [...mechanism.published];
  const known = mechanism.published.map((figure) => figure.id);
  return spec.published.flatMap((id, index) => {
    const figure = mechanism.published.find((candidate) => candidate.id === id);
    if (figure) return [figure];
    const expected =
      known.length > 0 ? `a published figure, ${oneOf(known, id)}` : `no figure: ${mechanism.name} has none`;
    problems.push({ path: ['published', index], expected, got: formatGot(id) });
    return [];
  });
}

export function checkFind(
  mechanism: Mechanism,
  spec: ScenarioSpec,
  variants: readonly ScenarioVariant[],
  problems: Problems,
): FindSpec | undefined {
  const { find } = spec;
  if (!find) return undefined;
  const before = problems.length;
  const parameter = withoutSpec(find.parameter);
  const add = (key: string, expected: string, got: unknown) =>
    problems.push({ path: ['find', key], expected, got: formatGot(got) });
  if (!isSweepPath(parameter)) add('parameter', `a path below ${SWEEP_ROOTS.join(', ')}`, find.parameter);
  if (Object.keys(spec.sweep ?? {}).some((path) => withoutSpec(path) === parameter)) {
    add('parameter', 'a path that is not swept as well', find.parameter);
  }
  const from = quantityOf(find.from);
  const to = quantityOf(find.to);
  if (from === undefined) add('from', 'a number or a quantity', find.from);
  if (to === undefined) add('to', 'a number or a quantity', find.to);
  if (from !== undefined && to !== undefined && !(from < to)) add('to', `more than find.from (${from})`, find.to);
  const precision = precisionOf(find.precision);
  if (!precision) add('precision', 'a number above 0 or a percentage such as 5%', find.precision);
  else if (precision.kind === 'relative' && from !== undefined && from <= 0) {
    add('precision', 'no percentage where find.from is not above 0', find.precision);
  }
  checkMetric(mechanism, find.metric, ['find', 'metric'], problems);
  if (find.variant !== undefined) checkLabel(variants, find.variant, ['find', 'variant'], problems);
  const condition = parseCondition(find.condition);
  if (!condition) add('condition', CONDITION_FORM, find.condition);
  if (problems.length > before || from === undefined || to === undefined || !precision || !condition) return undefined;
  return {
    parameter,
    from,
    to,
    precision,
    // Ends that are whole, with room between: counts, CPUs, rates. Fractions are tried where an end has one.
    integer:
      Number.isInteger(from) &&
      Number.isInteger(to) &&
      to - from >= 2 &&
      !(precision.kind === 'absolute' && precision.value < 1),
    variants: find.variant === undefined ? variants.map((variant) => variant.label) : [find.variant],
    metric: find.metric,
    condition,
  };
}

const quantityOf = (value: string | number) => (typeof value === 'number' ? value : parseThresholdValue(value));

function precisionOf(value: string | number): FindSpec['precision'] | undefined {
  const percentage = typeof value === 'string' ? /^\s*([\d.]+)\s*%\s*$/.exec(value) : null;
  const number = percentage ? Number(percentage[1]) / 100 : quantityOf(value);
  return number !== undefined && number > 0 && Number.isFinite(number)
    ? { kind: percentage ? 'relative' : 'absolute', value: number }
    : undefined;
}
