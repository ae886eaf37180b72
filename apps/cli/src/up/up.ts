// Redis, the coordinator and the mechanism services as processes of this machine.
import { resolve } from 'node:path';
import { ExitCode } from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { takeDataDir } from './data-dir.js';
import { claimPort } from './ports.js';
import { findRedis, redisAnswers, redisSpec } from './redis.js';
import { reachable, SERVICES, stackSpecs, unbuiltApps, type StackPorts } from './stack.js';
import { Supervisor } from './supervisor.js';

export interface UpOptions {
  readonly data: string;
  readonly bind: string;
  readonly redisUrl?: string;
  readonly redisPort: number;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly serviceHttpPort: number;
  readonly serviceGrpcPort: number;
  readonly databaseUrl?: string;
  readonly workers?: number;
  readonly quiet?: boolean;
}

/** Takes each port before anything starts, so that a taken one is one clear line and not a half-started stack. */
async function claim(host: string, wanted: number, whose: string, flag: string): Promise<number> {
  let claimed: number | undefined;
  try {
    claimed = await claimPort(host, wanted);
  } catch (error) {
    throw new CliError(
      ExitCode.BadScenario,
      `up: cannot listen on ${host}:${wanted} for ${whose} (${(error as Error).message})`,
    );
  }
  if (claimed !== undefined) return claimed;
  throw new CliError(
    ExitCode.BackendUnavailable,
    `up: port ${wanted} (${whose}) is taken on ${host}; free it, or choose another with ${flag}`,
  );
}

async function claimStackPorts(options: UpOptions): Promise<StackPorts> {
  const next = (first: number, i: number): number => (first === 0 ? 0 : first + i);
  const http = await claim(options.bind, options.httpPort, 'coordinator HTTP', '--http-port');
  const grpc = await claim(options.bind, options.grpcPort, 'coordinator gRPC', '--grpc-port');
  const services = [];
  for (const [i, app] of SERVICES.entries()) {
    services.push({
      http: await claim(options.bind, next(options.serviceHttpPort, i), `${app} HTTP`, '--service-http-port'),
      grpc: await claim(options.bind, next(options.serviceGrpcPort, i), `${app} gRPC`, '--service-grpc-port'),
    });
  }
  return { http, grpc, services };
}

function logger(quiet: boolean): (name: string, line: string) => void {
  const width = Math.max(...['coordinator', ...SERVICES].map((name) => name.length));
  return (name, line) => {
    if (quiet && name !== 'kwb') return;
    process.stderr.write(name === 'kwb' ? `kwb: ${line}\n` : `${name.padEnd(width)} | ${line}\n`);
  };
}

export async function up(options: UpOptions): Promise<void> {
  const missing = unbuiltApps();
  if (missing.length > 0)
    throw new CliError(ExitCode.InternalError, `up: not built: ${missing.join(', ')}; start it as ./kwb up`);
  const dataDir = resolve(options.data);
  const log = logger(options.quiet ?? false);
  const giveBack = takeDataDir(dataDir);
  const supervisor = new Supervisor(log);
  try {
    await runStack(options, dataDir, supervisor, log);
  } finally {
    await supervisor.stop();
    giveBack();
  }
}

async function runStack(
  options: UpOptions,
  dataDir: string,
  supervisor: Supervisor,
  log: (name: string, line: string) => void,
): Promise<void> {
  const ports = await claimStackPorts(options);
  if (options.redisUrl !== undefined) await expectRedis(options.redisUrl);
  const ownRedis =
    options.redisUrl === undefined
      ? {
          program: findRedis((line) => log('kwb', line)),
          port: await claim('127.0.0.1', options.redisPort, 'Redis', '--redis-port'),
        }
      : undefined;
  const redisUrl = options.redisUrl ?? `redis://127.0.0.1:${ownRedis!.port}`;

  let interrupted = false;
  const onSignal = (): void => {
    if (interrupted) return supervisor.killAll();
    interrupted = true;
    log('kwb', 'stopping (again to kill)');
    void supervisor.stop();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);

  const started = async (specs: Parameters<Supervisor['startGroup']>[0]): Promise<void> => {
    const failure = interrupted ? undefined : await supervisor.startGroup(specs);
    if (failure !== undefined && !interrupted) throw new CliError(ExitCode.BackendUnavailable, `up: ${failure}`);
  };
  if (ownRedis) await started([redisSpec(ownRedis.program, '127.0.0.1', ownRedis.port, dataDir)]);
  await started(
    stackSpecs({
      bind: options.bind,
      ports,
      redisUrl,
      databaseUrl: options.databaseUrl ?? `sqlite://${encodeURI(dataDir)}/kworkbench.db`,
      workers: options.workers,
    }),
  );
  if (!interrupted) {
    const host = reachable(options.bind);
    const services = SERVICES.map((app, i) => `${app} http://${host}:${ports.services[i]!.http}`).join(' · ');
    process.stdout.write(
      `kwb up: coordinator http://${host}:${ports.http} grpc ${host}:${ports.grpc} · ${services} · redis ${withoutPassword(redisUrl)}\n`,
    );
  }
  log(
    'kwb',
    `started ${Object.entries(supervisor.pids)
      .map(([name, pid]) => `${name} pid ${pid}`)
      .join(', ')}`,
  );
  const givenUp = await supervisor.supervise();
  if (givenUp !== undefined && !interrupted)
    throw new CliError(ExitCode.InternalError, `up: ${givenUp}; everything was stopped`);
}

/** A Redis of the user's is asked before anything starts; that it comes and goes later is the services' business. */
async function expectRedis(url: string): Promise<void> {
  const { hostname, port: given, protocol } = parseUrl(url);
  // TLS is left to the services: their readiness says what is wrong with it.
  if (protocol !== 'redis:' || (await redisAnswers(hostname, Number(given || 6379)))) return;
  throw new CliError(
    ExitCode.BackendUnavailable,
    `up: no Redis answers at ${withoutPassword(url)} (KWB_REDIS_URL or --redis-url)`,
  );
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url && /^rediss?:$/.test(url.protocol)) return url;
  throw new CliError(ExitCode.BadScenario, `up: --redis-url: expected redis://host:port, got ${JSON.stringify(text)}`);
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//***@');
}
