// Removing experiments: which ones, and what goes with them.
import { type Kysely, sql, type Transaction } from 'kysely';
import { inBatches } from './experiment-queries.js';
import type { Tables } from './schema.js';

/** Cells may have 16 MiB each: a statement of SQLite blocks the event loop, and one of PostgreSQL has a time limit. */
const CELLS_PER_STATEMENT = 16;

export async function storedBytes(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ bytes: number | string }>`
    select coalesce((select sum(stored_bytes) from cells), 0)
      + coalesce((select sum(stored_bytes) from experiments), 0) as bytes`.execute(db);
  return Number(rows[0]!.bytes);
}

export async function removeEndedBefore(
  transaction: Transaction<Tables>,
  endedBefore: string,
  limit: number,
): Promise<number> {
  const rows = await oldestEnded(transaction).where('ended_at', '<', endedBefore).limit(limit).execute();
  return removeAll(
    transaction,
    rows.map(({ id }) => id),
  );
}

/** The caller has the lock: of two that do it at once, the second one sees what the first has removed. */
export async function removeOldestAbove(transaction: Transaction<Tables>, keepBytes: number): Promise<boolean> {
  if ((await storedBytes(transaction)) <= keepBytes) return false;
  const oldest = await oldestEnded(transaction).limit(1).executeTakeFirst();
  return oldest !== undefined && (await removeAll(transaction, [oldest.id])) > 0;
}

function oldestEnded(transaction: Transaction<Tables>) {
  return transaction
    .selectFrom('experiments')
    .select('id')
    .where('state', '<>', 'running')
    .orderBy('ended_at')
    .orderBy('id');
}

async function removeAll(transaction: Transaction<Tables>, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const planned = await transaction
    .selectFrom('planned_cells')
    .select('cell_id')
    .distinct()
    .where('experiment_id', 'in', ids)
    .execute();
  await transaction.deleteFrom('reports').where('experiment_id', 'in', ids).execute();
  await transaction.deleteFrom('planned_cells').where('experiment_id', 'in', ids).execute();
  await transaction.deleteFrom('experiments').where('id', 'in', ids).execute();
  // Sorted, as in forgetAttempts.
  for (const cells of inBatches(planned.map((row) => row.cell_id).sort(), CELLS_PER_STATEMENT)) {
    const others = transaction.selectFrom('planned_cells').select('cell_id').where('cell_id', 'in', cells);
    await transaction.deleteFrom('frames').where('cell_id', 'in', cells).where('cell_id', 'not in', others).execute();
    await transaction.deleteFrom('cells').where('cell_id', 'in', cells).where('cell_id', 'not in', others).execute();
  }
  return ids.length;
}
