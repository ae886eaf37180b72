// Tells watchers in this process that an experiment changed. A hint only: another coordinator may have changed it, so
// whoever waits also looks from time to time.
import { EventEmitter, once } from 'node:events';
import type { StoredExperiment } from './store/index.js';

/** How late a watcher hears of what another coordinator did. */
const LOOK_EVERY_MS = 1_000;

export class Changes {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  announce(experimentId: string): void {
    this.#emitter.emit(experimentId);
  }

  /** Resolves on the next change, after a while, or when `signal` aborts. */
  async next(experimentId: string, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, AbortSignal.timeout(LOOK_EVERY_MS)]);
    await once(this.#emitter, experimentId, { signal: either }).catch(() => {});
  }
}

export const hasEnded = (experiment: StoredExperiment) => experiment.state !== 'running';
