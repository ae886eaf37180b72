// How fast the coordinator's store takes cells, SQLite and PostgreSQL side by side: wall time, median of five rounds.
// Build first (`tsc -b`). Usage: node bench/store-commit.mjs
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../apps/coordinator/dist/store/testing/measure-commits.js', import.meta.url));
process.exit(spawnSync(process.execPath, [program], { stdio: 'inherit' }).status ?? 1);
