// The directory of one run: `<root>/<utc>-<scenario>-<short hash>/`, never overwritten. Series are written while cells
// run, the report at the end, so that a run that was killed still shows how far it came.
//   scenario.yaml  effective, overrides included        provenance.json
//   report.json and the same in other forms (report/exports.ts)
//   variants/  files of variants that were brought along
//   cells/<variant>[-<point>]-r<replication>-<id>/  <table>.csv  histograms.hlog  outcome.json (last)
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { canonicalJson, csvChunks, type TableSpec } from '@kworkbench/telemetry';
import type { BroughtVariant } from './brought-variant.js';
import type { CellResult, PlannedCell } from './cell.js';
import { SHORT_HASH_DIGITS, storedCells, writeCell } from './results/cell-folder.js';
import { EXPORT_FORMATS } from './report/exports.js';
import { collectMaterial } from './report/html/material.js';
import type { Provenance, Report } from './report/schema.js';
import type { Scenario } from './scenario/scenario.js';
import type { FrameConsumer } from './worker/cell-thread.js';

/** Two runs of one scenario may start in the same second; a hundred do not. */
const MAX_SAME_SECOND = 100;

export class RunDirectory {
  private constructor(readonly path: string) {}

  /**
   * Makes the directory and writes the scenario into it.
   * @param root e.g. `runs`; made when it is missing.
   * @throws the error of the file system, e.g. EACCES.
   */
  static async create(root: string, scenario: Scenario, startedAt: Date): Promise<RunDirectory> {
    const stamp = startedAt
      .toISOString()
      .replace(/\.\d+Z$/, 'Z')
      .replaceAll(/[-:]/g, '');
    const hash = createHash('sha256').update(canonicalJson(scenario.yaml)).digest('hex').slice(0, SHORT_HASH_DIGITS);
    mkdirSync(root, { recursive: true });
    const path = makeNew(join(root, `${stamp}-${scenario.name}-${hash}`));
    await writeFile(join(path, 'scenario.yaml'), scenario.yaml, { flag: 'wx' });
    return new RunDirectory(path);
  }

  /** Where the telemetry of a cell goes; for `sinkFor` of runExperiment. */
  readonly sinkFor = (planned: PlannedCell): FrameConsumer => {
    const folder = this.cellFolder(planned);
    let tables: readonly TableSpec[] = [];
    return {
      header: async (header) => {
        tables = header.tables;
        await mkdir(folder, { recursive: true });
        await Promise.all(
          tables.map((table, index) =>
            writeFile(csvFile(folder, table), [...csvChunks(table, index, [])].join(''), { flag: 'wx' }),
          ),
        );
      },
      frame: async (frame) => {
        const table = tables[frame.table]!;
        const [, rows = ''] = csvChunks(table, frame.table, [frame]);
        await appendFile(csvFile(folder, table), rows);
      },
    };
  };

  /** Writes histograms and outcome of a cell that has finished. */
  finish(planned: PlannedCell, result: CellResult): Promise<void> {
    return writeCell(this.cellFolder(planned), planned, result);
  }

  /** What the run is made with, written before it begins: a run that is cut off still says it. */
  writeProvenance(provenance: Provenance): Promise<void> {
    return writeFile(join(this.path, 'provenance.json'), `${JSON.stringify(provenance, null, 2)}\n`, { flag: 'wx' });
  }

  /** Keeps the file of a variant that was brought along: without it the run could not be repeated. */
  async keepVariant({ file, text }: BroughtVariant): Promise<void> {
    await mkdir(join(this.path, VARIANTS), { recursive: true });
    await writeFile(join(this.path, VARIANTS, basename(file)), text, { flag: 'wx' });
  }

  /** Writes the report in every form. */
  async writeReport(report: Report): Promise<void> {
    const material = await collectMaterial(report, storedCells(this.path));
    for (const { file, render } of Object.values(EXPORT_FORMATS)) {
      if (file !== null) await writeFile(join(this.path, file), render(report, material), { flag: 'wx' });
    }
  }

  /** Where the files of a cell are, or will be. */
  cellFolder({ id, variant, point, replication }: PlannedCell): string {
    const at = Object.entries(point).map(([path, value]) => `-${path.split('.').at(-1)}=${value}`);
    const name = `${variant}${at.join('')}-r${replication}-${id.slice(0, SHORT_HASH_DIGITS)}`;
    return join(this.path, 'cells', name.replaceAll(/[^\w.=-]/g, '_'));
  }
}

/** Folder of the variants that were brought along. */
export const VARIANTS = 'variants';

const csvFile = (folder: string, table: TableSpec) => join(folder, `${table.name}.csv`);

/** A directory that was not there before: the given name, or that with a number behind it. */
function makeNew(path: string): string {
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt === 1 ? path : `${path}-${attempt}`;
    try {
      mkdirSync(candidate);
      return candidate;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt >= MAX_SAME_SECOND) throw error;
    }
  }
}
