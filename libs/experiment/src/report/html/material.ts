// What the page shows besides the report: histograms over all replications, and series of one replication, thinned out.
// Series keep their extremes: of every stretch its smallest and its largest value stay.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Histogram, type HistogramSnapshot } from '@kworkbench/telemetry';
import type { Point } from '../../scenario/scenario.js';
import type { Report } from '../schema.js';

/** Points that all series together may have: a page of two megabytes. */
const SERIES_POINTS = 120_000;
const MOST_POINTS = 400;
const LEAST_POINTS = 60;
/** Sweep points whose series are shown, evenly taken from all. */
export const MAX_SERIES_GROUPS = 12;

export interface Series {
  readonly table: string;
  readonly column: string;
  readonly times: Float64Array;
  readonly values: Float64Array;
}

export interface GroupMaterial {
  readonly variant: string;
  readonly point: Point;
  readonly histograms: readonly HistogramSnapshot[];
  readonly series: readonly Series[];
}

/** What is kept of a cell. */
export interface CellMaterial {
  readonly histograms: readonly HistogramSnapshot[];
  /** @param points samples of a table with so many columns that are wanted at most. */
  series(points: (columns: number) => number): Promise<readonly Series[]>;
}

/** What is kept of a cell; undefined when nothing is. */
export type CellSource = (cell: Report['cells'][number]) => Promise<CellMaterial | undefined>;

/** Everything that can be found for the groups of a report; what is missing is not shown. */
export async function collectMaterial(report: Report, source: CellSource): Promise<GroupMaterial[]> {
  const groups = new Map<string, Report['cells'][number][]>();
  for (const cell of report.cells) {
    const key = JSON.stringify([cell.variant, cell.point]);
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  const shown = shownPoints(report);
  const material: GroupMaterial[] = [];
  const share = SERIES_POINTS / Math.max(1, shown.size * report.variants.length);
  const points = (columns: number) => Math.min(MOST_POINTS, Math.max(LEAST_POINTS, Math.floor(share / columns)));
  for (const cells of groups.values()) {
    const { variant, point } = cells[0]!;
    const merged = new Map<string, Histogram>();
    let series: readonly Series[] = [];
    for (const [i, cell] of cells.entries()) {
      const found = await source(cell);
      if (!found) continue;
      for (const snapshot of found.histograms) {
        const histogram = Histogram.fromSnapshot(snapshot);
        const others = merged.get(snapshot.name);
        if (others) others.merge(histogram);
        else merged.set(snapshot.name, histogram);
      }
      if (i === 0 && shown.has(JSON.stringify(point))) series = await found.series(points);
    }
    material.push({ variant, point, series, histograms: [...merged.values()].map((each) => each.snapshot()) });
  }
  return material;
}

/** The sweep points whose charts are shown, as JSON. */
export function shownPoints(report: Report): Set<string> {
  const points = [...new Set(report.cells.map(({ point }) => JSON.stringify(point)))];
  if (points.length <= MAX_SERIES_GROUPS) return new Set(points);
  const step = (points.length - 1) / (MAX_SERIES_GROUPS - 1);
  return new Set(Array.from({ length: MAX_SERIES_GROUPS }, (_, i) => points[Math.round(i * step)]!));
}

/** The series of the CSV files of a folder; none when there is no such folder. */
export function seriesOfFolder(folder: string, points: (columns: number) => number): Series[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.csv'))
    .toSorted()
    .flatMap((file) => {
      const { names, columns } = parseCsv(readFileSync(join(folder, file), 'utf8'));
      return seriesOfTable(basename(file, '.csv'), names, columns, points(names.length));
    });
}

/** A series per column of a table, its first column being the time; none of a table without samples or without time. */
export function seriesOfTable(
  table: string,
  names: readonly string[],
  columns: readonly Float64Array[],
  points: number,
): Series[] {
  const [times] = columns;
  if (names[0] !== 'time_seconds' || times === undefined || times.length < 2) return [];
  return names.slice(1).map((column, i) => ({ table, column, ...thinned(times, columns[i + 1]!, points) }));
}

function parseCsv(text: string): { names: string[]; columns: Float64Array[] } {
  const lines = text.trimEnd().split('\n');
  const names = lines[0]!.split(',');
  const columns = names.map(() => new Float64Array(lines.length - 1));
  for (let row = 1; row < lines.length; row++) {
    for (const [column, value] of lines[row]!.split(',').entries()) columns[column]![row - 1] = Number(value);
  }
  return { names, columns };
}

/** At most about `points` of the samples, extremes kept: the smallest and the largest of every stretch, in order. */
export function thinned(times: Float64Array, values: Float64Array, points: number): Pick<Series, 'times' | 'values'> {
  if (times.length <= points) return { times, values };
  const keep = new Set([0, times.length - 1]);
  const stretches = Math.max(1, Math.floor(points / 2));
  for (let stretch = 0; stretch < stretches; stretch++) {
    const from = Math.floor((stretch * times.length) / stretches);
    const to = Math.floor(((stretch + 1) * times.length) / stretches);
    let [low, high] = [from, from];
    for (let i = from; i < to; i++) {
      if (values[i]! < values[low]!) low = i;
      if (values[i]! > values[high]!) high = i;
    }
    keep.add(low).add(high);
  }
  const indexes = [...keep].toSorted((a, b) => a - b);
  return { times: Float64Array.from(indexes, (i) => times[i]!), values: Float64Array.from(indexes, (i) => values[i]!) };
}
