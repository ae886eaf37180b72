// Real processes for the tests: Redis, coordinators, services. Everything that is started is killed at the end of the
// test file, whatever happened.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@kworkbench/service-host/testing/free-port';

const DIST = resolve(import.meta.dirname, '../../dist');
/** Two cores, shared with whatever else runs: a process may take seconds to start. */
const START_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 25;

const running = new Set<ChildProcess>();
const directories: string[] = [];

export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kwb-test-'));
  directories.push(directory);
  return directory;
}

export async function endEverything(): Promise<void> {
  await Promise.all([...running].map((child) => killed(child, 'SIGKILL')));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

/** Sends the signal and waits for the end. @returns the exit code, or null when a signal ended it. */
export function killed(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((done) => {
    child.once('exit', (code) => done(code));
    child.kill(signal);
  });
}

/** Asks until the answer is something. @throws after the limit, with what was waited for. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  limitMs = 60_000,
): Promise<T> {
  const until = Date.now() + limitMs;
  for (let last: unknown; ; await sleep(LOOK_EVERY_MS)) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > until) throw new Error(`waited ${limitMs} ms in vain for ${what}`, { cause: last });
  }
}

/** With `none` all is gone after a stop, which is the worst that can happen to a queue; the product runs `append-only`. */
export type RedisPersistence = 'none' | 'append-only';

export class TestRedis {
  readonly url: string;
  #child: ChildProcess | undefined;
  readonly #directory = scratchDirectory();

  private constructor(
    readonly port: number,
    private readonly persistence: RedisPersistence,
  ) {
    this.url = `redis://127.0.0.1:${port}`;
  }

  static async start(persistence: RedisPersistence = 'none'): Promise<TestRedis> {
    const redis = new TestRedis(await freePort(), persistence);
    await redis.start();
    return redis;
  }

  /** Starts it, the first time or again after a stop, with what it has kept. */
  async start(): Promise<void> {
    try {
      execFileSync('redis-server', ['--version'], { stdio: 'pipe' });
    } catch {
      throw new Error('these tests need redis-server in PATH (Debian: apt-get install redis-server)');
    }
    this.#child = spawn(
      'redis-server',
      [
        '--port',
        String(this.port),
        '--bind',
        '127.0.0.1',
        '--save',
        '',
        '--appendonly',
        this.persistence === 'append-only' ? 'yes' : 'no',
        '--maxmemory-policy',
        'noeviction',
      ],
      { stdio: 'ignore', cwd: this.#directory },
    );
    running.add(this.#child);
    await eventually('redis-server', () => accepts(this.port), START_LIMIT_MS);
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await killed(this.#child!, signal);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    }).on('error', () => done(false));
  });
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [key: string]: unknown;
}

/** A coordinator or a service, and what it has logged. */
export class TestProcess {
  readonly log: LogLine[] = [];
  stderr = '';
  readonly child: ChildProcess;

  constructor(script: string, environment: Readonly<Record<string, string>>) {
    const path = join(DIST, script);
    if (!existsSync(path)) throw new Error(`${script} is not built: run tsc -b first`);
    // As `kwb up` starts it.
    this.child = spawn(process.execPath, ['--enable-source-maps', '--no-incremental-marking-task', path], {
      env: { PATH: process.env.PATH, KWB_HTTP_PORT: '0', KWB_GRPC_PORT: '0', ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    running.add(this.child);
    let rest = '';
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine);
    });
  }

  /** @returns the first line with this message. */
  said(message: string, limitMs = START_LIMIT_MS): Promise<LogLine> {
    return eventually(
      `"${message}" of ${this.child.spawnfile}`,
      async () => {
        const line = this.log.find(({ msg }) => msg === message);
        if (!line && this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${this.stderr}`);
        return line;
      },
      limitMs,
    );
  }

  async ports(): Promise<{ http: string; grpc: string }> {
    const line = await this.said('listening');
    return { http: `http://127.0.0.1:${line.httpPort}`, grpc: `127.0.0.1:${line.grpcPort}` };
  }
}

export interface Ready {
  readonly status: number;
  readonly checks: Readonly<Record<string, string>>;
}

export async function readyz(http: string): Promise<Ready> {
  const response = await fetch(`${http}/readyz`);
  const { checks } = (await response.json()) as { checks: Record<string, string> };
  return { status: response.status, checks };
}

/** Waits for readiness to be so. */
export function untilReady(http: string, ready: boolean): Promise<Ready> {
  return eventually(`readiness ${ready} of ${http}`, async () => {
    const answer = await readyz(http);
    return (answer.status === 200) === ready && answer;
  });
}
