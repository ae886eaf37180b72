// Axes of a sweep to points. An axis is a list, a range with a step, or a range with points at equal ratios. Sizes are
// worked out before anything is expanded: a slip in three axes must not fill the memory.
import type { Scalar } from '../cell.js';
import { parseThresholdValue } from '../thresholds.js';
import { withoutSpec } from './overriding.js';
import { formatGot } from './problems.js';
import { SWEEP_ROOTS } from './resolve.js';
import type { Point } from './scenario.js';
import type { ScenarioSpec, SweepRange } from './schema.js';
import type { FieldProblem } from './zod-problems.js';

/** Values of a range are rounded to this many digits: 0.1 + 0.2 is 0.3 for whoever reads the report. */
const RANGE_DIGITS = 12;
/** Points at equal ratios are no round numbers anyway; four digits are enough to tell them apart in a table. */
const LOG_DIGITS = 4;

export interface SweepAxis {
  readonly path: string;
  readonly size: number;
  values(): readonly Scalar[];
}

export const isSweepPath = (path: string): boolean => {
  const [root, ...rest] = path.split('.');
  return SWEEP_ROOTS.some((known) => known === root) && rest.length > 0 && rest.every((key) => key !== '');
};

/** The axes in the order of the file; what is wrong with one goes to `problems`, and it is left out. */
export function sweepAxes(spec: ScenarioSpec, problems: FieldProblem[]): SweepAxis[] {
  return Object.entries(spec.sweep ?? {}).flatMap(([name, values]) => {
    const path = withoutSpec(name);
    if (!isSweepPath(path)) {
      const expected = `a path below ${SWEEP_ROOTS.join(', ')}`;
      problems.push({ path: ['sweep', name], expected, got: formatGot(name) });
      return [];
    }
    if (Array.isArray(values)) return [{ path, size: values.length, values: () => values }];
    const axis = rangeAxis(path, values, (key, expected, got) =>
      problems.push({ path: ['sweep', name, ...(key === '' ? [] : [key])], expected, got: formatGot(got) }),
    );
    return axis ? [axis] : [];
  });
}

type Refuse = (key: string, expected: string, got: unknown) => void;

function rangeAxis(path: string, range: SweepRange, refuse: Refuse): SweepAxis | undefined {
  const from = quantityOf(range.from);
  const to = quantityOf(range.to);
  if (from === undefined) return void refuse('from', 'a number or a quantity', range.from);
  if (to === undefined) return void refuse('to', 'a number or a quantity', range.to);
  if (!(from < to)) return void refuse('to', `more than from (${from})`, range.to);
  if ((range.step === undefined) === (range.points === undefined)) {
    return void refuse('', 'either step or points beside from and to', range);
  }
  if (range.points !== undefined) return logAxis(path, from, to, range.points, refuse);
  const step = quantityOf(range.step!);
  if (step === undefined || !(step > 0)) return void refuse('step', 'a number or a quantity above 0', range.step);
  // A hair more, so that rounding does not lose the last value.
  const size = Math.floor((to - from) / step + 1e-9) + 1;
  const values = () => Array.from({ length: size }, (_, i) => rounded(from + i * step, RANGE_DIGITS));
  return { path, size, values };
}

/** Between whole ends only whole numbers: counts, CPUs, rates. Neighbours that fall together are one. */
function logAxis(path: string, from: number, to: number, points: number, refuse: Refuse): SweepAxis | undefined {
  if (!(from > 0)) return void refuse('from', 'more than 0 where points lie at equal ratios', from);
  const whole = Number.isInteger(from) && Number.isInteger(to);
  const at = (i: number) => {
    if (i === 0) return from;
    if (i === points - 1) return to;
    const exact = from * (to / from) ** (i / (points - 1));
    return whole ? Math.round(exact) : rounded(exact, LOG_DIGITS);
  };
  return { path, size: points, values: () => [...new Set(Array.from({ length: points }, (_, i) => at(i)))] };
}

const rounded = (value: number, digits: number) => Number(value.toPrecision(digits));

const quantityOf = (value: string | number) =>
  typeof value === 'number' ? (Number.isFinite(value) ? value : undefined) : parseThresholdValue(value);

/** How many points the axes give at most. */
export const pointCount = (axes: readonly SweepAxis[]): number => axes.reduce((count, { size }) => count * size, 1);

/** The cross product, the first path varying slowest; one empty point without an axis. */
export function expandSweep(axes: readonly SweepAxis[]): Point[] {
  let points: Point[] = [{}];
  for (const { path, values } of axes) {
    const each = values();
    points = points.flatMap((point) => each.map((value) => ({ ...point, [path]: value })));
  }
  return points;
}
