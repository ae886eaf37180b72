// Removes what has ended long ago. Every coordinator does it; one that finds nothing left has nothing to do.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@kworkbench/service-host';
import type { StoreLink } from './store-link.js';

const LOOK_EVERY_MS = 10 * 60_000;
/** Experiments of one transaction: SQLite writes nothing else meanwhile. */
const REMOVED_AT_ONCE = 10;
const DAY_MS = 24 * 3_600_000;

export class Retention {
  readonly #closing = new AbortController();

  constructor(
    private readonly stores: StoreLink,
    private readonly keepDays: number | undefined,
    private readonly log: Logger,
  ) {}

  /** At once and then regularly, until closed. Never rejects. */
  async run(): Promise<void> {
    if (this.keepDays === undefined) return;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.removeOld(this.keepDays).catch((error: Error) =>
        this.log.warn({ reason: error.message }, 'old experiments not removed'),
      );
      await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  close(): void {
    this.#closing.abort();
  }

  /** @throws StoreUnavailableError */
  async removeOld(keepDays: number): Promise<void> {
    const endedBefore = new Date(Date.now() - keepDays * DAY_MS).toISOString();
    let removed = 0;
    for (let some = -1; some !== 0 && !this.#closing.signal.aborted; removed += some) {
      some = await this.stores.use.removeEndedBefore(endedBefore, REMOVED_AT_ONCE);
    }
    if (removed > 0) this.log.info({ removed, endedBefore }, 'old experiments removed');
  }
}
