// What can be asked about cells, whichever protocol asks.
import { isFailure, type CellFailure, type CellResult, type PlannedCell } from '@kworkbench/experiment';
import type { ColumnSpec, TelemetryHeader } from '@kworkbench/telemetry';
import { BadRequest } from './api/request.js';
import { fromCursor, toCursor } from './api/cursor.js';
import { DEFAULT_POINTS, MAX_CELL_PAGE } from './limits.js';
import type { StoreLink } from './store-link.js';
import { UnknownExperimentError, type Series } from './store/index.js';
import { extremeRows, firstAtLeast, pickRows } from './thinning.js';

const DEFAULT_CELL_PAGE = 100;

/** There is no such cell, table, scenario or mechanism. */
export class NotFound extends Error {
  override readonly name = 'NotFound';
}

export interface CellState {
  readonly planned: PlannedCell;
  readonly outcome: CellResult | CellFailure | undefined;
}

export interface SeriesQuestion {
  readonly cellId: string;
  readonly table: string;
  /** Names; all when left out. Time is always among them. */
  readonly columns?: readonly string[] | undefined;
  /** Virtual seconds, both inclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** More samples than this are thinned out. */
  readonly maxPoints?: number | undefined;
}

export interface SeriesAnswer {
  readonly cellId: string;
  readonly table: string;
  /** Of the range, as stored. */
  readonly samples: number;
  readonly thinned: boolean;
  readonly columns: readonly { readonly spec: ColumnSpec; readonly values: Float64Array }[];
}

export class Cells {
  constructor(private readonly stores: StoreLink) {}

  /** @throws UnknownExperimentError, BadRequest (cursor), StoreUnavailableError */
  async list(
    experimentId: string,
    {
      limit = DEFAULT_CELL_PAGE,
      cursor,
    }: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
  ): Promise<{ cells: CellState[]; nextCursor: string | undefined }> {
    const store = this.stores.use;
    const [from] = cursor === undefined ? [0] : fromCursor(cursor, 'number');
    if ((await store.getExperiment(experimentId)) === undefined) throw new UnknownExperimentError(experimentId);
    const size = Math.min(limit, MAX_CELL_PAGE);
    const planned = await store.plannedCells(experimentId, { from, limit: size });
    const results = await store.getResults(planned.map(({ id }) => id));
    return {
      cells: planned.map((cell) => ({ planned: cell, outcome: results.get(cell.id) })),
      nextCursor: planned.length < size ? undefined : toCursor([from + size]),
    };
  }

  /** @throws NotFound while the cell has no outcome, StoreUnavailableError */
  async get(cellId: string): Promise<{ outcome: CellResult | CellFailure; header: TelemetryHeader | undefined }> {
    const store = this.stores.use;
    const outcome = (await store.getResults([cellId])).get(cellId);
    if (outcome === undefined) throw new NotFound(`no outcome of a cell "${cellId}"`);
    return { outcome, header: isFailure(outcome) ? undefined : await store.getHeader(cellId) };
  }

  /** @throws NotFound, BadRequest (a column that the table does not have), StoreUnavailableError */
  async series({ cellId, table, columns: names, from, to, maxPoints = DEFAULT_POINTS }: SeriesQuestion) {
    const series = await this.stores.use.readSeries(cellId, table);
    if (series === undefined) throw new NotFound(`no table "${table}" of a cell "${cellId}"`);
    const chosen = chooseColumns(series, names);
    const columns = chosen.map((index) => series.columns[index]!);
    const time = columns[0]!;
    const begin = from === undefined ? 0 : firstAtLeast(time, from);
    const end = to === undefined ? series.rows : Math.max(begin, firstAfter(time, to));
    const rows = extremeRows(columns, begin, end, maxPoints);
    const values = pickRows(columns, rows);
    const answer: SeriesAnswer = {
      cellId,
      table,
      samples: end - begin,
      thinned: rows.length < end - begin || series.arrivedRows > series.rows,
      columns: chosen.map((index, position) => ({ spec: series.table.columns[index]!, values: values[position]! })),
    };
    return answer;
  }
}

/** Indexes, time first. */
function chooseColumns({ table }: Series, names: readonly string[] | undefined): number[] {
  if (names === undefined) return table.columns.map((_, index) => index);
  const known = table.columns.map(({ name }) => name);
  const indexes = names.map((name) => {
    const index = known.indexOf(name);
    if (index >= 0) return index;
    const detail = `columns: expected some of ${known.join(', ')}, got ${JSON.stringify(name)}`;
    throw new BadRequest([{ detail, parameter: 'columns' }]);
  });
  return [...new Set([0, ...indexes])];
}

function firstAfter(time: Float64Array, value: number): number {
  let row = firstAtLeast(time, value);
  while (row < time.length && time[row] === value) row++;
  return row;
}
