// Whether this process can do its work now. A named check answers nothing when all is well, else one line with the
// reason. Liveness is another matter: a process that waits for Redis is alive.
import type { Logger } from './log.js';

/** How often readiness is looked at without being asked, for gRPC health and the log. */
const LOOK_EVERY_MS = 1_000;

export type Check = () => Promise<string | undefined> | string | undefined;

export interface ReadinessAnswer {
  readonly ready: boolean;
  /** Per check: `ok`, or why not. */
  readonly checks: Readonly<Record<string, string>>;
}

export class Readiness {
  #timer: NodeJS.Timeout | undefined;
  #last: boolean | undefined;
  #draining = false;
  readonly #listeners: ((ready: boolean) => void)[] = [];

  constructor(
    private readonly checks: Readonly<Record<string, Check>>,
    private readonly log: Logger,
  ) {}

  /** Called on every change, and with the first answer. */
  onChange(listener: (ready: boolean) => void): void {
    this.#listeners.push(listener);
  }

  async ask(): Promise<ReadinessAnswer> {
    const answers = await Promise.all(
      Object.entries(this.checks).map(async ([name, check]) => [name, (await check()) ?? 'ok'] as const),
    );
    const checks = { ...Object.fromEntries(answers), ...(this.#draining && { draining: 'shutting down' }) };
    const ready = Object.values(checks).every((text) => text === 'ok');
    this.#became(ready, checks);
    return { ready, checks };
  }

  start(): void {
    const look = () =>
      void this.ask().finally(() => {
        if (!this.#draining) this.#timer = setTimeout(look, LOOK_EVERY_MS);
      });
    look();
  }

  /** From now on never ready again: no new work shall come. */
  drain(): void {
    this.#draining = true;
    clearTimeout(this.#timer);
    this.#became(false, { draining: 'shutting down' });
  }

  get draining(): boolean {
    return this.#draining;
  }

  #became(ready: boolean, checks: Readonly<Record<string, string>>): void {
    if (ready === this.#last) return;
    this.#last = ready;
    const failing = Object.fromEntries(Object.entries(checks).filter(([, text]) => text !== 'ok'));
    if (ready) this.log.info('ready');
    else this.log.warn({ failing }, 'not ready');
    for (const listener of this.#listeners) listener(ready);
  }
}
