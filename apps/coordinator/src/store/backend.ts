// What the two databases have to give so that one set of queries serves both.
import type { Kysely, Transaction } from 'kysely';
import type { SchemaWords } from './migrations.js';
import type { Tables } from './schema.js';

export interface Backend {
  /** For messages; without credentials. */
  readonly name: string;
  readonly db: Kysely<Tables>;
  readonly words: SchemaWords;
  /** Takes the lock of what only one coordinator may do at a time, until the transaction ends. */
  lock(transaction: Transaction<Tables>): Promise<void>;
  /** Runs `work`, which may be repeated as a whole, until it no longer meets a lock of another process. */
  attempt<T>(work: () => Promise<T>): Promise<T>;
  /** Gives the space of what was removed back, as far as that stops nobody. May take long; waits for no one. */
  reclaim(): Promise<void>;
  /** A statement that fails when the database does not answer. */
  readonly pingSql: string;
  /** Whether an error means that the database cannot be reached or refuses work for now. */
  isUnavailable(error: unknown): boolean;
}

/** Both databases must take the same texts, or a store would depend on which one it is. @throws TypeError */
export function checkParameters(parameters: readonly unknown[]): void {
  for (const parameter of parameters) {
    if (typeof parameter === 'string' && parameter.includes('\0')) {
      throw new TypeError(`store: expected a text without U+0000, got ${JSON.stringify(parameter.slice(0, 80))}`);
    }
  }
}
