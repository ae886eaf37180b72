// The telemetry of one cell until it is committed: all of it, or, beyond a bound, as much as fits with the extremes of
// every column in it. Which samples stay follows from the frames alone, so every attempt at a cell keeps the same.
import type { Frame, TelemetryHeader } from '@kworkbench/telemetry';
import { extremeRows, leastRows, pickRows } from './thinning.js';

/** Telemetry that is kept of one cell. The catalogue's cells have a few MB; a chart has some thousand points. */
export const MAX_KEPT_BYTES = 16 * 2 ** 20;
/** Of a frame that is made here: like those that arrive, a blob of some 100 KB. */
const ROWS_PER_FRAME = 4_096;

interface Table {
  frames: Frame[];
  rows: number;
  arrivedRows: number;
}

const bytesOf = ({ columns }: Pick<Frame, 'columns'>) => columns.reduce((sum, column) => sum + column.byteLength, 0);

export class KeptTelemetry {
  readonly #tables: Table[];
  /** In the order of arrival; only as long as nothing was thinned. */
  #whole: Frame[] | undefined = [];
  #bytes = 0;

  constructor(
    header: TelemetryHeader,
    private readonly maxBytes = MAX_KEPT_BYTES,
  ) {
    this.#tables = header.tables.map(() => ({ frames: [], rows: 0, arrivedRows: 0 }));
  }

  /** Memory that is held now; never more than the bound and one frame. */
  get bytes(): number {
    return this.#bytes;
  }

  add(frame: Frame): void {
    const table = this.#tables[frame.table]!;
    table.frames.push(frame);
    table.rows += frame.rows;
    table.arrivedRows += frame.rows;
    this.#whole?.push(frame);
    this.#bytes += bytesOf(frame);
    while (this.#bytes > this.maxBytes && this.#thinLargest());
  }

  /** What to commit. The object is empty afterwards. */
  take(): { readonly frames: readonly Frame[]; readonly arrivedRows?: readonly number[] } {
    const whole = this.#whole;
    const tables = this.#tables.splice(0);
    this.#whole = undefined;
    this.#bytes = 0;
    if (whole) return { frames: whole };
    const frames = tables.flatMap(({ frames }) => frames).map((frame, sequence) => ({ ...frame, sequence }));
    return { frames, arrivedRows: tables.map(({ arrivedRows }) => arrivedRows) };
  }

  /** Halves the table with the most bytes. @returns whether that made anything smaller. */
  #thinLargest(): boolean {
    const sizes = this.#tables.map(({ frames }) => frames.reduce((sum, frame) => sum + bytesOf(frame), 0));
    const index = sizes.indexOf(Math.max(...sizes));
    const table = this.#tables[index]!;
    const columns = joined(table.frames);
    if (table.rows <= 2 * leastRows(columns.length)) return false;
    const rows = extremeRows(columns, 0, table.rows, Math.floor(table.rows / 2));
    table.frames = split(pickRows(columns, rows), index);
    table.rows = rows.length;
    this.#whole = undefined;
    this.#bytes += table.frames.reduce((sum, frame) => sum + bytesOf(frame), 0) - sizes[index]!;
    return true;
  }
}

function joined(frames: readonly Frame[]): Float64Array[] {
  const rows = frames.reduce((sum, frame) => sum + frame.rows, 0);
  return frames[0]!.columns.map((_, column) => {
    const all = new Float64Array(rows);
    let offset = 0;
    for (const frame of frames) {
      all.set(frame.columns[column]!, offset);
      offset += frame.rows;
    }
    return all;
  });
}

/** Sequence numbers are given at the end. */
function split(columns: readonly Float64Array[], table: number): Frame[] {
  const frames: Frame[] = [];
  for (let from = 0; from < columns[0]!.length; from += ROWS_PER_FRAME) {
    const part = columns.map((column) => column.slice(from, from + ROWS_PER_FRAME));
    frames.push({ sequence: 0, table, rows: part[0]!.length, columns: part });
  }
  return frames;
}
