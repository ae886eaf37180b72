// SQLite in one file, by Node's own driver. The driver is synchronous; one connection a store.
//
// - WAL with synchronous=FULL: a commit is on the disk before it is acknowledged; readers never wait.
// - Every write runs in a transaction that takes the write lock at its start. A deferred one would take it at its first
//   write and fail there, with no way to wait, when another process wrote in between.
// - Waiting for the lock is polling, not SQLite's busy handler: that one blocks the event loop, and with it the health
//   answers, and would never end when the holder lives in this very process.
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  sql,
  SqliteDialect,
  SqliteDriver,
  type SqliteDatabase,
} from 'kysely';
import { type Backend, checkParameters } from './backend.js';
import type { Tables } from './schema.js';

/** How long a write waits for another process's write; a commit of 100 MB takes about a second on a slow disk. */
const LOCK_WAIT_MS = 10_000;
/** Between two attempts at the lock: short beside a commit's fsync, long beside an attempt (about 10 us). */
const LOCK_POLL_MS = 3;
/** SQLite's own waiting, for the rare locks outside of transactions (recovery after a crash); it blocks the event loop. */
const SQLITE_BUSY_TIMEOUT_MS = 5;

/** Preparing a statement takes as long as running a small one. Inserts of each number of rows are statements of their own. */
const STATEMENTS_KEPT = 200;

/** Frames are blobs of some 10 to 100 KiB: larger pages than the default 4 KiB made large commits about twice as fast. */
const PAGE_BYTES = 16_384;

/** Of one step of giving space back: 4 MiB, some milliseconds on the event loop. */
const PAGES_PER_STEP = 256;

// Primary result codes, https://sqlite.org/rescode.html
const SQLITE_BUSY = 5;
const UNAVAILABLE_CODES = new Set([
  SQLITE_BUSY,
  6, // LOCKED
  8, // READONLY
  10, // IOERR
  13, // FULL
  14, // CANTOPEN
]);

/** @param path absolute; its directory must exist, the file need not. */
export function sqliteBackend(path: string): Backend {
  let database: DatabaseSync | undefined;
  const open = async (): Promise<SqliteDatabase> => {
    database = openDatabase(path);
    return asKyselyDatabase(database);
  };
  class Dialect extends SqliteDialect {
    override createDriver(): Driver {
      return new LockingDriver(open, () => database?.isTransaction === true);
    }
  }
  const db = new Kysely<Tables>({ dialect: new Dialect({ database: open }) });
  return {
    name: `sqlite://${path}`,
    db,
    words: { bytes: 'blob', binaryOrder: 'collate binary', tuning: [] },
    lock: async () => {}, // the transaction has the write lock from its start
    reclaim: () => reclaim(db),
    attempt: whileBusy,
    pingSql: 'pragma schema_version', // reads the file, which `select 1` does not
    isUnavailable: (error) => UNAVAILABLE_CODES.has(primaryCode(error)),
  };
}

class LockingDriver extends SqliteDriver {
  readonly #inTransaction: () => boolean;

  constructor(open: () => Promise<SqliteDatabase>, inTransaction: () => boolean) {
    super({ database: open });
    this.#inTransaction = inTransaction;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await execute(connection, 'begin immediate');
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // After a full disk or an I/O error SQLite has rolled back by itself; a second one would hide the first error.
    if (this.#inTransaction()) await execute(connection, 'rollback');
  }
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, {
    timeout: SQLITE_BUSY_TIMEOUT_MS,
    enableForeignKeyConstraints: true,
  });
  try {
    database.exec(`pragma page_size = ${PAGE_BYTES}`);
    // Only before the first table is made; https://sqlite.org/pragma.html#pragma_auto_vacuum
    database.exec('pragma auto_vacuum = incremental');
    database.exec('pragma journal_mode = wal');
    database.exec('pragma synchronous = full');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function asKyselyDatabase(database: DatabaseSync): SqliteDatabase {
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    let statement = prepared.get(sql);
    if (statement === undefined) {
      if (prepared.size === STATEMENTS_KEPT) prepared.delete(prepared.keys().next().value!);
      prepared.set(sql, (statement = database.prepare(sql)));
    }
    return statement;
  };
  return {
    close: () => database.close(),
    prepare: (sql) => {
      const statement = prepare(sql);
      const bind = (parameters: readonly unknown[]): SQLInputValue[] => {
        checkParameters(parameters);
        return parameters as SQLInputValue[];
      };
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...bind(parameters)),
        run: (parameters) => statement.run(...bind(parameters)),
        iterate: (parameters) => statement.iterate(...bind(parameters)),
      };
    },
  };
}

/** Moves pages from the end of the file into the free ones and cuts the file, a step a transaction. */
async function reclaim(db: Kysely<Tables>): Promise<void> {
  for (let left = Infinity; ;) {
    const free = await numberOf(db, 'freelist_count');
    // None left, or a file without the map that tells which page refers to which.
    if (free === 0 || free >= left) break;
    left = free;
    await whileBusy(() =>
      db.transaction().execute((step) => sql.raw(`pragma incremental_vacuum(${PAGES_PER_STEP})`).execute(step)),
    );
  }
  // The file itself is cut when the log is written back; the log keeps its size otherwise. Readers may put that off.
  await sql.raw('pragma wal_checkpoint(truncate)').execute(db);
}

async function numberOf(db: Kysely<Tables>, pragma: string): Promise<number> {
  const { rows } = await sql.raw<Record<string, number>>(`pragma ${pragma}`).execute(db);
  return rows[0]![pragma]!;
}

async function execute(connection: DatabaseConnection, sql: string): Promise<void> {
  await connection.executeQuery(CompiledQuery.raw(sql));
}

/**
 * Repeats `work` while another connection has the lock, for at most LOCK_WAIT_MS. Between two attempts this store's
 * own connection is free, so that its readers do not wait for a lock that they do not need.
 */
async function whileBusy<T>(work: () => Promise<T>): Promise<T> {
  const giveUpAtMs = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (primaryCode(error) !== SQLITE_BUSY || performance.now() > giveUpAtMs) throw error;
      await sleep(LOCK_POLL_MS);
    }
  }
}

/** 0 when it is no error of SQLite. The upper bits of `errcode` are the extended code. */
function primaryCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : 0;
}
