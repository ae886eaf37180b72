// A data folder belongs to one `kwb up` at a time: two Redis servers on one append-only file destroy it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode } from '@kworkbench/experiment';
import { CliError } from '../errors.js';

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Creates the folder and takes it. Returns the function that gives it back. */
export function takeDataDir(dir: string): () => void {
  const file = join(dir, 'up.pid');
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new CliError(ExitCode.BadScenario, `up: --data ${dir}: cannot create it (${(error as Error).message})`);
  }
  const owner = Number.parseInt(readOr(file, ''), 10);
  if (Number.isInteger(owner) && owner !== process.pid && alive(owner)) {
    throw new CliError(
      ExitCode.BackendUnavailable,
      `up: ${dir} is in use by another kwb up (pid ${owner}); end it, or give --data another folder`,
    );
  }
  try {
    writeFileSync(file, `${process.pid}\n`);
  } catch (error) {
    throw new CliError(ExitCode.BadScenario, `up: --data ${dir}: cannot write there (${(error as Error).message})`);
  }
  return () => rmSync(file, { force: true });
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
