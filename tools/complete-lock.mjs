// Completes package-lock.json for platforms whose packages the registry in use does not have.
//
// npm drops an optional dependency from the lock file when it cannot be found (a mirror that carries Linux only), and
// then `npm ci` refuses that lock file as out of sync, on this and every other platform. This adds the entries that
// npm would have written: version from the dependent, platform from the package's name, no integrity, optional.
// On another platform they are skipped and never fetched. Run it after `npm install`; it changes nothing when nothing
// is missing.
import { readFileSync, writeFileSync } from 'node:fs';

const LOCK_FILE = new URL('../package-lock.json', import.meta.url);
const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
// Longer names first: "arm64" contains "arm".
const PROCESSORS = ['arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64', 'arm'];

const lock = JSON.parse(readFileSync(LOCK_FILE, 'utf8'));
const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
  Object.entries(entry.optionalDependencies ?? {})
    .filter(([name]) => !isLocked(path, name))
    .map(([name, range]) => [name, platformEntry(name, range, entry.dev)]),
);

if (missing.length > 0) {
  for (const [name, entry] of missing) lock.packages[`node_modules/${name}`] = entry;
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(LOCK_FILE, `${JSON.stringify(lock, null, 2)}\n`);
}
console.error(`complete-lock: ${missing.length} platform packages added`);

/** Node's resolution: the package is beside its dependent or beside any of the folders above it. */
function isLocked(dependentPath, name) {
  for (let folder = dependentPath; ;) {
    if (lock.packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]) return true;
    if (folder === '') return false;
    const above = folder.lastIndexOf('/node_modules/');
    folder = above < 0 ? '' : folder.slice(0, above);
  }
}

/** A lock entry. Only an exact version can be written without asking the registry. */
function platformEntry(name, range, dev) {
  if (!/^\d+\.\d+\.\d+/.test(range)) throw new Error(`${name}: expected an exact version, got "${range}"`);
  const os = SYSTEMS.filter((system) => name.includes(system));
  const cpu = PROCESSORS.filter((processor) => name.includes(processor)).slice(0, 1);
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`${name}: cannot read a platform from this name`);
  const libc = name.includes('linux') && name.includes('musl') ? ['musl'] : undefined;
  return { version: range, cpu, ...(dev && { dev }), ...(libc && { libc }), optional: true, os };
}
