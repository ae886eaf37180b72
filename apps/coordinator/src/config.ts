import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { env } from '@kworkbench/service-host';
import { z } from 'zod';
import { MAX_MALFORMED_PER_WINDOW } from './limits.js';

/** The schemes that the store opens; it checks the rest of the URL. */
const DATABASE_SCHEMES = ['postgres:', 'postgresql:', 'sqlite:'];

export const coordinatorConfigSchema = z.object({
  KWB_REDIS_URL: env.redisUrl(),
  KWB_DATABASE_URL: env
    .checked('postgres://user:password@host:port/database or sqlite:///absolute/path.db', (text) =>
      URL.canParse(text) && DATABASE_SCHEMES.includes(new URL(text).protocol) ? text : undefined,
    )
    .optional(),
  KWB_DATA_DIR: z.string().default('.kwb'),
  KWB_HTTP_PORT: env.port(8080),
  KWB_GRPC_PORT: env.port(50051),
  KWB_BIND: env.bind(),
  KWB_LOG_LEVEL: env.logLevel(),
  /** The catalogue; that of this build when not set. */
  KWB_SCENARIOS_DIR: z.string().default(resolve(import.meta.dirname, '../../../scenarios')),
  /** Telemetry that is held in memory on its way to the store, over all cells. */
  KWB_INGEST_MB: env.integer(1, 1_000_000).default(128),
  /** Days after which an ended experiment is removed, with its results that no other one has; for ever when not set. */
  KWB_KEEP_DAYS: env.integer(1, 36_500).optional(),
  /**
   * Megabytes (10^6) that all experiments together may take in the store; beyond, the oldest that have ended are
   * removed, at the next look within a minute. Without end when not set.
   */
  KWB_KEEP_MB: env.integer(1, 1_000_000_000).optional(),
  /** Wrong requests of one client address within ten seconds, until its requests are refused unread. */
  KWB_MAX_MALFORMED: env.integer(1, 1_000_000).default(MAX_MALFORMED_PER_WINDOW),
});
export type CoordinatorConfig = z.output<typeof coordinatorConfigSchema>;

/** The configured database, or SQLite in the data directory (which is made). @throws when that cannot be made. */
export function databaseUrl(config: CoordinatorConfig): string {
  if (config.KWB_DATABASE_URL !== undefined) return config.KWB_DATABASE_URL;
  const directory = resolve(config.KWB_DATA_DIR);
  mkdirSync(directory, { recursive: true });
  return `sqlite://${encodeURI(directory)}/kworkbench.db`;
}
