// Second half of ./kwb, under Node 24: builds what changed, then becomes the CLI (same process, so that signals,
// stdin and the exit code need no forwarding). A start with nothing to build must cost next to nothing: the check is
// one stat per source file.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const state = join(root, '.kwb');
/** These verbs start other apps or test everything; all others need the CLI and what it imports. */
const buildsAll = ['up', 'test'].includes(process.argv[2] ?? '');
const stamp = join(state, buildsAll ? 'build-stamp-all' : 'build-stamp-cli');
const cli = join(root, 'apps/cli/dist/main.js');

/** Folders that hold packages: each child with a `src` is one. */
const PACKAGE_FOLDERS = ['apps', 'libs', 'libs/mechanisms'];

/** Hash over path, size and modification time of everything that `tsc -b` reads from this repository. */
function fingerprint() {
  const hash = createHash('sha1');
  const add = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat) hash.update(`${path}\0${stat.size}\0${stat.mtimeMs}\n`);
  };
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else add(path);
    }
  };
  for (const name of ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json']) add(join(root, name));
  for (const folder of PACKAGE_FOLDERS) {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const home = join(root, folder, entry.name);
      add(join(home, 'tsconfig.json'));
      add(join(home, 'package.json'));
      if (existsSync(join(home, 'src'))) walk(join(home, 'src'));
    }
  }
  return hash.digest('hex');
}

function stamped() {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return '';
  }
}

/** Runs `tsc -b`, one at a time on this tree (flock where there is one). Returns whether it succeeded. */
function build() {
  const compiler = [
    process.execPath,
    join(root, 'node_modules/typescript/bin/tsc'),
    '-b',
    ...(buildsAll ? [] : ['apps/cli']),
  ];
  const options = { cwd: root, encoding: 'utf8' };
  let done = spawnSync('flock', [join(state, 'build.lock'), ...compiler], options);
  if (done.error?.code === 'ENOENT') done = spawnSync(compiler[0], compiler.slice(1), options);
  if (done.status === 0) return true;
  process.stderr.write(`${done.stdout ?? ''}${done.stderr ?? ''}`);
  return false;
}

function ensureBuilt() {
  const wanted = fingerprint();
  if (stamped() === wanted && existsSync(cli)) return true;
  try {
    mkdirSync(state, { recursive: true });
    if (!stamped()) process.stderr.write('kwb: building\n');
    if (!build()) return false;
    writeFileSync(stamp, wanted);
    return true;
  } catch (error) {
    process.stderr.write(`kwb: cannot build: ${error.message}\n`);
    return false;
  }
}

if (!ensureBuilt()) {
  // `test` goes on with what there is: its build step fails, and the other steps are not hidden by it.
  if (process.argv[2] !== 'test' || !existsSync(cli)) {
    process.stderr.write('kwb: the sources do not compile (see above)\n');
    process.exit(1);
  }
}
enableCompileCache(join(state, 'compile-cache'));
await import(pathToFileURL(cli).href);
