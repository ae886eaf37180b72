// Removes what has ended long ago, and the oldest that has ended when all together takes too much. Running experiments
// stay, whatever they take. Every coordinator does it; one that finds nothing left has nothing to do.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@kworkbench/service-host';
import type { StoreLink } from './store-link.js';

/** A look is two small queries; a sweep writes some hundred megabytes in a minute. */
const LOOK_EVERY_MS = 60_000;
/** Experiments of one transaction: SQLite writes nothing else meanwhile. */
const REMOVED_AT_ONCE = 10;
const DAY_MS = 24 * 3_600_000;

/** What is left out has no end. */
export interface Kept {
  readonly days?: number | undefined;
  /** 10^6 bytes, of all experiments together. */
  readonly megabytes?: number | undefined;
}

export class Retention {
  readonly #closing = new AbortController();

  constructor(
    private readonly stores: StoreLink,
    private readonly kept: Kept,
    private readonly log: Logger,
  ) {}

  /** At once and then regularly, until closed. Never rejects. */
  async run(): Promise<void> {
    if (this.kept.days === undefined && this.kept.megabytes === undefined) return;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.look().catch((error: Error) =>
        this.log.warn({ reason: error.message }, 'old experiments not removed'),
      );
      await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  close(): void {
    this.#closing.abort();
  }

  /** @throws StoreUnavailableError */
  async look(): Promise<void> {
    const removed = (await this.#removeOld()) + (await this.#removeOldest());
    if (removed === 0 || this.#closing.signal.aborted) return;
    this.log.info({ removed, kept: this.kept }, 'old experiments removed');
    await this.stores.use.reclaim();
  }

  async #removeOld(): Promise<number> {
    const { days } = this.kept;
    if (days === undefined) return 0;
    const endedBefore = new Date(Date.now() - days * DAY_MS).toISOString();
    return this.#untilNone(() => this.stores.use.removeEndedBefore(endedBefore, REMOVED_AT_ONCE));
  }

  async #removeOldest(): Promise<number> {
    const { megabytes } = this.kept;
    if (megabytes === undefined) return 0;
    return this.#untilNone(async () => Number(await this.stores.use.removeOldestAbove(megabytes * 1e6)));
  }

  async #untilNone(remove: () => Promise<number>): Promise<number> {
    let removed = 0;
    for (let some = -1; some !== 0 && !this.#closing.signal.aborted; removed += Math.max(some, 0))
      some = await remove();
    return removed;
  }
}
