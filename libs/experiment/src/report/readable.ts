// A report as a person wants to read it: points by value, and without the axes that have one value alone, which say
// nothing that tells two rows apart. What a program reads keeps the order and the names of the scenario.
import { durationSeconds, sizeBytes } from '@kworkbench/mechanism';
import type { Report } from './schema.js';
import type { ShownPoint } from './words.js';

type Scalar = ShownPoint[string];

export interface Axis {
  readonly path: string;
  /** By value where they are quantities, else as they came. */
  readonly values: readonly Scalar[];
}

export interface Readable {
  readonly report: Report;
  /** Swept paths with more than one value. The parameter of a search is not one: its values are the answer. */
  readonly axes: readonly Axis[];
  /** Swept paths with one value. */
  readonly fixed: readonly Axis[];
  /** A point without what is fixed. */
  shorten(point: ShownPoint): ShownPoint;
  byPoint(a: { readonly point: ShownPoint }, b: { readonly point: ShownPoint }): number;
}

export function readable(report: Report): Readable {
  const searched = new Set(report.find.map(({ parameter }) => parameter));
  const all = axesOf(report);
  const axes = all.filter(({ path, values }) => values.length > 1 && !searched.has(path));
  const fixed = all.filter(({ path, values }) => values.length === 1 && !searched.has(path));
  const dropped = new Set(fixed.map(({ path }) => path));
  const shorten = (point: ShownPoint): ShownPoint =>
    Object.fromEntries(Object.entries(point).filter(([path]) => !dropped.has(path)));
  const ranks = axes.map(({ path, values }) => ({ path, rank: new Map(values.map((value, i) => [value, i])) }));
  const place = (point: ShownPoint, path: string, rank: ReadonlyMap<Scalar, number>) => rank.get(point[path]!) ?? 0;
  const byPoint = (a: { readonly point: ShownPoint }, b: { readonly point: ShownPoint }): number => {
    for (const { path, rank } of ranks) {
      const order = place(a.point, path, rank) - place(b.point, path, rank);
      if (order !== 0) return order;
    }
    return 0;
  };
  const readably = <T extends { readonly point: ShownPoint }>(entries: readonly T[]): T[] =>
    entries.toSorted(byPoint).map((entry) => ({ ...entry, point: shorten(entry.point) }));
  const { cells, failures, summary, comparisons, published, thresholds, find } = report;
  return {
    axes,
    fixed,
    shorten,
    byPoint,
    report: {
      ...report,
      cells: readably(cells),
      failures: readably(failures),
      summary: readably(searched.size > 0 ? inStepsOf(report, [...searched]) : summary),
      comparisons: readably(comparisons),
      // Figures and thresholds stay together; within one of them its points are in order.
      published: inOrderOf(published, ({ id }) => id).flatMap(readably),
      thresholds: inOrderOf(thresholds, ({ metric, condition }) => `${metric} ${condition}`).flatMap(readably),
      find: readably(find),
    },
  };
}

/** Search by search, each by the values that it tried: the variants try others. */
function inStepsOf({ summary, variants }: Report, searched: readonly string[]): Report['summary'] {
  const places = new Map(variants.map(({ label }, i) => [label, i]));
  const compare = (a: Report['summary'][number], b: Report['summary'][number]): number =>
    places.get(a.variant)! - places.get(b.variant)! ||
    (searched.map((path) => Number(a.point[path]) - Number(b.point[path])).find((step) => step !== 0) ?? 0);
  return summary.toSorted(compare);
}

/** The entries of each key together, keys in the order of their first entry. */
function inOrderOf<T>(entries: readonly T[], keyOf: (entry: T) => string): T[][] {
  const byKey = new Map<string, T[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const same = byKey.get(key);
    if (same) same.push(entry);
    else byKey.set(key, [entry]);
  }
  return [...byKey.values()];
}

function axesOf({ cells, failures }: Report): Axis[] {
  const found = new Map<string, Set<Scalar>>();
  for (const { point } of [...cells, ...failures]) {
    for (const [path, value] of Object.entries(point)) {
      const values = found.get(path);
      if (values) values.add(value);
      else found.set(path, new Set([value]));
    }
  }
  return [...found].map(([path, values]) => ({ path, values: sorted([...values]) }));
}

const QUANTITIES = [sizeBytes(), durationSeconds()];

function sorted(values: readonly Scalar[]): readonly Scalar[] {
  const amounts = new Map(values.map((value) => [value, amountOf(value)]));
  if ([...amounts.values()].some((amount) => !Number.isFinite(amount))) return values;
  return values.toSorted((a, b) => amounts.get(a)! - amounts.get(b)!);
}

function amountOf(value: Scalar): number {
  if (typeof value !== 'string') return typeof value === 'number' ? value : Number.NaN;
  const read = QUANTITIES.map((quantity) => quantity.safeParse(value)).find(({ success }) => success);
  return Number(read?.data);
}
