import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KyselyStore } from './kysely-store.js';
import { openStore } from './open-store.js';
import { POSTGRES_LIMITS, postgresBackend } from './postgres-backend.js';
import { storeConformance } from './store.conformance.js';
import { PING_TIMEOUT_MS, type Store, StoreUnavailableError } from './store.js';
import { newExperiment, resultCommit } from './testing/fixtures.js';
import { TemporaryPostgres } from './testing/temporary-postgres.js';

let server: TemporaryPostgres;

beforeAll(async () => {
  server = await TemporaryPostgres.start();
}, 60_000);

afterAll(() => server?.remove());

describe('the store on PostgreSQL', () => {
  storeConformance(async () => {
    const url = await server.createDatabase();
    const size = 'select pg_database_size(current_database()) as bytes';
    return { url, diskBytes: async () => Number((await server.query(size, url)).rows[0].bytes) };
  });
});

describe('the store when PostgreSQL goes away', () => {
  let url: string;
  let store: Store;

  beforeEach(async () => {
    url = await server.createDatabase();
    store = openStore(url);
    await store.migrate();
    await store.createExperiment(newExperiment('a'));
  });

  afterEach(async () => {
    await server.start();
    await store.close();
  });

  it.each(['SIGINT', 'SIGQUIT', 'SIGKILL'] as const)(
    'is unavailable after %s of the server, and works without reopening once it is back',
    async (signal) => {
      await server.stop(signal);
      expect(await store.ping()).toBe(false);
      await expect(store.getExperiment('a')).rejects.toThrow(StoreUnavailableError);
      await expect(store.commitCell(resultCommit('cell'))).rejects.toThrow(
        /^store: postgres:\/\/127\.0\.0\.1:\d+\/test_\d+ is not available: .*ECONNREFUSED/,
      );
      await server.start();
      expect(await store.ping()).toBe(true);
      expect((await store.getExperiment('a'))?.id).toBe('a');
      expect(await store.commitCell(resultCommit('cell'))).toBe('committed');
    },
  );

  it.each(['SIGINT', 'SIGQUIT', 'SIGKILL'] as const)(
    'keeps every acknowledged commit, and nothing of the others, when %s hits commits in flight',
    async (signal) => {
      const acknowledged = new Set<string>();
      const rejected = new Map<string, unknown>();
      let stopped = false;
      const writers = Array.from({ length: 6 }, async (_, writer) => {
        for (let i = 0; !stopped; i++) {
          const cell = `${writer}-${i}`;
          await store.commitCell(resultCommit(cell, i + 1, 20, 500)).then(
            () => acknowledged.add(cell),
            (error: unknown) => rejected.set(cell, error),
          );
        }
      });
      while (acknowledged.size < 20) await new Promise((resolve) => setTimeout(resolve, 5));
      await server.stop(signal);
      stopped = true;
      await Promise.all(writers);
      expect(rejected.size).toBeGreaterThan(0);
      for (const error of rejected.values()) expect(error).toBeInstanceOf(StoreUnavailableError);

      await server.start();
      const stored = await store.getResults([...acknowledged, ...rejected.keys()]);
      for (const cell of acknowledged) expect(stored.has(cell)).toBe(true);
      for (const cell of stored.keys()) expect((await store.readSeries(cell, 'memory'))?.rows).toBe(10 * 500);
      for (const cell of rejected.keys()) {
        const again = await store.commitCell(resultCommit(cell, Number(cell.split('-')[1]) + 1, 20, 500));
        expect(again).toBe(stored.has(cell) ? 'duplicate' : 'committed');
      }
    },
  );

  it('survives the end of every session by an administrator, idle and in a transaction', async () => {
    const writing = Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => store.commitCell(resultCommit(`cell-${i}`, 1, 200, 2_000))),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    await server.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'kworkbench-coordinator'`,
    );
    const errors = (await writing).filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error).toBeInstanceOf(StoreUnavailableError);
    expect((await store.getExperiment('a'))?.id).toBe('a');
  });

  it('gives up on a server that stands still, and works again when it goes on', async () => {
    const impatient = new KyselyStore(
      postgresBackend(url, { ...POSTGRES_LIMITS, poolSize: 2, connectTimeoutMs: 500, answerTimeoutMs: 500 }),
    );
    expect(await impatient.ping()).toBe(true);
    server.pause();
    try {
      const begunMs = performance.now();
      expect(await store.ping()).toBe(false);
      expect(performance.now() - begunMs).toBeLessThan(PING_TIMEOUT_MS + 1_000);
      for (let i = 0; i < 3; i++) await expect(impatient.getExperiment('a')).rejects.toThrow(StoreUnavailableError);
      await expect(impatient.commitCell(resultCommit('cell'))).rejects.toThrow(StoreUnavailableError);
    } finally {
      server.resume();
    }
    expect((await impatient.getExperiment('a'))?.id).toBe('a');
    expect(await impatient.commitCell(resultCommit('cell'))).toBe('committed');
    await impatient.close();
  });

  it('does not use a connection again on which no answer came', async () => {
    const limits = { ...POSTGRES_LIMITS, poolSize: 1, connectTimeoutMs: 2_000, answerTimeoutMs: 1_000 };
    const impatient = new KyselyStore(postgresBackend(url, limits));
    expect(await impatient.ping()).toBe(true);
    const sessions = await server.query(
      `select pid from pg_stat_activity where application_name = 'kworkbench-coordinator' and datname = current_database()`,
      url,
    );
    server.pauseSessions(sessions.rows.map((row: { pid: number }) => row.pid));
    try {
      await expect(impatient.getExperiment('a')).rejects.toThrow(/not available: Query read timeout/);
      expect((await impatient.getExperiment('a'))?.id).toBe('a');
      expect(await impatient.commitCell(resultCommit('cell'))).toBe('committed');
    } finally {
      server.resume();
    }
    await impatient.close();
  });

  it('is unavailable, not broken, while its database or its user does not exist yet', async () => {
    const early = openStore(url.replace(/test_\d+$/, 'not_there_yet'));
    expect(await early.ping()).toBe(false);
    await expect(early.migrate()).rejects.toThrow(/not available: database "not_there_yet" does not exist/);
    await server.query('create database not_there_yet');
    await early.migrate();
    expect(await early.ping()).toBe(true);
    await early.close();
  });

  it('says so when the database comes from a newer version', async () => {
    await server.query('insert into schema_migrations values (99)', url);
    await expect(store.migrate()).rejects.toThrow('the database has schema version 99');
  });
});
