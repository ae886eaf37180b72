// Prints how fast both databases take and give back cells, small and large. Started by bench/store-commit.mjs.
// Both write to the system's temporary directory with their durable settings; PostgreSQL is a new local server with
// its default configuration.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../open-store.js';
import type { Store } from '../store.js';
import { type ResultCommit, resultCommit } from './fixtures.js';
import { TemporaryPostgres } from './temporary-postgres.js';

const ROUNDS = 5;
const SIZES = [
  { title: 'small cells', cells: 100, frames: 8, rows: 680 }, // 64 KiB each
  { title: 'large cells', cells: 4, frames: 256, rows: 5_400 }, // 16 MiB each
] as const;

interface Measurement {
  readonly database: string;
  readonly title: string;
  readonly cellBytes: number;
  readonly commitsPerSecond: number;
  readonly commitMBps: number;
  readonly readMBps: number;
}

export async function measureAll(): Promise<Measurement[]> {
  const directory = mkdtempSync(join(tmpdir(), 'kworkbench-bench-'));
  const postgres = await TemporaryPostgres.start({ durable: true });
  try {
    const urls = { SQLite: `sqlite://${directory}/store.db`, PostgreSQL: await postgres.createDatabase() };
    const measurements: Measurement[] = [];
    for (const [database, url] of Object.entries(urls)) {
      const store = openStore(url);
      await store.migrate();
      for (const size of SIZES) measurements.push({ database, ...(await measure(store, size)) });
      await store.close();
    }
    return measurements;
  } finally {
    await postgres.remove();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(store: Store, { title, cells, frames, rows }: (typeof SIZES)[number]) {
  const bytes = bytesOf(resultCommit('any', 1, frames, rows)) * cells;
  const commitSeconds: number[] = [];
  const readSeconds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const commits = Array.from({ length: cells }, (_, i) => resultCommit(`${title}-${round}-${i}`, i, frames, rows));
    commitSeconds.push(
      await secondsFor(async () => {
        for (const commit of commits) await store.commitCell(commit);
      }),
    );
    readSeconds.push(
      await secondsFor(async () => {
        for (const { cellId, header } of commits) {
          for (const table of header.tables) await store.readSeries(cellId, table.name);
        }
      }),
    );
  }
  const [commit, read] = [median(commitSeconds), median(readSeconds)];
  return {
    title,
    cellBytes: bytes / cells,
    commitsPerSecond: cells / commit,
    commitMBps: bytes / 1e6 / commit,
    readMBps: bytes / 1e6 / read,
  };
}

function bytesOf(commit: ResultCommit): number {
  return commit.frames.reduce((sum, frame) => sum + frame.columns.length * frame.rows * 8, 0);
}

async function secondsFor(work: () => Promise<void>): Promise<number> {
  const begunMs = performance.now();
  await work();
  return (performance.now() - begunMs) / 1_000;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function line(m: Measurement): string {
  const what = `${m.database.padEnd(11)} ${m.title}  ${(m.cellBytes / 1e6).toFixed(2).padStart(5)} MB`;
  const commit = `commit ${m.commitMBps.toFixed(0).padStart(4)} MB/s ${m.commitsPerSecond.toFixed(0).padStart(5)} cells/s`;
  return `${what}   ${commit}   read ${m.readMBps.toFixed(0).padStart(4)} MB/s`;
}

if (import.meta.filename === process.argv[1]) {
  for (const measurement of await measureAll()) process.stdout.write(`${line(measurement)}\n`);
}
