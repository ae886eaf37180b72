// The Redis of `kwb up`: BullMQ wants no eviction and an append-only file, so that a killed Redis loses no job.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findOnPath } from '@kworkbench/host-probe';
import { ExitCode } from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { ROOT } from '../paths.js';
import type { ChildSpec } from './child.js';

const ANSWER_TIMEOUT_MS = 1_000;
const INSTALLER = join(ROOT, 'tools/install-redis.sh');

/** Path of redis-server; installs Debian's package when it is missing and this is root on Debian. */
export function findRedis(log: (line: string) => void): string {
  const present = findOnPath('redis-server');
  if (present) return present;
  log('redis-server is missing; installing it (root on Debian, no system service is started)');
  const install = spawnSync('sh', [INSTALLER], { encoding: 'utf8' });
  const installed = findOnPath('redis-server');
  if (installed) return installed;
  const reason = (install.stderr ?? '').trim().split('\n').at(-1) || 'the installation failed';
  throw new CliError(
    ExitCode.BackendUnavailable,
    `up: redis-server is missing (${reason}); install it (Debian: apt-get install redis-server) or set KWB_REDIS_URL to a running one`,
  );
}

export function redisSpec(program: string, host: string, port: number, dataDir: string): ChildSpec {
  const dir = join(dataDir, 'redis');
  mkdirSync(dir, { recursive: true });
  const settings: Readonly<Record<string, string>> = {
    bind: host,
    port: String(port),
    dir,
    appendonly: 'yes',
    save: '', // the append-only file is enough; snapshots would only fork the process
    'maxmemory-policy': 'noeviction',
    loglevel: 'warning',
    daemonize: 'no',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return { name: 'redis', command: program, args, env: process.env, ready: () => redisAnswers(host, port) };
}

/** Whether something speaks Redis there. A server that asks for a password does. */
export function redisAnswers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER_TIMEOUT_MS }, () => socket.write('PING\r\n'));
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => settle(/^(\+PONG|-NOAUTH|-ERR)/.test(data.toString())));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => resolve(false));
  });
}
