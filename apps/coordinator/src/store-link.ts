// The store, from the moment the process starts: until the database could be reached once and its schema is current,
// every use fails as it would with a database that is away. Trying goes on for as long as the process lives.
import type { Logger } from '@kworkbench/service-host';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailableError, type Store } from './store/index.js';

/** Between attempts to reach a database that was away at the start: how late a coordinator gets ready. */
const TRY_AGAIN_MS = 1_000;

export class StoreLink {
  #usable = false;
  #lastProblem = 'not reached yet';
  readonly #closing = new AbortController();

  constructor(
    private readonly store: Store,
    private readonly log: Logger,
  ) {}

  /** @throws StoreUnavailableError until the schema is current. */
  get use(): Store {
    if (!this.#usable) throw new StoreUnavailableError(`database: ${this.#lastProblem}`);
    return this.store;
  }

  /** Resolves when the schema is current, or the link was closed before. */
  async open(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.store.migrate();
        this.#usable = true;
        this.log.info('database is reachable, schema is current');
        return;
      } catch (error) {
        const { message } = error as Error;
        // Once per change of the reason, not once per attempt.
        if (message !== this.#lastProblem) this.log.warn({ reason: message }, 'database is not usable; trying on');
        this.#lastProblem = message;
      }
      await sleep(TRY_AGAIN_MS, undefined, { signal: this.#closing.signal }).catch(() => {});
    }
  }

  /** Undefined when the database answers, else one line that says why not. */
  async problem(): Promise<string | undefined> {
    if (!this.#usable) return `database: ${this.#lastProblem}`;
    return (await this.store.ping()) ? undefined : 'database: no answer';
  }

  close(): Promise<void> {
    this.#closing.abort();
    return this.store.close();
  }
}
