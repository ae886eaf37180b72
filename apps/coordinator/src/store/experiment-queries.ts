// Experiments, their planned cells and their reports: queries, and rows to what the port promises.
import { canonicalJson, type PlannedCell } from '@kworkbench/experiment';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type ExperimentRow, FINAL, type PlannedCellRow, type Tables } from './schema.js';
import {
  type ExperimentUpdate,
  type ListOptions,
  MAX_LIST_LIMIT,
  type NewExperiment,
  type PlannedPart,
  type StoredExperiment,
  UnknownExperimentError,
  type VariantProgress,
} from './store.js';

type Db = Kysely<Tables>;

/** Rows of one insert or ids of one `in`: both databases take at least 32,000 parameters a statement; a row has 7. */
const ROWS_PER_STATEMENT = 500;

export async function createExperiment(
  transaction: Transaction<Tables>,
  experiment: NewExperiment,
): Promise<{ experiment: StoredExperiment; created: boolean }> {
  const inserted = await transaction
    .insertInto('experiments')
    .values({
      id: experiment.id,
      idempotency_key: experiment.idempotencyKey ?? null,
      scenario: experiment.scenario,
      source_name: experiment.sourceName,
      document: experiment.document,
      state: 'running',
      cells_total: experiment.cellsTotal,
      cells_done: 0,
      cells_failed: 0,
      submitted_at: experiment.submittedAt,
      ended_at: null,
      verdict: null,
      stored_bytes: Buffer.byteLength(experiment.document),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  if (inserted !== undefined) return { experiment: fromRow(inserted), created: true };
  // The key decides before the id: that is what the caller asked for.
  const key = experiment.idempotencyKey;
  const byKey =
    key === undefined
      ? undefined
      : await transaction.selectFrom('experiments').selectAll().where('idempotency_key', '=', key).executeTakeFirst();
  return { experiment: byKey ? fromRow(byKey) : await mustGet(transaction, experiment.id), created: false };
}

export async function getExperiment(db: Db, id: string): Promise<StoredExperiment | undefined> {
  const row = await db.selectFrom('experiments').selectAll().where('id', '=', id).executeTakeFirst();
  return row && fromRow(row);
}

export async function getDocument(db: Db, id: string): Promise<string | undefined> {
  const row = await db.selectFrom('experiments').select('document').where('id', '=', id).executeTakeFirst();
  return row?.document;
}

export async function listExperiments(
  db: Db,
  { limit, before, state, scenario }: ListOptions,
): Promise<StoredExperiment[]> {
  if (!Number.isInteger(limit) || limit < 1) {
    throw new TypeError(`store: limit: expected a positive integer, got ${String(limit)}`);
  }
  let query = db.selectFrom('experiments').selectAll();
  if (before !== undefined) {
    query = query.where(sql<boolean>`(submitted_at, id) < (${before.submittedAt}, ${before.id})`);
  }
  if (state !== undefined) query = query.where('state', '=', state);
  if (scenario !== undefined) query = query.where('scenario', '=', scenario);
  const rows = await query
    .orderBy('submitted_at', 'desc')
    .orderBy('id', 'desc')
    .limit(Math.min(limit, MAX_LIST_LIMIT))
    .execute();
  return rows.map(fromRow);
}

export async function runningExperiments(db: Db): Promise<StoredExperiment[]> {
  const rows = await db
    .selectFrom('experiments')
    .selectAll()
    .where('state', '=', 'running')
    .orderBy('submitted_at')
    .orderBy('id')
    .execute();
  return rows.map(fromRow);
}

export async function updateExperiment(
  transaction: Transaction<Tables>,
  id: string,
  update: ExperimentUpdate,
): Promise<StoredExperiment> {
  if (update.state !== undefined && update.state !== 'running' && update.endedAt === undefined) {
    throw new TypeError(`store: experiment ${id}: expected endedAt with state ${update.state}`);
  }
  const columns = {
    ...(update.state !== undefined && { state: update.state }),
    ...(update.cellsTotal !== undefined && { cells_total: update.cellsTotal }),
    ...(update.cellsDone !== undefined && { cells_done: update.cellsDone }),
    ...(update.cellsFailed !== undefined && { cells_failed: update.cellsFailed }),
    ...(update.verdict !== undefined && { verdict: update.verdict }),
    ...(update.endedAt !== undefined && { ended_at: update.endedAt }),
  };
  if (Object.keys(columns).length === 0) return mustGet(transaction, id);
  // One statement tests and sets: of two coordinators that end it at once, the second finds it ended.
  const row = await transaction
    .updateTable('experiments')
    .set(columns)
    .where('id', '=', id)
    .where('state', '=', 'running')
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? mustGet(transaction, id) : fromRow(row);
}

export async function putPlannedCells(
  transaction: Transaction<Tables>,
  experimentId: string,
  cells: readonly PlannedCell[],
): Promise<void> {
  await mustGet(transaction, experimentId);
  const rows = cells.map((cell, position) => toPlannedRow(experimentId, cell, position));
  const planned = new Set<number>();
  for (const some of inBatches(rows)) {
    const result = await transaction
      .insertInto('planned_cells')
      .values(some)
      .onConflict((conflict) => conflict.doNothing())
      .returning('position')
      .execute();
    for (const { position } of result) planned.add(position);
  }
  const stored = await plannedRows(transaction, experimentId);
  if (rows.some((row, position) => !samePlan(row, stored[position]!))) {
    throw new TypeError(`store: experiment ${experimentId}: other cells are planned already`);
  }
  const first = cells.filter((_, position) => planned.has(position));
  if (first.length === 0) return;
  const text = rows.filter(({ position }) => planned.has(position)).map((row) => row.cell_json + row.point_json);
  await addStoredBytes(transaction, experimentId, text);
  await forgetAttempts(transaction, new Set(first.map((cell) => cell.id)));
}

export async function plannedCells(db: Db, experimentId: string, part?: PlannedPart): Promise<PlannedCell[]> {
  return (await plannedRows(db, experimentId, part)).map(fromPlannedRow);
}

export async function missingCells(db: Db, experimentId: string): Promise<PlannedCell[]> {
  const rows = await db
    .selectFrom('planned_cells')
    .leftJoin('cells', 'cells.cell_id', 'planned_cells.cell_id')
    .selectAll('planned_cells')
    .where('experiment_id', '=', experimentId)
    .where('cells.cell_id', 'is', null)
    .orderBy('position')
    .execute();
  return rows.map(fromPlannedRow);
}

export async function experimentsWaitingFor(db: Db, cellId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('experiments')
    .select('id')
    .where('state', '=', 'running')
    .where('id', 'in', (eb) => eb.selectFrom('planned_cells').select('experiment_id').where('cell_id', '=', cellId))
    .orderBy('submitted_at')
    .orderBy('id')
    .execute();
  return rows.map((row) => row.id);
}

export async function progress(db: Db, experimentId: string): Promise<VariantProgress[]> {
  const rows = await db
    .selectFrom('planned_cells')
    .leftJoin('cells', 'cells.cell_id', 'planned_cells.cell_id')
    .where('experiment_id', '=', experimentId)
    .groupBy('variant')
    .select((eb) => [
      'variant',
      eb.fn.countAll().as('total'),
      sql<number>`sum(case when outcome = 'result' then 1 else 0 end)`.as('done'),
      sql<number>`sum(case when outcome = 'failure' then 1 else 0 end)`.as('failed'),
    ])
    .orderBy((eb) => eb.fn.min('position'))
    .execute();
  // PostgreSQL's counts are 64 bit and arrive as text.
  return rows.map((row) => ({
    variant: row.variant,
    total: Number(row.total),
    done: Number(row.done),
    failed: Number(row.failed),
  }));
}

export async function putReport(
  transaction: Transaction<Tables>,
  experimentId: string,
  reportJson: string,
): Promise<boolean> {
  await mustGet(transaction, experimentId);
  const inserted = await transaction
    .insertInto('reports')
    .values({ experiment_id: experimentId, report_json: reportJson })
    .onConflict((conflict) => conflict.doNothing())
    .returning('experiment_id')
    .executeTakeFirst();
  if (inserted !== undefined) await addStoredBytes(transaction, experimentId, [reportJson]);
  return inserted !== undefined;
}

export async function getReport(db: Db, experimentId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('reports')
    .select('report_json')
    .where('experiment_id', '=', experimentId)
    .executeTakeFirst();
  return row?.report_json;
}

export function* inBatches<T>(items: readonly T[], size = ROWS_PER_STATEMENT): Generator<T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

async function mustGet(db: Db, id: string): Promise<StoredExperiment> {
  const experiment = await getExperiment(db, id);
  if (experiment === undefined) throw new UnknownExperimentError(id);
  return experiment;
}

async function plannedRows(db: Db, experimentId: string, part?: PlannedPart): Promise<PlannedCellRow[]> {
  let query = db.selectFrom('planned_cells').selectAll().where('experiment_id', '=', experimentId);
  if (part !== undefined) query = query.where('position', '>=', part.from).limit(part.limit);
  return query.orderBy('position').execute();
}

async function addStoredBytes(transaction: Transaction<Tables>, id: string, texts: readonly string[]): Promise<void> {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  await transaction
    .updateTable('experiments')
    .set({ stored_bytes: sql<number>`stored_bytes + ${bytes}` })
    .where('id', '=', id)
    .execute();
}

/** Removes outcomes that say nothing about the cell, so that it counts as open again. They have no frames. */
async function forgetAttempts(transaction: Transaction<Tables>, cellIds: ReadonlySet<string>): Promise<void> {
  // Sorted: two experiments that plan the same cells at once then wait for one another instead of deadlocking.
  for (const ids of inBatches([...cellIds].sort())) {
    await transaction.deleteFrom('cells').where('cell_id', 'in', ids).where('finality', '<', FINAL).execute();
  }
}

function toPlannedRow(experimentId: string, planned: PlannedCell, position: number): PlannedCellRow {
  return {
    experiment_id: experimentId,
    position,
    cell_id: planned.id,
    variant: planned.variant,
    replication: planned.replication,
    point_json: canonicalJson(planned.point),
    cell_json: canonicalJson(planned.cell),
  };
}

function fromPlannedRow(row: PlannedCellRow): PlannedCell {
  return {
    id: row.cell_id,
    cell: JSON.parse(row.cell_json),
    variant: row.variant,
    point: JSON.parse(row.point_json),
    replication: row.replication,
  };
}

function samePlan(a: PlannedCellRow, b: PlannedCellRow): boolean {
  return (
    a.cell_id === b.cell_id &&
    a.variant === b.variant &&
    a.replication === b.replication &&
    a.point_json === b.point_json
  );
}

function fromRow(row: ExperimentRow): StoredExperiment {
  return {
    id: row.id,
    idempotencyKey: row.idempotency_key ?? undefined,
    scenario: row.scenario,
    sourceName: row.source_name,
    state: row.state,
    cellsTotal: row.cells_total,
    cellsDone: row.cells_done,
    cellsFailed: row.cells_failed,
    submittedAt: row.submitted_at,
    endedAt: row.ended_at ?? undefined,
    verdict: row.verdict ?? undefined,
  };
}
