// How many samples a second come over gRPC into the coordinator's store, SQLite and PostgreSQL: wall time, median of
// five rounds, publisher and coordinator as two processes. Build first (`tsc -b`). Usage: node bench/ingest.mjs
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../apps/coordinator/dist/testing/measure-ingest.js', import.meta.url));
process.exit(spawnSync(process.execPath, [program], { stdio: 'inherit' }).status ?? 1);
