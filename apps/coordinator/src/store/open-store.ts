import { KyselyStore } from './kysely-store.js';
import { postgresBackend } from './postgres-backend.js';
import { sqliteBackend } from './sqlite-backend.js';
import type { Store } from './store.js';

const FORMS = 'sqlite:///absolute/path.db or postgres://user:password@host:port/database';

/**
 * The store at `url`. Nothing is connected or opened yet: a database that is down shows in migrate() and ping().
 * @throws Error, one line, when the URL is of neither form. The line never has the URL's password in it.
 */
export function openStore(url: string): Store {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  switch (parsed?.protocol) {
    case 'sqlite:':
      return new KyselyStore(sqliteBackend(sqlitePath(parsed)));
    case 'postgres:':
    case 'postgresql:':
      checkPostgres(parsed);
      return new KyselyStore(postgresBackend(url));
    default:
      // Cut at the credentials' end: what cannot be parsed may still hold a password.
      throw new Error(`store URL: expected ${FORMS}, got ${JSON.stringify(url.replace(/.*@/s, '...@'))}`);
  }
}

function sqlitePath(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  if (url.host !== '' || url.search !== '' || url.hash !== '' || path.length < 2 || path.endsWith('/')) {
    throw new Error(`store URL: expected sqlite:///absolute/path.db, got ${JSON.stringify(url.href)}`);
  }
  return path;
}

function checkPostgres(url: URL): void {
  // A host may also stand in the query (`?host=/run/postgresql`), as libpq allows.
  if (url.pathname.length >= 2 && (url.hostname !== '' || url.searchParams.has('host'))) return;
  const { host, pathname } = url;
  throw new Error(
    `store URL: expected postgres://user:password@host:port/database, got ${JSON.stringify(`postgres://${host}${pathname}`)}`,
  );
}
