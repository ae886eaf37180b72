// Where and with what a report was made. Not part of any cell.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type as osType } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Provenance } from './schema.js';

/** `git` answers at once or is not asked again. */
const GIT_TIMEOUT_MS = 2000;

const packageFile = new URL('../../package.json', import.meta.url);

/** @param startedAt when the experiment began. Images without git say their commit in `KWB_COMMIT`. */
export function collectProvenance(startedAt?: Date): Provenance {
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  const processors = cpus();
  return {
    version,
    commit: process.env.KWB_COMMIT || gitCommit(),
    node: process.version,
    host: {
      cpu: processors[0]?.model.trim() || 'unknown',
      cpus: processors.length,
      memoryBytes: totalmem(),
      kernel: `${osType()} ${release()}`,
      arch: arch(),
    },
    ...(startedAt && { startedAt: startedAt.toISOString() }),
  };
}

function gitCommit(): string | null {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: dirname(fileURLToPath(packageFile)),
      encoding: 'utf8',
      timeout: GIT_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const commit = git('rev-parse', 'HEAD');
    return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}-dirty`;
  } catch {
    // No git here, or no repository.
    return null;
  }
}
