// What a running cell says about itself. Everything here is plain data that survives a worker boundary, a gRPC
// stream and a database without change; the digest of a cell is taken over exactly this.
//
// Order: one header, then frames with sequence numbers 0, 1, 2, ... (over all tables), then one outcome.

/** Base units only, as Prometheus has them; a metric or column name ends with its unit (`_bytes`, `_seconds`, ...). */
export type Unit = 'bytes' | 'seconds' | 'bytes_per_second' | 'per_second' | 'ratio' | 'count' | 'total';

export interface ColumnSpec {
  readonly name: string;
  readonly unit: Unit;
  readonly help: string;
}

/** A table of samples. The first column is always `time_seconds`, virtual time since the cell began, not decreasing. */
export interface TableSpec {
  readonly name: string;
  readonly help: string;
  readonly columns: readonly ColumnSpec[];
}

export interface TelemetryHeader {
  readonly tables: readonly TableSpec[];
}

/** A block of rows of one table, stored by column. */
export interface Frame {
  /** 0, 1, 2, ... over all tables of the cell, without gaps. */
  readonly sequence: number;
  /** Index into {@link TelemetryHeader.tables}. */
  readonly table: number;
  readonly rows: number;
  /** One array per column of the table, each `rows` long. */
  readonly columns: readonly Float64Array[];
}

/** Where a mechanism puts its telemetry while it runs. Calls are synchronous; the sink owns what it is given. */
export interface TelemetrySink {
  header(header: TelemetryHeader): void;
  frame(frame: Frame): void;
}

/** A log-linear histogram, as data: bucket `indexes[i]` holds `counts[i]` samples (see Histogram for the layout). */
export interface HistogramSnapshot {
  readonly name: string;
  readonly unit: Unit;
  readonly help: string;
  /** What one count unit of the stored integers is worth, e.g. 1e-9 when nanoseconds were recorded as `seconds`. */
  readonly scale: number;
  readonly total: number;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
}

/** What a cell ends with. Pure: no wall time in it. */
export interface CellOutcome {
  /** Metric name to value, in base units. Every metric that the mechanism declares is present; NaN never is. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly histograms: readonly HistogramSnapshot[];
  /** Virtual time that the cell simulated. */
  readonly virtualSeconds: number;
  /** Events that the simulator executed. */
  readonly events: number;
}
