// Fewer samples that tell the same story: of every stretch of time the rows with the smallest and the largest value of
// each column stay, and the first and the last row of all. Whole rows are kept as they are; nothing is averaged.
//
// Thinning what was thinned before keeps the same promise for the widest stretches of the two: an extreme is never
// thinned away, however often it happens.

/** Columns of the same length; the first one is time, which never decreases. */
export type Columns = readonly Float64Array[];

/** Rows that must stay whatever is asked: the ends, and both extremes of every column once. */
export const leastRows = (columns: number) => 2 + 2 * Math.max(0, columns - 1);

/**
 * The rows to keep, ascending, of `from` to `to` (exclusive).
 * @param maxRows upper bound of their number; {@link leastRows} where it is less than that.
 */
export function extremeRows(columns: Columns, from: number, to: number, maxRows: number): number[] {
  if (to - from <= maxRows) return Array.from({ length: to - from }, (_, index) => from + index);
  const values = columns.slice(1);
  if (values.length === 0) return evenRows(from, to, Math.max(maxRows, 2));
  const buckets = Math.max(1, Math.floor((maxRows - 2) / (2 * values.length)));
  const kept = new Set<number>([from]);
  const ends = bucketEnds(columns[0]!, from, to, buckets);
  for (let begin = from, bucket = 0; bucket < buckets; begin = ends[bucket++]!) {
    for (const column of values) keepExtremes(column, begin, ends[bucket]!, kept);
  }
  kept.add(to - 1);
  return [...kept].sort((a, b) => a - b);
}

/** The columns with these rows alone. */
export function pickRows(columns: Columns, rows: readonly number[]): Float64Array[] {
  return columns.map((column) => Float64Array.from(rows, (row) => column[row]!));
}

/** The first row of `column` (ascending) whose value is at least `value`; its length when there is none. */
export function firstAtLeast(column: Float64Array, value: number): number {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Per bucket of equal time the row behind its last one. Of equal numbers of rows where time does not pass. */
function bucketEnds(time: Float64Array, from: number, to: number, buckets: number): number[] {
  const begin = time[from]!;
  const span = time[to - 1]! - begin;
  if (!(span > 0 && Number.isFinite(span))) {
    return Array.from({ length: buckets }, (_, bucket) => from + Math.floor(((to - from) * (bucket + 1)) / buckets));
  }
  const ends: number[] = [];
  for (let row = from; ends.length < buckets - 1; ends.push(row)) {
    const end = begin + (span * (ends.length + 1)) / buckets;
    while (row < to && time[row]! < end) row++;
  }
  ends.push(to);
  return ends;
}

function keepExtremes(column: Float64Array, from: number, to: number, kept: Set<number>): void {
  let least = -1;
  let most = -1;
  for (let row = from; row < to; row++) {
    const value = column[row]!;
    if (Number.isNaN(value)) continue;
    if (least < 0 || value < column[least]!) least = row;
    if (most < 0 || value > column[most]!) most = row;
  }
  if (least >= 0) kept.add(least).add(most);
}

function evenRows(from: number, to: number, rows: number): number[] {
  const last = to - 1 - from;
  return Array.from({ length: rows }, (_, index) => from + Math.floor((last * index) / (rows - 1)));
}
