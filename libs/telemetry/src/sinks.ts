// Small sinks to put behind a recorder.
import type { Frame, TelemetryHeader, TelemetrySink } from './types.js';

/** Hands everything to each sink in turn. The sinks share the frames: at most the last one may take the buffers away. */
export function tee(...sinks: readonly TelemetrySink[]): TelemetrySink {
  return {
    header: (header) => sinks.forEach((sink) => sink.header(header)),
    frame: (frame) => sinks.forEach((sink) => sink.frame(frame)),
  };
}

/** Keeps everything, for run directories and tests. */
export class MemorySink implements TelemetrySink {
  headers: TelemetryHeader[] = [];
  readonly frames: Frame[] = [];

  header(header: TelemetryHeader): void {
    this.headers.push(header);
  }

  frame(frame: Frame): void {
    this.frames.push(frame);
  }

  get tables() {
    return this.headers[0]?.tables ?? [];
  }

  /** All values of one column, in order. @throws when there is no such table or column. */
  column(tableName: string, columnName: string): Float64Array {
    const table = this.tables.findIndex((spec) => spec.name === tableName);
    const column = this.tables[table]?.columns.findIndex((spec) => spec.name === columnName) ?? -1;
    if (column < 0) throw new Error(`no column ${tableName}.${columnName}`);
    const parts = this.frames.filter((frame) => frame.table === table).map((frame) => frame.columns[column]!);
    const all = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      all.set(part, offset);
      offset += part.length;
    }
    return all;
  }
}

/** Drops everything. */
export const nullSink: TelemetrySink = { header() {}, frame() {} };
