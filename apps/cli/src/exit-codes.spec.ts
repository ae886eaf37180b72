// Every exit code of the product comes out of a real process. The help is made from the same table.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ExitCode, exitCodes } from '@kworkbench/experiment';
import { ROOT } from './paths.js';
import { kwb, startKwb } from './testing/kwb.js';

const folder = mkdtempSync(join(tmpdir(), 'kwb-codes-'));
afterAll(() => rmSync(folder, { recursive: true }));

const out = ['--out', join(folder, 'runs'), '--quiet'];
const SMALL = ['run', 'netns-unshare-storm', '--set', 'workload.cycles=300', '--replications', '3', ...out];
const LONG = ['run', 'netns-unshare-storm', '--replications', '20', '--workers', '1', '--out', join(folder, 'long')];
const runs = () =>
  readdirSync(join(folder, 'runs'))
    .filter((name) => !name.startsWith('.'))
    .map((name) => join(folder, 'runs', name));
const codeOf = async (...args: string[]) => (await kwb(args)).code;

/** The example of a variant of one's own, broken. */
function broken(name: string, from: string, to: string): string {
  const file = join(folder, name);
  const example = readFileSync(join(ROOT, 'libs/mechanisms/netns/src/examples/my-idea.ts'), 'utf8');
  writeFileSync(file, example.replace(from, to));
  return file;
}

async function strictScenario(): Promise<string> {
  const file = join(folder, 'strict.yaml');
  const text = readFileSync(join(ROOT, 'scenarios/netns-unshare-storm.yaml'), 'utf8');
  writeFileSync(file, text.replace(/thresholds:[^]*$/, "thresholds:\n    loop_seconds: ['max<1ms']\n"));
  return file;
}

const producers: Readonly<Record<ExitCode, () => Promise<number | null>>> = {
  [ExitCode.Passed]: () => codeOf('validate', 'netns-unshare-storm'),
  // Files that may not grow beyond 4 KiB: what a full disk does.
  [ExitCode.InternalError]: async () => {
    const main = join(ROOT, 'apps/cli/dist/main.js');
    const shell = 'trap "" XFSZ; ulimit -f 8; exec "$0" "$@"';
    const full = join(folder, 'full');
    return spawnSync('sh', ['-c', shell, process.execPath, main, ...SMALL, '--out', full]).status;
  },
  [ExitCode.ThresholdFailed]: async () => codeOf('run', await strictScenario(), ...SMALL.slice(2)),
  [ExitCode.TimedOut]: () => codeOf(...LONG, '--quiet', '--timeout', '10ms'),
  [ExitCode.BadScenario]: () => codeOf('run', 'no-such-scenario'),
  [ExitCode.Cancelled]: async () => {
    const process = startKwb(LONG);
    await process.shown('50,000 unshare cycles');
    process.kill('SIGINT');
    return (await process.ended).code;
  },
  [ExitCode.ModelFailed]: () =>
    codeOf(...SMALL, '--variant', broken('throws.ts', 'const batch = list;', 'const batch = (null as never)[0];')),
  [ExitCode.RegressionFound]: async () => {
    await codeOf(...SMALL);
    const [base] = runs().filter((run) => readFileSync(join(run, 'scenario.yaml'), 'utf8').includes('cycles: 300'));
    // Twice the cycles take twice as long.
    const worse = join(folder, 'worse');
    await codeOf(...SMALL, '--set', 'workload.cycles=600', '--out', worse);
    return codeOf(
      'compare',
      base!,
      join(
        worse,
        readdirSync(worse).find((name) => !name.startsWith('.'))!,
      ),
    );
  },
  [ExitCode.InvariantViolated]: () =>
    codeOf(...SMALL, '--variant', broken('early.ts', 'yield* kernel.rcuBarrier();', '')),
  [ExitCode.ReplayDiffers]: async () => {
    await codeOf(...SMALL, '--no-reuse', '--out', join(folder, 'replay'));
    const [name] = readdirSync(join(folder, 'replay')).filter((entry) => !entry.startsWith('.'));
    const cells = join(folder, 'replay', name!, 'cells');
    const outcome = join(cells, readdirSync(cells)[0]!, 'outcome.json');
    writeFileSync(outcome, readFileSync(outcome, 'utf8').replace(/"digest":"..../, '"digest":"0000'));
    return codeOf('replay', join(folder, 'replay', name!), '--check', '--quiet');
  },
  [ExitCode.BackendUnavailable]: () => codeOf(...SMALL, '--backend', 'live'),
};

test.each(exitCodes)('$code: $description', async ({ code }) => {
  expect(await producers[code]()).toBe(code);
});

test('every verb lists them all under its help', async () => {
  const { stdout } = await kwb(['run', '--help']);
  for (const { code, description } of exitCodes) expect(stdout).toContain(`${code}  ${description}`);
});

test('the README has the table that the enum makes', () => {
  const rows = exitCodes.map(({ code, description }) => `| ${code} | ${description} |`);
  const table = ['| exit code | meaning |', '|---|---|', ...rows].join('\n');
  expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(`\n\n${table}\n\n`);
});
