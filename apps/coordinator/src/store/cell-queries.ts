// Cells: outcomes and telemetry.
import type { CellFailure, CellResult } from '@kworkbench/experiment';
import type { Frame, TelemetryHeader } from '@kworkbench/telemetry';
import { type Kysely, type Transaction } from 'kysely';
import { decodeColumns, encodeColumns } from './column-codec.js';
import { fromExactJson, toExactJson } from './exact-json.js';
import { inBatches } from './experiment-queries.js';
import { type CellRow, FINAL, type FrameRow, type Tables } from './schema.js';
import type { CellCommit, CommitOutcome, Series } from './store.js';

type Db = Kysely<Tables>;

/** Frames of one insert: enough that the statement's own cost vanishes, little enough to hold twice in memory. */
const BYTES_PER_INSERT = 4 * 2 ** 20;
const FRAMES_PER_INSERT = 500;

/** Higher replaces lower: see commitCell in the port. */
const FINALITY: Readonly<Record<CellFailure['kind'], number>> = {
  cancelled: 0,
  timeout: 1,
  memory: 1,
  invariant: FINAL,
  model: FINAL,
};

export async function commitCell(transaction: Transaction<Tables>, commit: CellCommit): Promise<CommitOutcome> {
  const row = toCellRow(commit);
  // One statement tests and sets, and takes the row's lock: commits of the same cell wait for one another here.
  const written = await transaction
    .insertInto('cells')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column('cell_id')
        .doUpdateSet({
          finality: row.finality,
          outcome: row.outcome,
          outcome_json: row.outcome_json,
          mechanism: row.mechanism,
          header_json: row.header_json,
          arrived_rows_json: row.arrived_rows_json,
          stored_bytes: row.stored_bytes,
        })
        .where('cells.finality', '<', row.finality),
    )
    .returning('cell_id')
    .executeTakeFirst();
  if (written === undefined) return 'duplicate';
  if ('result' in commit) {
    for (const frames of insertBatches(commit.frames)) {
      const rows = frames.map((frame) => toFrameRow(commit.cellId, frame));
      await transaction.insertInto('frames').values(rows).execute();
    }
  }
  return 'committed';
}

/** @throws TypeError, so that nothing is stored that could not be read again. */
export function checkCommit(commit: CellCommit): void {
  const inner = 'result' in commit ? commit.result.cellId : commit.failure.cellId;
  if (inner !== commit.cellId) {
    throw new TypeError(`store: cell ${commit.cellId}: expected an outcome of this cell, got one of ${inner}`);
  }
  if ('result' in commit)
    commit.frames.forEach((frame, index) => checkFrame(commit.cellId, commit.header, frame, index));
}

export async function getResults(db: Db, cellIds: readonly string[]): Promise<Map<string, CellResult | CellFailure>> {
  const outcomes = new Map<string, CellResult | CellFailure>();
  for (const ids of inBatches([...new Set(cellIds)])) {
    const rows = await db.selectFrom('cells').select(['cell_id', 'outcome_json']).where('cell_id', 'in', ids).execute();
    for (const row of rows) outcomes.set(row.cell_id, fromExactJson(row.outcome_json) as CellResult | CellFailure);
  }
  return outcomes;
}

export async function hasResult(db: Db, cellId: string): Promise<boolean> {
  const row = await db.selectFrom('cells').select('finality').where('cell_id', '=', cellId).executeTakeFirst();
  return row?.finality === FINAL;
}

export async function getHeader(db: Db, cellId: string): Promise<TelemetryHeader | undefined> {
  return (await tablesOf(db, cellId))?.header;
}

async function tablesOf(db: Db, cellId: string) {
  const row = await db
    .selectFrom('cells')
    .select(['header_json', 'arrived_rows_json'])
    .where('cell_id', '=', cellId)
    .executeTakeFirst();
  if (row === undefined || row.header_json === null) return undefined;
  return {
    header: JSON.parse(row.header_json) as TelemetryHeader,
    arrivedRows: row.arrived_rows_json === null ? undefined : (JSON.parse(row.arrived_rows_json) as number[]),
  };
}

export async function readSeries(db: Db, cellId: string, tableName: string): Promise<Series | undefined> {
  const tables = await tablesOf(db, cellId);
  const tableIndex = tables?.header.tables.findIndex((table) => table.name === tableName) ?? -1;
  if (tables === undefined || tableIndex < 0) return undefined;
  const frames = await db
    .selectFrom('frames')
    .select(['row_count', 'data'])
    .where('cell_id', '=', cellId)
    .where('table_index', '=', tableIndex)
    .orderBy('sequence')
    .execute();
  const table = tables.header.tables[tableIndex]!;
  const rows = frames.reduce((sum, frame) => sum + frame.row_count, 0);
  const columns = table.columns.map(() => new Float64Array(rows));
  let firstRow = 0;
  for (const frame of frames) {
    decodeColumns(frame.data, frame.row_count, columns, firstRow);
    firstRow += frame.row_count;
  }
  return { table, rows, arrivedRows: tables.arrivedRows?.[tableIndex] ?? rows, columns };
}

const bytesOf = (frame: Frame) => frame.columns.reduce((sum, column) => sum + column.byteLength, 0);

function toCellRow(commit: CellCommit): CellRow {
  if ('failure' in commit) {
    const outcome = toExactJson(commit.failure);
    return {
      cell_id: commit.cellId,
      finality: FINALITY[commit.failure.kind],
      outcome: 'failure',
      outcome_json: outcome,
      mechanism: null,
      header_json: null,
      arrived_rows_json: null,
      stored_bytes: Buffer.byteLength(outcome),
    };
  }
  const outcome = toExactJson(commit.result);
  const header = JSON.stringify(commit.header);
  const telemetryBytes = commit.frames.reduce((sum, frame) => sum + bytesOf(frame), 0);
  return {
    cell_id: commit.cellId,
    finality: FINAL,
    outcome: 'result',
    outcome_json: outcome,
    mechanism: commit.mechanism,
    header_json: header,
    arrived_rows_json: commit.arrivedRows ? JSON.stringify(commit.arrivedRows) : null,
    stored_bytes: Buffer.byteLength(outcome) + Buffer.byteLength(header) + telemetryBytes,
  };
}

function toFrameRow(cellId: string, frame: Frame): FrameRow {
  return {
    cell_id: cellId,
    sequence: frame.sequence,
    table_index: frame.table,
    row_count: frame.rows,
    data: encodeColumns(frame),
  };
}

function checkFrame(cellId: string, header: TelemetryHeader, frame: Frame, index: number): void {
  const where = `store: cell ${cellId}: frame ${index}`;
  if (frame.sequence !== index) throw new TypeError(`${where}: expected sequence ${index}, got ${frame.sequence}`);
  const table = header.tables[frame.table];
  if (table === undefined) {
    throw new TypeError(`${where}: expected a table from 0 to ${header.tables.length - 1}, got ${frame.table}`);
  }
  if (frame.columns.length !== table.columns.length) {
    throw new TypeError(`${where}: expected ${table.columns.length} columns, got ${frame.columns.length}`);
  }
  const odd = frame.columns.find((column) => column.length !== frame.rows);
  if (odd !== undefined) throw new TypeError(`${where}: expected columns of ${frame.rows} rows, got ${odd.length}`);
}

function* insertBatches(frames: readonly Frame[]): Generator<Frame[]> {
  let batch: Frame[] = [];
  let bytes = 0;
  for (const frame of frames) {
    const frameBytes = bytesOf(frame);
    if (batch.length > 0 && (bytes + frameBytes > BYTES_PER_INSERT || batch.length === FRAMES_PER_INSERT)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(frame);
    bytes += frameBytes;
  }
  if (batch.length > 0) yield batch;
}
