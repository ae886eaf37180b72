// A run directory that was written before: its scenario, its finished cells and, where it came to its end, its report.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CellResult, PlannedCell } from '../cell.js';
import { reportSchema, type Report } from '../report/schema.js';
import { VARIANTS } from '../run-directory.js';
import { linkCell, readCell, type StoredCell } from './cell-folder.js';

export class StoredRun {
  #folders: Map<string, string> | undefined;

  /** @throws Error in one line when the path is no run directory. */
  constructor(readonly path: string) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory() || !existsSync(join(path, 'scenario.yaml'))) {
      throw new Error('expected a run directory (with a scenario.yaml), got none');
    }
  }

  /** The effective scenario that was run. */
  get scenarioYaml(): string {
    return readFileSync(join(this.path, 'scenario.yaml'), 'utf8');
  }

  /** Files of the variants that were brought along. */
  get variantFiles(): string[] {
    const folder = join(this.path, VARIANTS);
    return existsSync(folder)
      ? readdirSync(folder)
          .toSorted()
          .map((name) => join(folder, name))
      : [];
  }

  /** Hash of the code that the cells ran on; undefined when the run does not say. */
  get code(): string | undefined {
    const file = join(this.path, 'provenance.json');
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { code?: string }).code : undefined;
  }

  /** The report; undefined when the run did not come to its end. @throws Error when it is none of ours. */
  get report(): Report | undefined {
    const file = join(this.path, 'report.json');
    return existsSync(file) ? reportSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
  }

  /** Every finished cell, in the order of the folder names. */
  async cells(): Promise<StoredCell[]> {
    const cells: StoredCell[] = [];
    for (const folder of this.#cellFolders()) {
      const cell = await readCell(folder);
      if (cell) cells.push(cell);
    }
    return cells;
  }

  /** The finished cell with this id, its files put into `cellFolder`; undefined when it did not finish. */
  async take({ id }: PlannedCell, cellFolder: string): Promise<CellResult | undefined> {
    if (!this.#folders) {
      this.#folders = new Map();
      for (const folder of this.#cellFolders()) {
        const stored = await readCell(folder);
        if (stored) this.#folders.set(stored.planned.id, folder);
      }
    }
    const folder = this.#folders.get(id);
    const stored = folder === undefined ? undefined : await readCell(folder);
    if (stored) await linkCell(folder!, cellFolder);
    return stored?.result;
  }

  #cellFolders(): string[] {
    const cells = join(this.path, 'cells');
    return existsSync(cells)
      ? readdirSync(cells)
          .toSorted()
          .map((name) => join(cells, name))
      : [];
  }
}
