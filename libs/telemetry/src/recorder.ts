// Rows in, columnar frames out. Invariants: the header comes first and once; sequence numbers 0, 1, 2, ... run over
// all tables; every frame but the last of a table holds ROWS_PER_FRAME rows; time never decreases within a table.
import type { Frame, TableSpec, TelemetrySink } from './types.js';

/** Large enough that the cost per message is lost in the cost per row, small enough that a live chart keeps moving. */
export const ROWS_PER_FRAME = 512;

interface Pending {
  columns: Float64Array[];
  rows: number;
  lastTimeSeconds: number;
}

const emptyColumns = (table: TableSpec) => table.columns.map(() => new Float64Array(ROWS_PER_FRAME));

export class TableRecorder {
  readonly #pending: Pending[];
  #sequence = 0;
  #ended = false;

  /** Emits the header. @throws when a table does not begin with `time_seconds`. */
  constructor(
    private readonly sink: TelemetrySink,
    private readonly tables: readonly TableSpec[],
  ) {
    for (const table of tables) {
      if (table.columns[0]?.name !== 'time_seconds') {
        throw new Error(`table ${table.name}: the first column must be time_seconds`);
      }
    }
    this.#pending = tables.map((table) => ({ columns: emptyColumns(table), rows: 0, lastTimeSeconds: -Infinity }));
    sink.header({ tables });
  }

  /**
   * Adds a row.
   * @param tableIndex index into the tables of the constructor.
   * @param values one finite number per column; `values[0]` is virtual seconds and may not decrease. Copied.
   * @throws when a value is not finite, the length is wrong, time runs backwards, or {@link end} was called.
   */
  row(tableIndex: number, values: ArrayLike<number>): void {
    const pending = this.#pending[tableIndex];
    if (!pending) throw new RangeError(`no table ${tableIndex}; there are ${this.tables.length}`);
    if (this.#ended) throw new Error('the recorder has ended');
    const { columns, rows } = pending;
    if (values.length !== columns.length) {
      throw new Error(`table ${this.#name(tableIndex)}: expected ${columns.length} values, got ${values.length}`);
    }
    if (values[0]! < pending.lastTimeSeconds) {
      throw new Error(
        `table ${this.#name(tableIndex)}: time_seconds goes back from ${pending.lastTimeSeconds} to ${values[0]}`,
      );
    }
    for (let column = 0; column < columns.length; column++) {
      const value = values[column]!;
      if (!Number.isFinite(value)) {
        const name = this.tables[tableIndex]!.columns[column]!.name;
        throw new Error(`table ${this.#name(tableIndex)}: ${name} is ${value}, expected a finite number`);
      }
      columns[column]![rows] = value;
    }
    pending.lastTimeSeconds = values[0]!;
    pending.rows = rows + 1;
    if (pending.rows === ROWS_PER_FRAME) this.#flush(tableIndex, pending);
  }

  /** Emits what is still buffered, table by table. Later calls do nothing. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (let table = 0; table < this.#pending.length; table++) {
      const pending = this.#pending[table]!;
      if (pending.rows > 0) this.#flush(table, pending);
    }
  }

  #name(tableIndex: number): string {
    return this.tables[tableIndex]!.name;
  }

  #flush(table: number, pending: Pending): void {
    const { columns, rows } = pending;
    // The sink owns what it is given (it may transfer the buffers away), so the next frame gets new arrays.
    const frame: Frame = {
      sequence: this.#sequence++,
      table,
      rows,
      columns: rows === ROWS_PER_FRAME ? columns : columns.map((column) => column.slice(0, rows)),
    };
    pending.columns = this.#ended ? [] : emptyColumns(this.tables[table]!);
    pending.rows = 0;
    this.sink.frame(frame);
  }
}
