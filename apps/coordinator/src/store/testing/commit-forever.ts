// A process to be killed: commits cells 0, 1, 2, ... to the store at argv[2], beginning with argv[3], and prints a number
// when its commit was acknowledged.
import { writeSync } from 'node:fs';
import { openStore } from '../open-store.js';
import { plannedCell, resultCommit } from './fixtures.js';

/** So large that a good part of the kills hit the middle of a transaction. */
export const FRAMES_PER_CELL = 24;
export const ROWS_PER_FRAME = 2_000;

async function main(url: string, from: number): Promise<void> {
  const store = openStore(url);
  await store.migrate();
  for (let seed = from; ; seed++) {
    await store.commitCell(resultCommit(plannedCell(seed).id, seed, FRAMES_PER_CELL, ROWS_PER_FRAME));
    writeSync(1, `${seed}\n`); // at once, also into a pipe: what was acknowledged must be heard of
  }
}

if (import.meta.filename === process.argv[1]) await main(process.argv[2]!, Number(process.argv[3]));
