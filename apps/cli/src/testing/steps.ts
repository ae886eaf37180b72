// The steps of `kwb test`. Each runs whatever happened before it, so that one failure does not hide another.
import { spawn } from 'node:child_process';
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from '../paths.js';
import { add, NOTHING, readCounts, withFailure, type Counts } from './counts.js';

export interface TestOptions {
  /** Nothing from Nx's cache. */
  readonly all: boolean;
  /** Only packages that differ from this git ref, and what depends on them. */
  readonly affectedSince: string | undefined;
  readonly endToEnd: boolean;
}

export interface Step {
  readonly name: string;
  run(): Promise<StepResult>;
}

export interface StepResult {
  readonly ok: boolean;
  readonly counts: Counts;
}

const RESULTS = 'test-results/vitest.json';
const E2E = '@kworkbench/e2e';
const binary = (name: string): string => join(ROOT, 'node_modules/.bin', name);

/** Runs a program with our stdout and stderr. Ctrl-C reaches it by itself: it stands in our process group. */
function passes(command: string, args: readonly string[], cwd = ROOT): Promise<boolean> {
  const env = {
    ...process.env,
    PATH: `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    // No process may stay behind, and no terminal control sequences between the lines of other steps.
    NX_DAEMON: 'false',
    NX_TUI: 'false',
  };
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

function check(name: string, command: string, args: readonly string[]): Step {
  return { name, run: async () => ({ ok: await passes(command, args), counts: NOTHING }) };
}

/** Folders of the workspace packages that have unit tests. */
function packagesWithTests(): string[] {
  return globSync(['apps/*/package.json', 'libs/*/package.json', 'libs/mechanisms/*/package.json'], { cwd: ROOT })
    .filter((manifest) => {
      const { scripts } = JSON.parse(readFileSync(join(ROOT, manifest), 'utf8')) as {
        scripts?: Record<string, string>;
      };
      return scripts?.['test'] !== undefined;
    })
    .map((manifest) => join(ROOT, manifest, '..'));
}

function unitTests(options: TestOptions): Step {
  return {
    name: 'unit tests',
    run: async () => {
      const packages = packagesWithTests();
      for (const folder of packages) rmSync(join(folder, 'test-results'), { recursive: true, force: true });
      const selection =
        options.affectedSince === undefined ? ['run-many'] : ['affected', `--base=${options.affectedSince}`];
      const cache = options.all ? ['--skip-nx-cache'] : [];
      const ok = await passes(binary('nx'), [
        ...selection,
        '-t',
        'test',
        `--exclude=${E2E}`,
        '--outputStyle=static',
        ...cache,
      ]);
      let counts = NOTHING;
      for (const folder of packages) {
        const found = readCounts(join(folder, RESULTS));
        if (found) counts = add(counts, found);
        else if (options.affectedSince === undefined) {
          counts = withFailure(counts, `${folder.slice(ROOT.length + 1)}: its tests wrote no results`);
        }
      }
      return { ok: ok && counts.failures.length === 0, counts };
    },
  };
}

function endToEnd(): Step {
  return {
    name: 'end to end',
    run: async () => {
      const folder = join(ROOT, 'e2e');
      const results = join(folder, RESULTS);
      rmSync(results, { force: true });
      const config = existsSync(join(folder, 'vitest.config.ts')) ? 'vitest.config.ts' : '../vitest.config.ts';
      const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${RESULTS}`];
      const ok = await passes(binary('vitest'), ['run', '--root', '.', '--config', config, ...reporters], folder);
      return { ok, counts: readCounts(results) ?? withFailure(NOTHING, 'e2e: its tests wrote no results') };
    },
  };
}

export function testSteps(options: TestOptions): Step[] {
  // Tests that can do more of the same when there is time (kills, malformed requests) look at this.
  if (options.all) process.env['KWB_TEST_ALL'] = '1';
  return [
    check('lint', binary('oxlint'), ['--deny-warnings']),
    check('format', binary('prettier'), ['--check', '--log-level', 'warn', '.']),
    check('boundaries', process.execPath, [join(ROOT, 'tools/check-boundaries.mjs')]),
    check('build', binary('tsc'), ['-b']),
    unitTests(options),
    ...(options.endToEnd ? [endToEnd()] : []),
  ];
}
