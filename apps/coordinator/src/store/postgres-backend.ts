// PostgreSQL through a pool that outlives its server: connections are made when they are needed, and one on which an
// answer did not come is thrown away, so that the store works again as soon as the server does.
import { Kysely, type PostgresPool, type PostgresPoolClient, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { type Backend, checkParameters } from './backend.js';
import type { Tables } from './schema.js';

export interface PostgresLimits {
  /** Connections of one coordinator. Its work is a commit a cell; PostgreSQL allows 100 connections in all by default. */
  readonly poolSize: number;
  /** To get a connection, free or new. A server in reach accepts one in milliseconds. */
  readonly connectTimeoutMs: number;
  /** One statement, enforced by the server. The longest one writes some MiB of frames, in well under a second. */
  readonly statementTimeoutMs: number;
  /** One statement, enforced here, for a server that does not answer at all; longer than the server's own. */
  readonly answerTimeoutMs: number;
  /** The server ends a transaction in which a stopped coordinator sits, and with it its locks. */
  readonly idleInTransactionTimeoutMs: number;
}

export const POSTGRES_LIMITS: PostgresLimits = {
  poolSize: 8,
  connectTimeoutMs: 10_000,
  statementTimeoutMs: 30_000,
  answerTimeoutMs: 35_000,
  idleInTransactionTimeoutMs: 60_000,
};

/** Any number will do, as long as no other program takes it on the same database. "kwb" in ASCII. */
const LOCK_KEY = 0x6b7762;

/** Rewriting the tables, at some 100 MB/s. */
const VACUUM_LIMIT_MS = 10 * 60_000;
/** Whoever waits for an exclusive lock makes all others wait behind it. */
const VACUUM_LOCK_LIMIT_MS = 1_000;
const GROWING_TABLES = 'frames, cells, planned_cells, reports';
/** Less than this is not worth a rewrite. */
const LEAST_EMPTY_BYTES = 4 * 2 ** 20;
const IS_MOSTLY_EMPTY = `
  select pg_total_relation_size('frames') > 2 * coalesce(sum(stored_bytes), 0) + ${LEAST_EMPTY_BYTES}
    and not exists (select from experiments where state = 'running') as worthwhile
  from cells`;

/** @param url `postgres://user:password@host:port/database`; nothing is connected before the first query. */
export function postgresBackend(url: string, limits: PostgresLimits = POSTGRES_LIMITS): Backend {
  const { host, pathname } = new URL(url);
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'kworkbench-coordinator',
    max: limits.poolSize,
    connectionTimeoutMillis: limits.connectTimeoutMs,
    statement_timeout: limits.statementTimeoutMs,
    query_timeout: limits.answerTimeoutMs,
    idle_in_transaction_session_timeout: limits.idleInTransactionTimeoutMs,
    keepAlive: true,
  });
  // A connection that breaks while nobody waits on it emits `error`, idle in the pool or between two statements of a
  // transaction; without a listener that would end the process. Whoever uses it next gets the error as a rejection.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    name: `postgres://${host}${pathname}`,
    db: new Kysely<Tables>({ dialect: new PostgresDialect({ pool: guard(pool) }) }),
    // Series are doubles: the server's own compression takes time on every commit and gains little.
    words: {
      bytes: 'bytea',
      binaryOrder: 'collate "C"',
      tuning: ['alter table frames alter column data set storage external'],
    },
    lock: async (transaction) => {
      await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_KEY)})`.execute(transaction);
    },
    reclaim: () => reclaim(url, limits),
    attempt: (work) => work(), // the server makes one wait for the other
    pingSql: 'select 1',
    isUnavailable,
  };
}

/**
 * A connection of its own: VACUUM takes longer than any other statement, and is none of a transaction's.
 * https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-SPACE-RECOVERY
 */
async function reclaim(url: string, limits: PostgresLimits): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'kworkbench-coordinator-vacuum',
    connectionTimeoutMillis: limits.connectTimeoutMs,
    statement_timeout: VACUUM_LIMIT_MS,
    query_timeout: VACUUM_LIMIT_MS,
    lock_timeout: VACUUM_LOCK_LIMIT_MS,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(`vacuum (skip_locked) ${GROWING_TABLES}`);
    const { rows } = await client.query<{ worthwhile: boolean }>(IS_MOSTLY_EMPTY);
    if (rows[0]!.worthwhile) await client.query(`vacuum (full, skip_locked) ${GROWING_TABLES}`);
  } finally {
    await client.end();
  }
}

/** The pool as kysely wants it, except that a connection is not used again after it has failed to answer. */
function guard(pool: pg.Pool): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    connect: async (): Promise<PostgresPoolClient> => {
      const client = await pool.connect();
      let broken = false;
      const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
        checkParameters(parameters);
        try {
          return await client.query(text, parameters as unknown[]);
        } catch (error) {
          broken ||= isUnavailable(error);
          throw error;
        }
      };
      return { query: query as PostgresPoolClient['query'], release: (destroy) => client.release(destroy || broken) };
    },
  };
}

/** Of the operating system; a closed socket has no other sign. */
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT', // of a UNIX socket
]);

/**
 * SQLSTATE classes, https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, transactions
 * that must be tried again, resources used up, ended by an operator or a timeout; and a login or a database that is
 * not there yet, which an operator mends without a restart of ours.
 */
const UNAVAILABLE_SQLSTATE = /^(08|40|53|57|58|28|3D)|^(25P03|25006|55P03)$/;

/** What `pg` and its pool say without a code. */
const UNAVAILABLE_MESSAGE =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|not queryable|connection has been discarded|Cannot use a pool after calling end/i;

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && (NETWORK_CODES.has(code) || UNAVAILABLE_SQLSTATE.test(code))) return true;
  return UNAVAILABLE_MESSAGE.test(error.message);
}
