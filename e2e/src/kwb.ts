// The command line as a person uses it: ./kwb in some working copy, its two streams apart.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ROOT } from './root.js';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** A whole experiment on two slow cores. */
const KWB_TIMEOUT_MS = 240_000;

/**
 * What a fresh shell has: no variable of a test runner or of npm, no folder of this working copy on PATH.
 * Otherwise a copy elsewhere might find this one's programs and pass without its own.
 */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|NX_|VITEST|NODE_ENV$|NODE_OPTIONS$|KWB_)/.test(name),
  );
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.startsWith(ROOT));
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) };
}

/** Runs `command` to its end. Rejects when it takes longer than `timeoutMs`; it is killed then, and its children with it. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<Finished> {
  const { cwd = ROOT, env = plainEnvironment(), timeoutMs = KWB_TIMEOUT_MS } = options;
  return new Promise((resolve, reject) => {
    const started = performance.now();
    // A process group of its own: a time-out must not leave workers behind.
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      reject(new Error(`${command} ${args.join(' ')}: no end after ${timeoutMs / 1000} s\n${stderr}`));
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr, seconds: (performance.now() - started) / 1000 });
    });
  });
}

/** {@link run}, and anything but exit code 0 is an error that carries what the program said. */
export async function runOrThrow(...call: Parameters<typeof run>): Promise<Finished> {
  const finished = await run(...call);
  if (finished.code !== 0) {
    const [command, args] = call;
    throw new Error(`${command} ${args.join(' ')}: exit code ${finished.code}\n${finished.stderr}${finished.stdout}`);
  }
  return finished;
}

/** `./kwb` of the working copy at `root`. */
export function kwb(args: readonly string[], options: { root?: string; cwd?: string } = {}): Promise<Finished> {
  const { root = ROOT, cwd = root } = options;
  return run(join(root, 'kwb'), args, { cwd });
}

/** `./kwb run` of this working copy, in a folder that is gone afterwards: it writes a run directory. */
export async function kwbRun(...args: string[]): Promise<Finished> {
  const folder = await mkdtemp(join(tmpdir(), 'kwb-run-'));
  try {
    return await kwb(['run', ...args], { cwd: folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
