// A PostgreSQL server of a test's own: a new cluster in a temporary directory on a free port, from Debian's binaries.
// It can be stopped, killed, paused and started again, which a shared server cannot.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@kworkbench/service-host/testing/free-port';
import pg from 'pg';

const INSTALLATIONS = '/usr/lib/postgresql';
/** A start after `kill -9` replays the log first; on a loaded machine that takes seconds. */
const START_TIMEOUT_MS = 30_000;
const START_POLL_MS = 50;
/** Another program may take the free port between its choice and its use. */
const PORT_ATTEMPTS = 3;

type StopSignal = 'SIGINT' | 'SIGQUIT' | 'SIGKILL';

export class TemporaryPostgres {
  readonly #binaries = findBinaries();
  readonly #user = unprivilegedUser();
  readonly #directory = mkdtempSync(join(tmpdir(), 'kworkbench-postgres-'));
  #port = 0;
  #databases = 0;
  #server: ChildProcess | undefined;
  readonly #killAtExit = (): void => void this.#server?.kill('SIGQUIT');

  /**
   * @param durable waits for the disk, as a server does by default. Tests kill processes and never the machine, so
   *   they need not wait.
   * @throws Error, one line, when PostgreSQL is not installed.
   */
  static async start({ durable = false } = {}): Promise<TemporaryPostgres> {
    const server = new TemporaryPostgres(durable);
    server.#initialise();
    for (let attempt = 1; ; attempt++) {
      server.#port = await freePort();
      try {
        await server.start();
        return server;
      } catch (error) {
        if (attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  private constructor(private readonly durable: boolean) {
    process.on('exit', this.#killAtExit);
  }

  /** The URL of a new, empty database. */
  async createDatabase(): Promise<string> {
    const name = `test_${++this.#databases}`;
    await this.query(`create database ${name}`);
    return this.#url(name);
  }

  /** Starts the server again after stop(), on the same port and data. */
  async start(): Promise<void> {
    const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
    if (!this.durable) settings.push('-c', 'fsync=off');
    const giveUpAtMs = performance.now() + START_TIMEOUT_MS;
    let log = '';
    for (;;) {
      if (this.#server === undefined || this.#server.exitCode !== null) {
        const server = spawn(
          join(this.#binaries, 'postgres'),
          ['-D', this.#dataDirectory, '-p', String(this.#port), ...settings],
          { ...this.#user, cwd: this.#directory, stdio: ['ignore', 'ignore', 'pipe'] },
        );
        server.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-2_000)));
        this.#server = server;
      }
      if (await this.#answers()) return;
      if (performance.now() > giveUpAtMs) throw new Error(`PostgreSQL did not start: ${log}`);
      await sleep(START_POLL_MS);
    }
  }

  /** SIGINT: sessions are ended, as in a restart. SIGQUIT: no shutdown, recovery at the next start. SIGKILL: all crash. */
  async stop(signal: StopSignal = 'SIGINT'): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    if (server.exitCode === null && server.signalCode === null) {
      const exited = once(server, 'exit');
      if (signal === 'SIGKILL') this.#killAll();
      else server.kill(signal);
      await exited;
    }
    this.#server = undefined;
  }

  /** Server and sessions stand still: connections stay open and nothing answers, as when a network swallows packets. */
  pause(): void {
    for (const pid of this.#processes()) process.kill(pid, 'SIGSTOP');
  }

  resume(): void {
    for (const pid of this.#processes()) process.kill(pid, 'SIGCONT');
  }

  /** Only the sessions of these process ids: a new connection finds a server that answers. */
  pauseSessions(pids: readonly number[]): void {
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
  }

  /** For what a test must see or do past the store. */
  async query(sql: string, url = this.#url('postgres')): Promise<pg.QueryResult> {
    const client = new pg.Client(url);
    client.on('error', () => {});
    await client.connect();
    try {
      return await client.query(sql);
    } finally {
      await client.end();
    }
  }

  async remove(): Promise<void> {
    await this.stop('SIGQUIT');
    process.off('exit', this.#killAtExit);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Sessions that outlive their server answer until they notice. It stands still first, so that it starts none meanwhile. */
  #killAll(): void {
    this.#server!.kill('SIGSTOP');
    for (const pid of this.#processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        // A session that has ended by itself.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  get #dataDirectory(): string {
    return join(this.#directory, 'data');
  }

  #url(database: string): string {
    return `postgres://kworkbench@127.0.0.1:${this.#port}/${database}`;
  }

  #initialise(): void {
    if (this.#user !== undefined) chownSync(this.#directory, this.#user.uid, this.#user.gid);
    execFileSync(
      join(this.#binaries, 'initdb'),
      ['-D', this.#dataDirectory, '-U', 'kworkbench', '--auth=trust', '--encoding=UTF8', '--no-sync'],
      { ...this.#user, cwd: this.#directory, stdio: 'pipe' },
    );
  }

  async #answers(): Promise<boolean> {
    try {
      await this.query('select 1');
      return true;
    } catch {
      return false;
    }
  }

  #processes(): number[] {
    const pid = this.#server!.pid!;
    const sessions = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean);
    return [pid, ...sessions.map(Number)];
  }
}

function findBinaries(): string {
  const versions = existsSync(INSTALLATIONS) ? readdirSync(INSTALLATIONS).map(Number).filter(Number.isFinite) : [];
  const directories = versions.sort((a, b) => b - a).map((version) => join(INSTALLATIONS, String(version), 'bin'));
  const found = directories.find((directory) => existsSync(join(directory, 'initdb')));
  if (found === undefined) {
    throw new Error(`PostgreSQL: expected ${INSTALLATIONS}/*/bin/initdb, found none: apt-get install postgresql`);
  }
  return found;
}

/** PostgreSQL refuses to run as root; Debian's package makes a user for it. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
