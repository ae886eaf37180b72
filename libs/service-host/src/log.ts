// One JSON object per line on stderr. stdout stays free for results.
import type { LoggerService } from '@nestjs/common';
import { destination, pino, type Logger } from 'pino';

export type { Logger } from 'pino';

export function createLogger(service: string, level: string): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Synchronous: the last words before a crash are the ones that matter. Nothing hot is logged.
    destination({ dest: 2, sync: true }),
  );
}

/** Nest's own messages, one level down: that a module was initialised is of no interest to an operator. */
export function nestLogger(log: Logger): LoggerService {
  const text = (message: unknown) => (message instanceof Error ? message.message : String(message));
  return {
    log: (message) => log.debug(text(message)),
    debug: (message) => log.debug(text(message)),
    verbose: () => {},
    warn: (message) => log.warn(text(message)),
    error: (message) => log.error(text(message)),
    fatal: (message) => log.fatal(text(message)),
  };
}
