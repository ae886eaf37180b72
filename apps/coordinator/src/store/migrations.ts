// Numbered migrations, the same for both databases. Once released, one is never changed: add the next number.
//
// All pending ones run in one transaction, together with their entries in `schema_migrations`, under the lock that the
// adapter takes: a coordinator that dies half way leaves the schema as it was.
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Tables } from './schema.js';

/** The words in which the two databases differ. */
export interface SchemaWords {
  /** The type of a column of bytes. */
  readonly bytes: 'blob' | 'bytea';
  /** Order by code points, so that lists have the same order in both and whatever the server's locale is. */
  readonly binaryOrder: 'collate binary' | 'collate "C"';
  /** Statements that only one of them needs or knows. */
  readonly tuning: readonly string[];
}

const MIGRATIONS: readonly ((words: SchemaWords) => readonly string[])[] = [
  // 1
  (words) => [
    `create table experiments (
      id text ${words.binaryOrder} primary key,
      idempotency_key text unique,
      scenario text not null,
      source_name text not null,
      document text not null,
      state text not null check (state in ('running', 'completed', 'failed', 'cancelled')),
      cells_total integer not null,
      cells_done integer not null,
      cells_failed integer not null,
      submitted_at text ${words.binaryOrder} not null,
      ended_at text,
      verdict text check (verdict in ('pass', 'fail')),
      check (state = 'running' or ended_at is not null)
    )`,
    `create index experiments_by_age on experiments (submitted_at, id)`,
    `create index experiments_running on experiments (submitted_at, id) where state = 'running'`,
    `create table planned_cells (
      experiment_id text not null references experiments (id),
      position integer not null,
      cell_id text not null,
      variant text not null,
      replication integer not null,
      point_json text not null,
      cell_json text not null,
      primary key (experiment_id, position)
    )`,
    `create index planned_cells_by_cell on planned_cells (cell_id)`,
    `create table cells (
      cell_id text primary key,
      finality integer not null check (finality between 0 and 2),
      outcome text not null check (outcome in ('result', 'failure')),
      outcome_json text not null,
      mechanism text,
      header_json text,
      check (outcome = 'failure' or (mechanism is not null and header_json is not null))
    )`,
    `create table frames (
      cell_id text not null references cells (cell_id),
      sequence integer not null,
      table_index integer not null,
      row_count integer not null,
      data ${words.bytes} not null,
      primary key (cell_id, sequence)
    )`,
    `create table reports (
      experiment_id text primary key references experiments (id),
      report_json text not null
    )`,
    ...words.tuning,
  ],
  // 2
  () => ['alter table cells add column arrived_rows_json text'],
  // 3: what is stored, counted when it is written, so that the sum of all is an index scan
  () => [
    `alter table cells add column stored_bytes bigint not null default 0`,
    `update cells set stored_bytes = octet_length(outcome_json) + coalesce(octet_length(header_json), 0)
      + coalesce((select sum(octet_length(data)) from frames where frames.cell_id = cells.cell_id), 0)`,
    `create index cells_by_size on cells (cell_id, stored_bytes)`,
    `alter table experiments add column stored_bytes bigint not null default 0`,
    `update experiments set stored_bytes = octet_length(document)
      + coalesce((select sum(octet_length(cell_json) + octet_length(point_json)) from planned_cells
        where experiment_id = experiments.id), 0)
      + coalesce((select octet_length(report_json) from reports where experiment_id = experiments.id), 0)`,
    `create index experiments_by_end on experiments (ended_at, id) where state <> 'running'`,
  ],
];

/**
 * @param lock takes a lock that lasts until the transaction ends.
 * @throws Error when the database was migrated by a newer version than this one.
 */
export async function migrateToLatest(
  db: Kysely<Tables>,
  words: SchemaWords,
  lock: (transaction: Transaction<Tables>) => Promise<void>,
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await lock(transaction);
    await sql`create table if not exists schema_migrations (version integer primary key)`.execute(transaction);
    const applied = await transaction
      .selectFrom('schema_migrations')
      .select((eb) => eb.fn.max('version').as('version'))
      .executeTakeFirst();
    const current = Number(applied?.version ?? 0);
    if (current > MIGRATIONS.length) {
      throw new Error(
        `store: the database has schema version ${current}, this coordinator knows versions up to ${MIGRATIONS.length}: start a newer coordinator`,
      );
    }
    for (let version = current + 1; version <= MIGRATIONS.length; version++) {
      for (const statement of MIGRATIONS[version - 1]!(words)) await sql.raw(statement).execute(transaction);
      await transaction.insertInto('schema_migrations').values({ version }).execute();
    }
  });
}
