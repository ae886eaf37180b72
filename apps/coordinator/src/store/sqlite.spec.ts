import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { openStore } from './open-store.js';
import { storeConformance } from './store.conformance.js';
import { StoreUnavailableError } from './store.js';
import { resultCommit } from './testing/fixtures.js';

const directory = mkdtempSync(join(tmpdir(), 'kworkbench-store-'));
let files = 0;
const newFile = (): string => join(directory, `store ${++files}.db`);
const urlOf = (path: string): string => `sqlite://${encodeURI(path)}`;

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the store on SQLite', () => {
  storeConformance(async () => {
    const path = newFile();
    return { url: urlOf(path), diskBytes: () => statSync(path).size };
  });

  it('is unavailable while its directory is missing, and works once it is there', async () => {
    const path = join(directory, 'later', 'store.db');
    const store = openStore(urlOf(path));
    expect(await store.ping()).toBe(false);
    await expect(store.migrate()).rejects.toThrow(StoreUnavailableError);
    await expect(store.migrate()).rejects.toThrow(`store: sqlite://${path} is not available: unable to open database`);
    mkdirSync(join(directory, 'later'));
    await store.migrate();
    expect(await store.ping()).toBe(true);
    await store.close();
  });

  it('waits for the write of another process without stopping this one', async () => {
    const path = newFile();
    const store = openStore(urlOf(path));
    await store.migrate();
    const other = new DatabaseSync(path);
    other.exec('begin immediate');
    const commit = store.commitCell(resultCommit('cell'));
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 5);
    await new Promise((resolve) => setTimeout(resolve, 100));
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(5);
    expect(await store.ping()).toBe(true); // a reader does not wait
    other.exec('rollback');
    expect(await commit).toBe('committed');
    other.close();
    await store.close();
  });

  it('says so when the database comes from a newer version', async () => {
    const path = newFile();
    const store = openStore(urlOf(path));
    await store.migrate();
    const other = new DatabaseSync(path);
    other.exec('insert into schema_migrations values (99)');
    other.close();
    await expect(store.migrate()).rejects.toThrow(
      'store: the database has schema version 99, this coordinator knows versions up to 3: start a newer coordinator',
    );
    await store.close();
  });
});
