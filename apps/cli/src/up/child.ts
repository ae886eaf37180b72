// One supervised process. It is started in its own process group, so that Ctrl-C reaches only kwb, which then ends the
// processes in order; where setpriv exists the kernel ends it when kwb itself is killed.
//
// Restart policy: a child that dies after it was ready is restarted with back-off; one that dies before, or too often,
// is given up, and the owner ends the whole.
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOnPath } from '@kworkbench/host-probe';

/** First pause before a restart; doubles with every death. Short: most deaths are a kill or a lost connection. */
const RESTART_FIRST_MS = 500;
/** Longest pause: an operator who repairs the cause should not wait longer than this for the next attempt. */
const RESTART_LONGEST_MS = 10_000;
/** Deaths without a quiet period between them after which a restart is no remedy. */
const RESTART_LIMIT = 6;
/** A child that lived this long starts its count anew. */
const QUIET_MS = 60_000;
/** From SIGTERM to SIGKILL: services give their cells back and Redis writes its file within a few seconds. */
const STOP_GRACE_MS = 15_000;

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Resolves true once the child does its work. Asked again and again until it does. */
  ready(): Promise<boolean>;
}

export class SupervisedChild {
  #process: ChildProcess | undefined;
  #ended: Promise<string> = Promise.resolve('');
  #stopping = false;

  /** @param log receives each line that the child writes, and what happens to it. */
  constructor(
    readonly spec: ChildSpec,
    private readonly log: (name: string, line: string) => void,
  ) {}

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts the child. The promise of {@link run} tells how it ends. */
  start(): void {
    const guard = findOnPath('setpriv');
    const [command, ...args] = guard
      ? [guard, '--pdeathsig', 'TERM', this.spec.command, ...this.spec.args]
      : [this.spec.command, ...this.spec.args];
    const child = spawn(command!, args, { env: this.spec.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.log(this.spec.name, line));
    }
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exited with ${code}`));
    });
  }

  /** Waits until the child is ready. Returns undefined, or why it will never be. */
  async whenReady(timeoutMs: number, pollMs: number): Promise<string | undefined> {
    let death: string | undefined;
    void this.#ended.then((how) => (death = how));
    const rounds = Math.ceil(timeoutMs / pollMs);
    for (let round = 0; round < rounds; round += 1) {
      if (death !== undefined) return death;
      if (await this.spec.ready()) return undefined;
      await sleep(pollMs);
    }
    return `not ready within ${timeoutMs / 1000} s`;
  }

  /** Keeps the child alive until it is stopped (resolves undefined) or given up (resolves why). */
  async supervise(): Promise<string | undefined> {
    for (let deaths = 0; ;) {
      const started = Date.now();
      const how = await this.#ended;
      if (this.#stopping) return undefined;
      deaths = Date.now() - started > QUIET_MS ? 1 : deaths + 1;
      if (deaths >= RESTART_LIMIT) return `${how}, for the ${deaths}th time in a row`;
      const pauseMs = Math.min(RESTART_FIRST_MS * 2 ** (deaths - 1), RESTART_LONGEST_MS);
      this.log('kwb', `${this.spec.name} ${how}; restarting it in ${pauseMs / 1000} s`);
      await sleep(pauseMs);
      if (this.#stopping) return undefined;
      this.start();
    }
  }

  /** SIGTERM, then SIGKILL after the grace period. Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.log('kwb', `${this.spec.name} did not end within ${STOP_GRACE_MS / 1000} s; killing it`);
      child.kill('SIGKILL');
    }, STOP_GRACE_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Ends the process at once, for a second Ctrl-C. */
  kill(): void {
    this.#stopping = true;
    this.#process?.kill('SIGKILL');
  }
}
