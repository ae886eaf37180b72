// Finished cells by content: `<runs>/.cells/<cell id>-<code>/`. A cell is pure, so a result that is here is the result.
// The key has the hash of the cell (its model version is part of that) and of the code that ran it: a model that was
// changed without a new version never gets an old answer. Bounded; what was not used for longest goes first.
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { CellResult, PlannedCell } from '../cell.js';
import { linkCell, readCell } from './cell-folder.js';
import { codeFingerprint } from './fingerprint.js';

export const ARCHIVE_FOLDER = '.cells';
/** A cell of the catalogue takes a megabyte; files are shared with the run directories that hold them. */
const MAX_ARCHIVE_BYTES = 2 * 2 ** 30;
/** Half-made entries of processes that were killed are younger than this only while they are being made. */
const ABANDONED_MS = 3600_000;

export class CellArchive {
  readonly #folder: string;

  /** @param runs folder of the run directories. */
  constructor(
    runs: string,
    private readonly maxBytes = MAX_ARCHIVE_BYTES,
  ) {
    this.#folder = join(runs, ARCHIVE_FOLDER);
  }

  /** An earlier result, its files put into `cellFolder`; undefined when there is none. */
  async take(planned: PlannedCell, cellFolder: string): Promise<CellResult | undefined> {
    const entry = this.#entry(planned);
    const stored = await readCell(entry);
    if (!stored || stored.planned.id !== planned.id) return undefined;
    await linkCell(entry, cellFolder);
    const now = new Date();
    await utimes(entry, now, now);
    return stored.result;
  }

  /** Keeps a finished cell. Two processes that keep the same one at once are no problem: both hold the same bytes. */
  async keep(planned: PlannedCell, cellFolder: string): Promise<void> {
    const entry = this.#entry(planned);
    const making = `${entry}.${randomUUID()}.tmp`;
    await linkCell(cellFolder, making);
    await rename(making, entry).catch(async (error: NodeJS.ErrnoException) => {
      await rm(making, { recursive: true, force: true });
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  }

  /** Removes the entries that were not used for longest until the rest fits. */
  async prune(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const entries: Measured[] = [];
    for (const name of await readdir(this.#folder)) entries.push(await measure(join(this.#folder, name)));
    let kept = 0;
    for (const { path, usedMs, bytes } of entries.toSorted((a, b) => b.usedMs - a.usedMs)) {
      const abandoned = path.endsWith('.tmp') && Date.now() - usedMs > ABANDONED_MS;
      if (!abandoned && (kept += bytes) <= this.maxBytes) continue;
      await rm(path, { recursive: true, force: true });
    }
  }

  #entry({ id, cell }: PlannedCell): string {
    return join(this.#folder, `${id}-${codeFingerprint(cell.mechanism)}`);
  }
}

interface Measured {
  readonly path: string;
  readonly usedMs: number;
  readonly bytes: number;
}

async function measure(path: string): Promise<Measured> {
  try {
    const { mtimeMs } = await stat(path);
    const files = await Promise.all((await readdir(path)).map(async (file) => (await stat(join(path, file))).size));
    return { path, usedMs: mtimeMs, bytes: files.reduce((sum, size) => sum + size, 0) };
  } catch {
    // Another process has just removed it.
    return { path, usedMs: 0, bytes: 0 };
  }
}
