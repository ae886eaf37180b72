// A connection to Redis that outlives Redis: it says once that Redis went and once that it came back, and never gives
// up. Every user of Redis in a process gets a link of its own or shares one, as BullMQ asks.
import { Redis } from 'ioredis';
import { withoutPassword } from './env.js';
import type { Logger } from './log.js';
import { withJitter } from './jitter.js';

/** First pause before connecting again; doubled each time. */
const RECONNECT_FIRST_MS = 100;
/** Longest pause: how late a process may notice that Redis is back. */
const RECONNECT_MAX_MS = 2_000;
/** A host that swallows packets must not hold the connection attempt for minutes. */
const CONNECT_LIMIT_MS = 5_000;
/** A Redis that does not answer a PING within this is not one to work with. */
const PING_LIMIT_MS = 1_000;

export type RedisUse =
  /** Blocks and waits for Redis however long it is away: what a BullMQ worker needs. */
  | 'worker'
  /** Fails at once while Redis is away: what somebody who is waiting for an answer needs. */
  | 'producer';

function reconnectPauseMs(attempt: number): number {
  const pause = Math.min(RECONNECT_FIRST_MS * 2 ** Math.min(attempt - 1, 10), RECONNECT_MAX_MS);
  return withJitter(pause);
}

export class RedisLink {
  readonly connection: Redis;
  #reachable: boolean | undefined;
  #closing = false;
  #lastError = 'not connected yet';

  constructor(
    readonly url: string,
    use: RedisUse,
    private readonly log: Logger,
  ) {
    this.connection = new Redis(url, {
      // BullMQ requires null for workers; a producer wants an error instead of a wait without end.
      maxRetriesPerRequest: use === 'worker' ? null : 1,
      enableOfflineQueue: use === 'worker',
      connectTimeout: CONNECT_LIMIT_MS,
      retryStrategy: reconnectPauseMs,
    });
    this.connection.on('error', (error) => {
      this.#lastError = error.message || String(error);
    });
    this.connection.on('ready', () => {
      this.#lastError = 'connection closed';
      this.#became(true);
    });
    this.connection.on('close', () => this.#became(false));
  }

  /** Undefined when Redis answers, else one line that says why it does not. Never rejects. */
  async problem(): Promise<string | undefined> {
    if (this.connection.status !== 'ready') return `Redis at ${withoutPassword(this.url)}: ${this.#lastError}`;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<string>((resolve) => {
      timer = setTimeout(
        () => resolve(`Redis at ${withoutPassword(this.url)}: no answer within ${PING_LIMIT_MS} ms`),
        PING_LIMIT_MS,
      );
    });
    const ping = this.connection.ping().then(
      () => undefined,
      (error: Error) => `Redis at ${withoutPassword(this.url)}: ${error.message}`,
    );
    return Promise.race([ping, limit]).finally(() => clearTimeout(timer));
  }

  close(): void {
    this.#closing = true;
    this.connection.disconnect();
  }

  #became(reachable: boolean): void {
    if (this.#closing || reachable === this.#reachable) return;
    this.#reachable = reachable;
    const where = withoutPassword(this.url);
    if (reachable) this.log.info({ redis: where }, 'Redis is reachable');
    else this.log.warn({ redis: where, reason: this.#lastError }, 'Redis is not reachable; trying on');
  }
}
