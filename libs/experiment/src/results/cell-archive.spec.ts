import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ARCHIVE_FOLDER, CellArchive } from './cell-archive.js';

const runs = mkdtempSync(join(tmpdir(), 'kwb-archive-'));
afterAll(() => rmSync(runs, { recursive: true }));
const folder = join(runs, ARCHIVE_FOLDER);

/** An entry of 1000 bytes that was used so many hours ago. */
function entry(name: string, hoursAgo: number): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'outcome.json'), 'x'.repeat(600));
  writeFileSync(join(folder, name, 'series'), 'x'.repeat(400));
  const used = new Date(Date.now() - hoursAgo * 3600_000);
  utimesSync(join(folder, name), used, used);
}

it('keeps what was used last, as many bytes as it may, and what is being made now', async () => {
  for (let hour = 1; hour <= 6; hour++) entry(`cell-${hour}`, hour);
  entry('being-made.tmp', 0);
  entry('abandoned.tmp', 2);
  await new CellArchive(runs, 4_500).prune();
  expect(readdirSync(folder).toSorted()).toEqual(['being-made.tmp', 'cell-1', 'cell-2', 'cell-3']);
});

it('is made when it is not there', async () => {
  const empty = join(runs, 'empty');
  await new CellArchive(empty, 1).prune();
  expect(existsSync(join(empty, ARCHIVE_FOLDER))).toBe(true);
});
