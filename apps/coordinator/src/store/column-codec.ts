// A frame as bytes: its columns one after the other, each `rows` x float64, little endian, bit for bit (NaN payloads and
// negative zero included).
import { endianness } from 'node:os';
import type { Frame } from '@kworkbench/telemetry';

const BYTES_PER_VALUE = 8;
const HOST_IS_BIG_ENDIAN = endianness() === 'BE';

export function encodeColumns(frame: Frame): Buffer {
  const bytes = Buffer.allocUnsafe(frame.columns.length * frame.rows * BYTES_PER_VALUE);
  let offset = 0;
  for (const column of frame.columns) {
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), offset);
    offset += column.byteLength;
  }
  return HOST_IS_BIG_ENDIAN ? bytes.swap64() : bytes;
}

/** Writes the columns of one stored frame into `columns`, from row `firstRow` on. */
export function decodeColumns(
  data: Uint8Array,
  rows: number,
  columns: readonly Float64Array[],
  firstRow: number,
): void {
  const columnBytes = rows * BYTES_PER_VALUE;
  if (data.byteLength !== columns.length * columnBytes) {
    throw new Error(
      `store: a frame of ${columns.length} columns and ${rows} rows has ${data.byteLength} bytes, expected ${columns.length * columnBytes}`,
    );
  }
  const source = HOST_IS_BIG_ENDIAN ? Buffer.from(data).swap64() : data;
  columns.forEach((column, index) => {
    // Copied as bytes: what a database hands out need not be aligned for a Float64Array.
    new Uint8Array(column.buffer, column.byteOffset + firstRow * BYTES_PER_VALUE, columnBytes).set(
      source.subarray(index * columnBytes, (index + 1) * columnBytes),
    );
  });
}
