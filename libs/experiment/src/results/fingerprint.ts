// Which code a cell runs on: a hash over the files of the machine, the mechanism and the telemetry as they are loaded. A
// variant that somebody brought along is part of the cell itself.
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIGITS = 16;
/** What every cell runs on besides its mechanism. */
const COMMON = ['machine', 'mechanism', 'neighbours', 'telemetry'];

const known = new Map<string, string>();

/** Hash of the code of a mechanism and of all that it runs on. Worked out once. */
export function codeFingerprint(mechanism: string): string {
  let found = known.get(mechanism);
  if (found === undefined) {
    const hash = createHash('sha256');
    for (const name of [...COMMON, mechanism]) addPackage(hash, name);
    known.set(mechanism, (found = hash.digest('hex').slice(0, DIGITS)));
  }
  return found;
}

function addPackage(hash: ReturnType<typeof createHash>, name: string): void {
  let folder: string;
  try {
    folder = dirname(fileURLToPath(import.meta.resolve(`@kworkbench/${name}`)));
  } catch {
    return; // a mechanism that is no package of its own: registered by a test, or brought along
  }
  for (const file of globSync('**/*.{js,ts}', { cwd: folder }).toSorted()) {
    if (/\.spec\.|\.d\.ts$/.test(file)) continue;
    hash.update(`${name}/${file}\0`).update(readFileSync(join(folder, file)));
  }
}
