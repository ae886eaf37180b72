// A cell with a few samples, and the digest of all that it says.
import { TelemetryDigest, type CellOutcome, type Frame, type TelemetryHeader } from '@kworkbench/telemetry';

export function sampleCell(frameCount: number) {
  const header: TelemetryHeader = {
    tables: [{ name: 't', help: 'h', columns: [{ name: 'time_seconds', unit: 'seconds', help: '' }] }],
  };
  const frames = Array.from({ length: frameCount }, (_, sequence): Frame => ({
    sequence,
    table: 0,
    rows: 2,
    columns: [Float64Array.of(sequence, sequence + 0.5)],
  }));
  const outcome: CellOutcome = { metrics: { x_total: 1 }, histograms: [], virtualSeconds: 2, events: 3 };
  const hash = new TelemetryDigest();
  hash.header(header);
  for (const frame of frames) hash.frame(frame);
  return { header, frames, outcome, digest: hash.outcome(outcome) };
}
