// What it costs to run a sweep of 1,000 small cells through the services instead of in one process, and what a second
// replica brings. Build first (`tsc -b`). Usage: node bench/distribution.mjs [cells]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../apps/coordinator/dist/testing/measure-distribution.js', import.meta.url));
process.exit(spawnSync(process.execPath, [program, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1);
