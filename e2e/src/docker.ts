// The engine and the images that containers of these tests start from. Everything is made by the repository's own
// scripts, which do nothing where it is there already.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './root.js';
import { runOrThrow } from './kwb.js';

export const IMAGES = {
  kworkbench: 'kworkbench:e2e',
  redis: 'redis:7-bookworm',
  postgres: 'postgres:15-bookworm',
} as const;

/** A cold machine installs an engine, makes base images and builds ours: two to three minutes. */
const PREPARE_TIMEOUT_MS = 900_000;

/** @throws with the script's own line when there is no engine and none can be had. */
export async function prepareDocker(): Promise<void> {
  for (const [script, ...args] of [
    ['ensure-engine.sh'],
    ['ensure-base-images.sh'],
    ['build-image.sh', IMAGES.kworkbench],
  ]) {
    await runOrThrow(join(ROOT, 'tools/docker', script!), args, { env: process.env, timeoutMs: PREPARE_TIMEOUT_MS });
  }
}

export function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/** Compose as a plug-in of the client, or the older program of its own. */
export function composeCommand(): [command: string, ...args: string[]] {
  try {
    docker('compose', 'version');
    return ['docker', 'compose'];
  } catch {
    return ['docker-compose'];
  }
}

/**
 * testcontainers starts a helper container that removes what a killed test leaves. Where its image is not here and
 * might not be had, the tests do without it (they remove what they started themselves).
 */
export function withoutReaperIfAbsent(): void {
  const images = docker('images', '--quiet', 'testcontainers/ryuk');
  if (images === '') process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
}
