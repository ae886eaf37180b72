// Between the telemetry types of a running cell and the messages that carry them. Nothing is lost on the way and back:
// the digest of what arrives is the digest of what was sent. Columns travel as the bytes they are in memory: they are
// shared, not copied, on the way out, and on the way in where the received bytes happen to be aligned.
import type {
  CellOutcome,
  ColumnSpec,
  Frame,
  HistogramSnapshot,
  TableSpec,
  TelemetryHeader,
  Unit,
} from '@kworkbench/telemetry';
import type * as wire from './generated/kworkbench/v1/telemetry.js';

const BYTES_PER_VALUE = Float64Array.BYTES_PER_ELEMENT;
/** The wire is little endian; where the host is not, every value is swapped. */
const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

const UNITS: ReadonlySet<string> = new Set<Unit>([
  'bytes',
  'seconds',
  'bytes_per_second',
  'per_second',
  'ratio',
  'count',
  'total',
]);

/** A message that no correct sender makes: a missing part, an unknown unit, a column of the wrong length. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

function unit(text: string, where: string): Unit {
  if (!UNITS.has(text))
    throw new MalformedMessage(`${where}: expected a unit (${[...UNITS].join(', ')}), got "${text}"`);
  return text as Unit;
}

function swapped(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes).swap64();
}

/** The column's memory as bytes, little endian. Shares memory on little-endian hosts. */
export function columnToBytes(column: Float64Array): Uint8Array {
  const bytes = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
  return HOST_IS_LITTLE_ENDIAN ? bytes : swapped(bytes);
}

/** The inverse of {@link columnToBytes}. Shares memory when the bytes are aligned to 8, else copies once. */
export function columnFromBytes(bytes: Uint8Array): Float64Array {
  if (bytes.byteLength % BYTES_PER_VALUE !== 0) {
    throw new MalformedMessage(`column: expected a multiple of ${BYTES_PER_VALUE} bytes, got ${bytes.byteLength}`);
  }
  const native = HOST_IS_LITTLE_ENDIAN ? bytes : swapped(bytes);
  const aligned =
    native.byteOffset % BYTES_PER_VALUE === 0 && native.buffer instanceof ArrayBuffer ? native : new Uint8Array(native);
  return new Float64Array(aligned.buffer as ArrayBuffer, aligned.byteOffset, bytes.byteLength / BYTES_PER_VALUE);
}

export function tablesToMessage(header: TelemetryHeader): wire.Table[] {
  return header.tables.map(({ name, help, columns }) => ({
    name,
    help,
    columns: columns.map((column) => ({ name: column.name, unit: column.unit, help: column.help })),
  }));
}

/** @throws MalformedMessage for a unit that nobody knows. */
export function headerFromMessage(tables: readonly wire.Table[]): TelemetryHeader {
  return {
    tables: tables.map((table): TableSpec => ({
      name: table.name,
      help: table.help,
      columns: table.columns.map((column): ColumnSpec => ({
        name: column.name,
        unit: unit(column.unit, `table ${table.name}, column ${column.name}`),
        help: column.help,
      })),
    })),
  };
}

export function frameToMessage(frame: Frame): wire.Frame {
  return {
    sequence: frame.sequence,
    table: frame.table,
    rows: frame.rows,
    columns: frame.columns.map(columnToBytes),
  };
}

/** @throws MalformedMessage when the table is unknown, or the columns are not those of the table, `rows` long each. */
export function frameFromMessage(message: wire.Frame, header: TelemetryHeader): Frame {
  const table = header.tables[message.table];
  const where = `frame ${message.sequence}`;
  if (!table)
    throw new MalformedMessage(
      `${where}: expected a table from 0 to ${header.tables.length - 1}, got ${message.table}`,
    );
  if (message.columns.length !== table.columns.length) {
    throw new MalformedMessage(`${where}: expected ${table.columns.length} columns, got ${message.columns.length}`);
  }
  const columns = message.columns.map(columnFromBytes);
  const wrong = columns.findIndex((column) => column.length !== message.rows);
  if (wrong >= 0) {
    throw new MalformedMessage(
      `${where}: expected ${message.rows} rows in column ${table.columns[wrong]!.name}, got ${columns[wrong]!.length}`,
    );
  }
  return { sequence: message.sequence, table: message.table, rows: message.rows, columns };
}

export function outcomeToMessage(outcome: CellOutcome, digest: string, wallSeconds: number): wire.CellOutcome {
  return {
    digest,
    metricNames: Object.keys(outcome.metrics),
    metricValues: Object.values(outcome.metrics),
    histograms: outcome.histograms.map((histogram) => ({
      ...histogram,
      indexes: [...histogram.indexes],
      counts: [...histogram.counts],
    })),
    virtualSeconds: outcome.virtualSeconds,
    events: outcome.events,
    wallSeconds,
  };
}

/**
 * The outcome alone: digest and wall time are about the run, and stay in the message.
 * @throws MalformedMessage for an unknown unit, or names and values that do not pair up.
 */
export function outcomeFromMessage(message: wire.CellOutcome): CellOutcome {
  const { metricNames, metricValues } = message;
  if (metricNames.length !== metricValues.length) {
    throw new MalformedMessage(`outcome: expected ${metricNames.length} metric values, got ${metricValues.length}`);
  }
  return {
    metrics: Object.fromEntries(metricNames.map((name, index) => [name, metricValues[index]!])),
    histograms: message.histograms.map((histogram): HistogramSnapshot => ({
      name: histogram.name,
      unit: unit(histogram.unit, `histogram ${histogram.name}`),
      help: histogram.help,
      scale: histogram.scale,
      total: histogram.total,
      min: histogram.min,
      max: histogram.max,
      sum: histogram.sum,
      indexes: histogram.indexes,
      counts: histogram.counts,
    })),
    virtualSeconds: message.virtualSeconds,
    events: message.events,
  };
}
