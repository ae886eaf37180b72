import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ROOT } from './paths.js';
import { kwb } from './testing/kwb.js';
import { VERSION } from './version.js';

const folder = mkdtempSync(join(tmpdir(), 'kwb-launcher-'));
afterAll(() => rmSync(folder, { recursive: true }));

const launcher = join(ROOT, 'kwb');
// The first Node.js of a user's PATH may be an old one, or none.
const plainPath = { PATH: '/usr/bin:/bin' };

test('./kwb works from any folder and prints nothing but the result on stdout', async () => {
  const { code, stdout } = await kwb(['--version'], { program: launcher, cwd: folder, env: plainPath });
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${VERSION}\n` });
});

test('./kwb works through symbolic links, relative ones too', async () => {
  mkdirSync(join(folder, 'bin'));
  symlinkSync(launcher, join(folder, 'direct'));
  symlinkSync('../direct', join(folder, 'bin/kwb'));
  const { code, stdout } = await kwb(['--version'], { program: join(folder, 'bin/kwb'), cwd: '/', env: plainPath });
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${VERSION}\n` });
});

test('./kwb passes the exit code of the CLI on', async () => {
  const { code, stdout, stderr } = await kwb(['no-such-verb'], { program: launcher, cwd: folder, env: plainPath });
  expect({ code, stdout }).toEqual({ code: 104, stdout: '' });
  expect(stderr).toBe("kwb: unknown command 'no-such-verb' (kwb --help)\n");
});

test('a file is looked for in the folder of the user, not of the repository', async () => {
  writeFileSync(join(folder, 'mine.yaml'), 'apiVersion: kworkbench/v0\n');
  const { code, stderr } = await kwb(['validate', 'mine.yaml'], { program: launcher, cwd: folder, env: plainPath });
  expect(code).toBe(104);
  expect(stderr).toMatch(/^kwb: mine\.yaml:1: apiVersion: expected kworkbench\/v1/);
});

test('a tree without node modules and without npm says in one line what is missing', async () => {
  const bare = join(folder, 'bare');
  const tools = join(folder, 'tools');
  for (const path of [bare, tools]) mkdirSync(path);
  for (const name of ['sh', 'dirname', 'readlink', 'cmp', 'mkdir', 'cp'])
    symlinkSync(`/bin/${name}`, join(tools, name));
  writeFileSync(join(bare, 'package-lock.json'), '{}');
  const copy = join(bare, 'kwb');
  writeFileSync(copy, readFileSync(launcher), { mode: 0o755 });
  const { code, stdout, stderr } = await kwb(['run', 'x'], { program: copy, env: { PATH: tools } });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe(
    'kwb: npm is missing: install Node.js 20 or newer (Debian: apt-get install npm), then start again\n',
  );
});
