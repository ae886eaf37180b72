// Which parts of a failed job the main thread undoes: all that was handed out, except what failed, for a thread function
// undoes its own chunk before it returns an error.
export interface Range {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * The gaps between failed chunks from the start of the job to where it was handed out, ascending. One may span many chunks.
 * @param failed disjoint, in any order.
 */
export function undoRanges(start: number, position: number, failed: readonly Range[]): Range[] {
  const sorted = [...failed].sort((a, b) => a.start - b.start);
  const ranges: Range[] = [];
  let at = start;
  for (const range of sorted) {
    if (range.start > at) ranges.push({ start: at, end: range.start });
    at = range.end;
  }
  if (at < position) ranges.push({ start: at, end: position });
  return ranges;
}
