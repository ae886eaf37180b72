// Telemetry in the forms that other tools read: HdrHistogram percentile text (.hgrm) and log (.hlog), CSV.
import { createRequire } from 'node:module';
import { Histogram, bucketValue } from './histogram.js';
import type { Frame, HistogramSnapshot, TableSpec } from './types.js';

const require = createRequire(import.meta.url);

/** Loaded at its first use: it costs 50 ms, and every start of the CLI and of a cell worker would pay for it. */
const hdrLibrary = () => require('hdr-histogram-js') as typeof import('hdr-histogram-js');

/** Percentile lines per halving of the distance to 100 %, the usual value of HdrHistogram's tools. */
const TICKS_PER_HALF_DISTANCE = 5;

/** Rebuilds the samples: every bucket by its middle, the smallest and the largest sample exactly. */
function toHdr(snapshot: HistogramSnapshot) {
  Histogram.fromSnapshot(snapshot); // refuses what is no histogram
  const hdr = hdrLibrary().build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3, autoResize: true });
  const { indexes, counts, min, max } = snapshot;
  for (let i = 0; i < indexes.length; i++) {
    const middle = Math.min(max, Math.max(min, bucketValue(indexes[i]!)));
    let count = counts[i]!;
    if (i === indexes.length - 1) {
      hdr.recordValueWithCount(max, 1);
      count--;
    }
    if (i === 0 && count > 0) {
      hdr.recordValueWithCount(min, 1);
      count--;
    }
    if (count > 0) hdr.recordValueWithCount(middle, count);
  }
  return hdr;
}

/** Raw units per printed unit. HdrHistogram prints three decimals: times go out as microseconds, the rest as it is. */
function printScale(snapshot: HistogramSnapshot): { readonly ratio: number; readonly unit: string } {
  return snapshot.unit === 'seconds'
    ? { ratio: 1e-6 / snapshot.scale, unit: 'microseconds' }
    : { ratio: 1 / snapshot.scale, unit: snapshot.unit };
}

/** HdrHistogram percentile distribution (.hgrm); times in microseconds, other units as they are. */
export function toPercentileText(snapshot: HistogramSnapshot): string {
  const { ratio, unit } = printScale(snapshot);
  const text = toHdr(snapshot).outputPercentileDistribution(TICKS_PER_HALF_DISTANCE, ratio);
  return `${text}#[Name    = ${snapshot.name}, unit           = ${unit}]\n`;
}

/** HdrHistogram log (.hlog) with one tagged interval per histogram, from 0 to `virtualSeconds`; raw integer values. */
export function toHdrLog(snapshots: readonly HistogramSnapshot[], virtualSeconds: number): string {
  let text = '';
  const writer = new (hdrLibrary().HistogramLogWriter)((part) => (text += part));
  writer.outputLogFormatVersion();
  writer.outputLegend();
  for (const snapshot of snapshots) {
    const hdr = toHdr(snapshot);
    hdr.tag = snapshot.name;
    writer.outputIntervalHistogram(hdr, 0, virtualSeconds, printScale(snapshot).ratio);
  }
  return text;
}

/** CSV of one table, header line first, in chunks of one frame so that a long series need not stand in one string. */
export function* csvChunks(table: TableSpec, tableIndex: number, frames: Iterable<Frame>): Generator<string> {
  yield `${table.columns.map((column) => column.name).join(',')}\n`;
  for (const frame of frames) {
    if (frame.table !== tableIndex) continue;
    const lines: string[] = [];
    for (let row = 0; row < frame.rows; row++) {
      lines.push(frame.columns.map((column) => column[row]).join(','));
    }
    yield `${lines.join('\n')}\n`;
  }
}

/** {@link csvChunks} in one string. */
export function toCsv(table: TableSpec, tableIndex: number, frames: Iterable<Frame>): string {
  return [...csvChunks(table, tableIndex, frames)].join('');
}
