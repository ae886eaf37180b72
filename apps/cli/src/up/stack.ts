// What `kwb up` starts: the coordinator and one service per mechanism, as processes of this machine, with the same
// environment variables that compose and Kubernetes set.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../paths.js';
import type { ChildSpec } from './child.js';

/** Mechanism services, by their folder under apps/. Ports count up from the first service's. */
export const SERVICES: readonly string[] = [
  'conntrack-cleaner',
  'netns-teardown',
  'ipvs-estimator',
  'padata-helpers',
  'reuseport-migrator',
];

export interface StackPorts {
  readonly http: number;
  readonly grpc: number;
  /** One pair per entry of {@link SERVICES}. */
  readonly services: readonly { readonly http: number; readonly grpc: number }[];
}

export interface StackOptions {
  readonly bind: string;
  readonly ports: StackPorts;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Worker threads per service; undefined leaves it to the service. */
  readonly workers: number | undefined;
}

/** A question to /readyz that takes longer counts as "not yet". */
const READYZ_TIMEOUT_MS = 2_000;

async function readyz(host: string, port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://${host}:${port}/readyz`, { signal: AbortSignal.timeout(READYZ_TIMEOUT_MS) });
    return answer.ok;
  } catch {
    return false;
  }
}

/** An address that a client on this machine can reach, for a server bound to `bind`. */
export function reachable(bind: string): string {
  return bind === '0.0.0.0' ? '127.0.0.1' : bind === '::' ? '::1' : bind;
}

function nodeChild(app: string, httpPort: number, options: StackOptions, env: Record<string, string>): ChildSpec {
  return {
    name: app,
    command: process.execPath,
    // The second one as in the Dockerfile, which says why.
    args: ['--enable-source-maps', '--no-incremental-marking-task', join(ROOT, 'apps', app, 'dist/main.js')],
    env: {
      ...process.env,
      KWB_REDIS_URL: options.redisUrl,
      KWB_BIND: options.bind,
      KWB_HTTP_PORT: String(httpPort),
      ...env,
    },
    ready: () => readyz(reachable(options.bind), httpPort),
  };
}

/** Coordinator first, services after it. */
export function stackSpecs(options: StackOptions): ChildSpec[] {
  const host = reachable(options.bind);
  const { ports } = options;
  const coordinator = nodeChild('coordinator', ports.http, options, {
    KWB_GRPC_PORT: String(ports.grpc),
    KWB_DATABASE_URL: options.databaseUrl,
  });
  const services = SERVICES.map((app, i) =>
    nodeChild(app, ports.services[i]!.http, options, {
      KWB_GRPC_PORT: String(ports.services[i]!.grpc),
      KWB_COORDINATOR_GRPC: `${host}:${ports.grpc}`,
      ...(options.workers === undefined ? {} : { KWB_WORKERS: String(options.workers) }),
    }),
  );
  return [coordinator, ...services];
}

/** Apps whose build is missing. */
export function unbuiltApps(): string[] {
  return ['coordinator', ...SERVICES].filter((app) => !existsSync(join(ROOT, 'apps', app, 'dist/main.js')));
}
