import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ROOT } from './paths.js';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

const manifest = (name: string, layer: string, dependencies: Record<string, string> = {}) =>
  JSON.stringify({ name: `@kworkbench/${name}`, nx: { tags: [`layer:${layer}`] }, dependencies });

/** A small workspace that keeps the rules, with files of the case put over it. */
function check(files: Readonly<Record<string, string>>): { status: number | null; stdout: string } {
  const root = mkdtempSync(join(tmpdir(), 'kwb-boundaries-'));
  folders.push(root);
  const clean: Record<string, string> = {
    'package.json': JSON.stringify({ devDependencies: { vitest: '1' } }),
    'libs/telemetry/package.json': manifest('telemetry', 'telemetry'),
    'libs/telemetry/src/index.ts': "// import '@kworkbench/cli' in a comment is none\nexport const a = 'Date.now';\n",
    'libs/machine/package.json': manifest('machine', 'machine', { '@kworkbench/telemetry': '*' }),
    'libs/machine/src/index.ts':
      'import { a } from "@kworkbench/telemetry";\nexport const note = `no Math.random here ${a} async`;\n',
    'libs/machine/src/index.spec.ts': "import { test } from 'vitest';\ntest('x', async () => void Date.now());\n",
    'libs/experiment/package.json': manifest('experiment', 'experiment', { '@kworkbench/machine': '*' }),
    'libs/experiment/src/index.ts': "import '@kworkbench/machine';\nexport const wall = Date.now();\n",
    'libs/host-probe/package.json': manifest('host-probe', 'host-probe'),
    'apps/cli/package.json': manifest('cli', 'apps', { '@kworkbench/host-probe': '*', '@kworkbench/experiment': '*' }),
    'apps/cli/src/main.ts':
      "import '@kworkbench/host-probe';\nimport { join } from 'node:path';\nimport './other.js';\n",
  };
  for (const [file, text] of Object.entries({ ...clean, ...files })) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return spawnSync(process.execPath, [join(ROOT, 'tools/check-boundaries.mjs'), root], { encoding: 'utf8' });
}

test('a workspace that keeps the rules passes', () => {
  const { status, stdout } = check({});
  expect(stdout).toBe('boundaries: 5 packages, 5 files, 0 violations\n');
  expect(status).toBe(0);
});

describe('a planted violation is found, named by file and line', () => {
  test.each([
    [
      'an arrow that points upwards',
      {
        'libs/machine/package.json': manifest('machine', 'machine', { '@kworkbench/experiment': '*' }),
        'libs/machine/src/up.ts': "\nimport { x } from '@kworkbench/experiment';\n",
      },
      'libs/machine/src/up.ts:2: @kworkbench/machine (layer machine) may not use @kworkbench/experiment',
    ],
    [
      'an upward dependency in package.json alone',
      { 'libs/telemetry/package.json': manifest('telemetry', 'telemetry', { '@kworkbench/machine': '*' }) },
      'libs/telemetry/package.json:1: @kworkbench/telemetry (layer telemetry) may not use @kworkbench/machine',
    ],
    [
      'host-probe outside the CLI',
      { 'libs/experiment/src/probe.ts': "export * from '@kworkbench/host-probe';\n" },
      'libs/experiment/src/probe.ts:1: @kworkbench/experiment (layer experiment) may not use @kworkbench/host-probe',
    ],
    [
      'a relative import that leaves its package',
      { 'apps/cli/src/far.ts': "import { x } from '../../../libs/machine/src/index.js';\n" },
      'apps/cli/src/far.ts:1: relative import ../../../libs/machine/src/index.js leaves the package',
    ],
    [
      'a package that package.json does not list',
      { 'apps/cli/src/dep.ts': "const z = await import('zod');\n" },
      'apps/cli/src/dep.ts:1: imports zod, which apps/cli/package.json does not list',
    ],
    [
      'a test library outside a test',
      { 'apps/cli/src/dep.ts': "import { test } from 'vitest';\n" },
      'apps/cli/src/dep.ts:1: imports vitest, which apps/cli/package.json does not list',
    ],
    [
      'a layer that nobody knows',
      { 'apps/cli/package.json': manifest('cli', 'app') },
      'apps/cli/package.json:1: expected an nx tag',
    ],
    [
      'the wall clock in the machine',
      { 'libs/machine/src/t.ts': 'const a = 1;\nlet t = Date.now();\n' },
      'libs/machine/src/t.ts:2: Date.now',
    ],
    [
      'unseeded randomness in the machine',
      { 'libs/machine/src/t.ts': 'Math . random();\n' },
      'libs/machine/src/t.ts:1: Math . random',
    ],
    [
      'the host clock in the machine',
      { 'libs/machine/src/t.ts': 'performance.now();\n' },
      'libs/machine/src/t.ts:1: performance.now',
    ],
    [
      'a clock inside a template',
      { 'libs/machine/src/t.ts': 'const a = `at ${1}\n${Date.now()}`;\n' },
      'libs/machine/src/t.ts:2: Date.now',
    ],
    [
      'an async function in the machine',
      { 'libs/machine/src/t.ts': 'async function f() {}\n' },
      'libs/machine/src/t.ts:1: async',
    ],
    [
      'the wall clock in a mechanism',
      {
        'libs/mechanisms/netns/package.json': manifest('netns', 'mechanisms'),
        'libs/mechanisms/netns/src/model/x.ts': 'new Date();\n',
      },
      'libs/mechanisms/netns/src/model/x.ts:1: new Date',
    ],
  ])('%s', (_, files, line) => {
    const { status, stdout } = check(files);
    expect(stdout).toContain(line);
    expect(status).toBe(1);
  });
});

test('the live part of a mechanism may use clocks', () => {
  const { stdout } = check({
    'libs/mechanisms/netns/package.json': manifest('netns', 'mechanisms'),
    'libs/mechanisms/netns/src/live/probe.ts': 'export const f = async () => performance.now();\n',
  });
  expect(stdout).toContain('0 violations');
});
