// A run may go on for hours after everything has happened: a chart of all of it would show a needle and a flat line.

interface Samples {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** Of what a chart spans upwards; less than this is no change to an eye. */
const VISIBLE_CHANGE = 0.01;
/** Only where a good part of the chart is gained. */
const WORTH_CUTTING = 0.6;
/** Shown beyond the last change, so that it can be seen that nothing follows. */
const BEYOND = 1.1;

/** The samples until shortly after the last change of any of them; `settledAt` only where something was cut off. */
export function untilSettled(lines: readonly Samples[]): { shown: readonly Samples[]; settledAt: number | undefined } {
  const values = lines.flatMap((line) => Array.from(line.values));
  const least = VISIBLE_CHANGE * (Math.max(...values) - Math.min(...values));
  const settledAt = Math.max(...lines.map((line) => lastChange(line, least)));
  const end = Math.max(...lines.map(({ times }) => times.at(-1) ?? 0));
  const cut = settledAt * BEYOND;
  if (!(cut < end * WORTH_CUTTING) || cut <= 0) return { shown: lines, settledAt: undefined };
  return { shown: lines.map((line) => until(line, cut)), settledAt };
}

/** When a line has got to where it stays; the first time of one that never changes. */
function lastChange({ times, values }: Samples, least: number): number {
  const final = values.at(-1) ?? 0;
  const last = values.findLastIndex((value) => Math.abs(value - final) > least);
  return times[Math.min(last + 1, times.length - 1)] ?? 0;
}

/** What is cut is flat, so the line goes on to the cut at the value that it has there. */
function until(line: Samples, cut: number): Samples {
  const kept = line.times.findLastIndex((time) => time <= cut) + 1;
  if (kept === line.times.length || kept === 0) return line;
  return {
    times: Float64Array.of(...line.times.subarray(0, kept), cut),
    values: Float64Array.of(...line.values.subarray(0, kept), line.values[kept - 1]!),
  };
}
