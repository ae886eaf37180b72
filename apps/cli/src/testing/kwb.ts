// Runs the built CLI as a real process, for specs.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../paths.js';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningKwb {
  readonly ended: Promise<Ended>;
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when stderr or stdout has shown the text; rejects when the process ends without it. */
  shown(text: string): Promise<string>;
  /** The same for a pattern; resolves with what matched. */
  line(pattern: RegExp): Promise<string>;
}

export interface KwbOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Program to start instead of the built CLI, e.g. the launcher. */
  readonly program?: string;
}

export function startKwb(args: readonly string[], options: KwbOptions = {}): RunningKwb {
  const [command, ...before] = options.program
    ? [options.program]
    : [process.execPath, join(ROOT, 'apps/cli/dist/main.js')];
  const child = spawn(command!, [...before, ...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(options.stdin ?? '');
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout
    .setEncoding('utf8')
    .on('data', (chunk: string) => ((stdout += chunk), watchers.forEach((look) => look())));
  child.stderr
    .setEncoding('utf8')
    .on('data', (chunk: string) => ((stderr += chunk), watchers.forEach((look) => look())));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  const waitFor = (find: () => string | undefined, what: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found !== undefined) resolve(found);
      };
      watchers.add(look);
      look();
      void ended.then(() => reject(new Error(`ended without showing ${what}:\n${stdout}${stderr}`)));
    });
  return {
    ended,
    pid: child.pid!,
    kill: (signal) => child.kill(signal),
    shown: (text) => waitFor(() => ((stdout + stderr).includes(text) ? text : undefined), text),
    line: (pattern) => waitFor(() => (pattern.exec(stdout) ?? pattern.exec(stderr))?.[0], String(pattern)),
  };
}

export function kwb(args: readonly string[], options: KwbOptions = {}): Promise<Ended> {
  return startKwb(args, options).ended;
}
