// Programs and engines around us: where they are, and which version answers.
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { request } from 'node:http';
import { delimiter, join } from 'node:path';

/** A version question to a program or engine that takes longer than this is a hang, not an answer. */
const ANSWER_TIMEOUT_MS = 5_000;
const DOCKER_SOCKET = '/var/run/docker.sock';

/** Absolute path of the first executable file `name` on PATH; undefined when there is none. */
export function findOnPath(name: string, path = process.env['PATH'] ?? ''): string | undefined {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // Not here; the next folder may have it.
    }
  }
  return undefined;
}

/** First line that `program --version` prints; undefined when it is missing, fails or hangs. */
export function programVersion(program: string, args: readonly string[] = ['--version']): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: ANSWER_TIMEOUT_MS }, (error, stdout) => {
      resolve(error ? undefined : stdout.trim().split('\n')[0]);
    });
  });
}

export type EngineAnswer = { readonly version: string } | { readonly reason: string };

/** Asks the Docker engine behind DOCKER_HOST (or its usual socket) for its version. Never throws. */
export function dockerEngine(dockerHost = process.env['DOCKER_HOST']): Promise<EngineAnswer> {
  const url = new URL(dockerHost ?? `unix://${DOCKER_SOCKET}`);
  const target =
    url.protocol === 'unix:' ? { socketPath: url.pathname } : { host: url.hostname, port: Number(url.port || 2375) };
  return new Promise((resolve) => {
    const ask = request({ ...target, path: '/version', timeout: ANSWER_TIMEOUT_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => {
        const version = /"Version":"([^"]+)"/.exec(body)?.[1];
        resolve(version ? { version } : { reason: `answered with status ${response.statusCode}` });
      });
    });
    ask.on('timeout', () => ask.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s`)));
    ask.on('error', (error: NodeJS.ErrnoException) => {
      resolve({ reason: `${url.protocol === 'unix:' ? url.pathname : url.host}: ${error.code ?? error.message}` });
    });
    ask.end();
  });
}
