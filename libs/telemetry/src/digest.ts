// SHA-256 over everything that a cell says, in one canonical byte form, so that a run here, a run there and what a
// database gives back can be compared by 64 characters.
//
// Bytes, in this order (all numbers little endian):
//   header:  u32 length, canonical JSON of the header (UTF-8)
//   frame:   u32 sequence, u32 table, u32 rows, then per column rows x f64
//   outcome: u32 0xffffffff, u32 number of metrics; per metric, sorted by name: u32 length, name, f64 value;
//            u32 length, canonical JSON of the histograms; f64 virtualSeconds; f64 events
// Cells are compared across machines, so a host of the other byte order is refused rather than silently different.
import { createHash } from 'node:crypto';
import { endianness } from 'node:os';
import { canonicalJson } from './canonical-json.js';
import type { CellOutcome, Frame, TelemetryHeader, TelemetrySink } from './types.js';

/** Stands where the sequence number of a next frame would be. */
const OUTCOME_MARK = 0xffffffff;

/** Writes the canonical bytes; a digest and (later) a file of raw telemetry are both fed from it. */
export class TelemetryDigest implements TelemetrySink {
  readonly #hash = createHash('sha256');
  #columns: readonly number[] | undefined;
  #sequence = 0;
  #ended = false;

  constructor() {
    if (endianness() !== 'LE') throw new Error('telemetry digests need a little-endian host');
  }

  /** @throws on a second header. */
  header(header: TelemetryHeader): void {
    if (this.#columns) throw new Error('telemetry: a second header');
    this.#columns = header.tables.map((table) => table.columns.length);
    this.#text(canonicalJson(header));
  }

  /** @throws on a gap or repetition in the sequence, and on a frame that does not fit its table. */
  frame(frame: Frame): void {
    if (!this.#columns) throw new Error('telemetry: a frame before the header');
    if (this.#ended) throw new Error('telemetry: a frame after the outcome');
    if (frame.sequence !== this.#sequence) {
      throw new Error(`telemetry: expected frame ${this.#sequence}, got ${frame.sequence}`);
    }
    const columns = this.#columns[frame.table];
    if (columns === undefined) throw new Error(`telemetry: frame ${frame.sequence} is of unknown table ${frame.table}`);
    if (columns !== frame.columns.length || frame.columns.some((column) => column.length !== frame.rows)) {
      throw new Error(`telemetry: frame ${frame.sequence} does not have ${columns} columns of ${frame.rows} rows`);
    }
    this.#sequence++;
    this.#hash.update(u32(frame.sequence, frame.table, frame.rows));
    for (const column of frame.columns) {
      this.#hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
    }
  }

  /** Ends the stream. @returns the digest, 64 hex digits. */
  outcome(outcome: CellOutcome): string {
    if (!this.#columns) throw new Error('telemetry: an outcome before the header');
    if (this.#ended) throw new Error('telemetry: a second outcome');
    this.#ended = true;
    const names = Object.keys(outcome.metrics).sort();
    this.#hash.update(u32(OUTCOME_MARK, names.length));
    for (const name of names) {
      this.#text(name);
      this.#f64(finite(name, outcome.metrics[name]!));
    }
    this.#text(canonicalJson(outcome.histograms));
    this.#f64(finite('virtualSeconds', outcome.virtualSeconds), finite('events', outcome.events));
    return this.#hash.digest('hex');
  }

  #text(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    this.#hash.update(u32(bytes.length)).update(bytes);
  }

  #f64(...values: number[]): void {
    this.#hash.update(new Uint8Array(Float64Array.from(values).buffer));
  }
}

const u32 = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);

function finite(name: string, value: number): number {
  if (!Number.isFinite(value)) throw new Error(`telemetry: ${name} is ${value}, expected a finite number`);
  return value;
}
