// `kwb up`
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { integerOption } from '../options.js';
import { STATE } from '../paths.js';
import type { UpOptions } from '../up/up.js';

const port = (flag: string, help: string, env: string, standard: number): Option =>
  new Option(`${flag} <port>`, `${help}; 0 takes a free one`)
    .env(env)
    .default(standard)
    .argParser(integerOption(0, 65_535));

export function addUp(program: Command): void {
  program
    .command('up')
    .description('start Redis, the coordinator and the mechanism services on this machine; Ctrl-C ends them')
    .option('--data <dir>', 'folder for the Redis file and the database', join(STATE, 'up'))
    .addOption(new Option('--bind <address>', 'address to listen on').env('KWB_BIND').default('127.0.0.1'))
    .addOption(new Option('--redis-url <url>', 'use this Redis instead of starting one').env('KWB_REDIS_URL'))
    .addOption(new Option('--database-url <url>', 'postgres://... or sqlite:///path').env('KWB_DATABASE_URL'))
    .addOption(port('--redis-port', 'port of the Redis that is started', 'KWB_REDIS_PORT', 6379))
    .addOption(port('--http-port', 'HTTP port of the coordinator', 'KWB_HTTP_PORT', 8080))
    .addOption(port('--grpc-port', 'gRPC port of the coordinator', 'KWB_GRPC_PORT', 50_051))
    .addOption(port('--service-http-port', 'HTTP port of the first service', 'KWB_SERVICE_HTTP_PORT', 8081))
    .addOption(port('--service-grpc-port', 'gRPC port of the first service', 'KWB_SERVICE_GRPC_PORT', 50_052))
    .addOption(
      new Option('--workers <n>', 'worker threads per service').env('KWB_WORKERS').argParser(integerOption(1, 1024)),
    )
    .option('--quiet', 'do not print what the processes log')
    .action(async (options: UpOptions) => {
      const { up } = await import('../up/up.js');
      await up(options);
    });
}
