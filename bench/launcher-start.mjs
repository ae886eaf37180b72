// What `./kwb` adds to a start of Node itself, when there is nothing to install and nothing to build.
// Bar: less than 0.3 s. Usage: node bench/launcher-start.mjs [rounds]
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const rounds = Number(process.argv[2] ?? 15);

function fastestMs(command, args) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    const { status } = spawnSync(command, args, { stdio: 'ignore' });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
    times.push(performance.now() - start);
  }
  return Math.min(...times); // a busy machine slows some starts down and makes none faster
}

spawnSync(join(root, 'kwb'), ['--version'], { stdio: 'inherit' }); // builds what changed, so that the rounds do not
const rows = [
  ['node alone', fastestMs(process.execPath, ['-e', '0'])],
  [
    'node apps/cli/dist/main.js --version',
    fastestMs(process.execPath, [join(root, 'apps/cli/dist/main.js'), '--version']),
  ],
  ['./kwb --version', fastestMs(join(root, 'kwb'), ['--version'])],
];
for (const [what, ms] of rows) console.log(`${what.padEnd(38)} ${ms.toFixed(0).padStart(5)} ms`);
const added = rows[2][1] - rows[0][1];
console.log(`added by ./kwb and the CLI: ${added.toFixed(0)} ms (bar: 300 ms) ${added < 300 ? 'ok' : 'TOO SLOW'}`);
process.exitCode = added < 300 ? 0 : 1;
