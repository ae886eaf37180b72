// How a process ends: on the first SIGTERM or SIGINT it runs its shutdown once, within a limit; what does not end in
// time is cut off (the store and the queue are made for that). A second signal ends it at once.
import type { Logger } from './log.js';

/**
 * Shorter than the 30 s that Kubernetes and the 10 s that Docker grant (our manifests ask for 30 s in both): giving
 * cells back takes milliseconds, an answer that is under way takes seconds.
 */
export const SHUTDOWN_LIMIT_MS = 20_000;

const EXIT_OK = 0;
const EXIT_NOT_IN_TIME = 1;

export function onShutdownSignal(log: Logger, shutdown: () => Promise<void>): void {
  let begun = false;
  const handle = (signal: NodeJS.Signals) => {
    if (begun) {
      log.warn({ signal }, 'second signal: ending at once');
      process.exit(EXIT_NOT_IN_TIME);
    }
    begun = true;
    log.info({ signal }, 'shutting down');
    const limit = setTimeout(() => {
      log.error({ limitMs: SHUTDOWN_LIMIT_MS }, 'shutdown did not end in time; ending now');
      process.exit(EXIT_NOT_IN_TIME);
    }, SHUTDOWN_LIMIT_MS);
    shutdown().then(
      () => {
        clearTimeout(limit);
        log.info('ended');
        process.exit(EXIT_OK);
      },
      (error: Error) => {
        log.error({ err: error.message }, 'shutdown failed');
        process.exit(EXIT_NOT_IN_TIME);
      },
    );
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
}
