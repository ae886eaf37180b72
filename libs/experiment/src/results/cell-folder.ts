// The files of one finished cell: series, histograms and `outcome.json`. That file is written last and whole (renamed
// into place), so a folder with one is complete, and a folder without one is a cell that was cut off.
import { randomUUID } from 'node:crypto';
import { constants, existsSync, readdirSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toHdrLog } from '@kworkbench/telemetry';
import { z } from 'zod';
import { seriesOfFolder, type CellSource } from '../report/html/material.js';
import { cellId, type CellResult, type PlannedCell } from '../cell.js';

/** Enough to tell runs of one second, and cells of one run, apart in a listing. */
export const SHORT_HASH_DIGITS = 8;
const OUTCOME = 'outcome.json';

const histogramSchema = z.object({
  name: z.string(),
  unit: z.enum(['bytes', 'seconds', 'bytes_per_second', 'per_second', 'ratio', 'count', 'total']),
  help: z.string(),
  scale: z.number(),
  total: z.number(),
  min: z.number(),
  max: z.number(),
  sum: z.number(),
  indexes: z.array(z.int()),
  counts: z.array(z.number()),
});

const outcomeSchema = z.object({
  id: z.string(),
  cell: z
    .object({
      mechanism: z.string(),
      modelVersion: z.int(),
      kernel: z.record(z.string(), z.unknown()),
      machine: z
        .object({
          profile: z.string(),
          cpus: z.int(),
          memoryBytes: z.number(),
          hz: z.int(),
          constants: z.record(z.string(), z.number()),
        })
        .loose(),
      workload: z.record(z.string(), z.unknown()),
      seed: z.int(),
    })
    .loose(),
  variant: z.string(),
  point: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  replication: z.int(),
  cellId: z.string(),
  metrics: z.record(z.string(), z.number()),
  histograms: z.array(histogramSchema),
  virtualSeconds: z.number(),
  events: z.number(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  wallSeconds: z.number(),
});

export interface StoredCell {
  readonly planned: PlannedCell;
  readonly result: CellResult;
}

/** Writes histograms and outcome; the series are there already. */
export async function writeCell(folder: string, planned: PlannedCell, result: CellResult): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'histograms.hlog'), toHdrLog(result.histograms, result.virtualSeconds));
  await intoPlace(join(folder, OUTCOME), `${JSON.stringify({ ...planned, ...result })}\n`);
}

/** Writes a file that is there whole or not at all, also after a crash of this process. */
export async function intoPlace(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, file);
}

/** The cell of a folder; undefined when there is none, it is not complete, or it is not what its id says. */
export async function readCell(folder: string): Promise<StoredCell | undefined> {
  let parsed;
  try {
    parsed = outcomeSchema.safeParse(JSON.parse(await readFile(join(folder, OUTCOME), 'utf8')));
  } catch {
    return undefined;
  }
  if (!parsed.success) return undefined;
  const { id, cell, variant, point, replication, ...result } = parsed.data;
  if (cellId(cell) !== id || result.cellId !== id) return undefined;
  return { planned: { id, cell, variant, point, replication }, result };
}

/** The finished cells of a run directory, by id: a cell that goes by several labels is kept once. */
export function storedCells(runDirectory: string): CellSource {
  const cells = join(runDirectory, 'cells');
  let folders: ReadonlyMap<string, string> | undefined;
  return async ({ id }) => {
    folders ??= new Map(existsSync(cells) ? readdirSync(cells).map((name) => [name.split('-').at(-1)!, name]) : []);
    const name = folders.get(id.slice(0, SHORT_HASH_DIGITS));
    const folder = name === undefined ? undefined : join(cells, name);
    const stored = folder === undefined ? undefined : await readCell(folder);
    if (stored?.planned.id !== id) return undefined;
    return { histograms: stored.result.histograms, series: async (points) => seriesOfFolder(folder!, points) };
  };
}

/** Puts the files of a finished cell into another folder, without copying where the file system can. */
export async function linkCell(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const files = (await readdir(from)).filter((file) => file !== OUTCOME && !file.endsWith('.tmp'));
  for (const file of [...files, OUTCOME]) await linkOrCopy(join(from, file), join(to, file));
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    // Another file system, or one without hard links.
    if (!['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK', 'ENOSYS'].includes(code ?? '')) throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
}
