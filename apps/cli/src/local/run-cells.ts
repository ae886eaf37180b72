// The cells of a scenario into a run directory of their own: what an earlier run has finished is taken over, the rest
// runs in worker threads. What has finished is kept at once, so that nothing is lost to Ctrl-C or a crash.
import {
  buildReport,
  CellArchive,
  CellPool,
  codeFingerprint,
  collectProvenance,
  ExitCode,
  RunDirectory,
  runExperiment,
  type BroughtVariant,
  type CellResult,
  type ExperimentRun,
  type PlannedCell,
  type Report,
  type Scenario,
  type StoredRun,
} from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { interruptible } from '../interrupt.js';
import { planSummary } from '../plan.js';
import { Progress } from '../progress.js';
import { workloadLine } from '../report-output.js';
import { CellProgress } from './cell-progress.js';

export interface CellRunOptions {
  readonly out: string;
  readonly workers: number;
  /** False with --no-reuse. */
  readonly reuse: boolean;
  readonly quiet?: boolean;
  /** Variants that were brought along. */
  readonly brought?: readonly BroughtVariant[];
}

interface Work {
  readonly verb: string;
  readonly scenario: Scenario;
  readonly options: CellRunOptions;
  readonly directory: RunDirectory;
  readonly archive: CellArchive;
  readonly from: StoredRun | undefined;
}

/** @throws CliError when it is cancelled or cannot write. */
export async function runCells(
  verb: string,
  scenario: Scenario,
  options: CellRunOptions,
  from: StoredRun | undefined,
): Promise<{ readonly report: Report; readonly path: string }> {
  const startedAt = new Date();
  const started = performance.now();
  const provenance = {
    ...collectProvenance(startedAt),
    code: codeFingerprint(scenario.mechanism.name),
    ...(from && { resumedFrom: from.path }),
  };
  const directory = await createDirectory(verb, options.out, scenario, startedAt);
  await directory.writeProvenance(provenance);
  for (const variant of options.brought ?? []) await directory.keepVariant(variant);
  const work = { verb, scenario, options, directory, archive: new CellArchive(options.out), from };
  const cells = new CellProgress(options.workers, scenario.find !== undefined);
  const { experiment, cancelled } = await interruptible(async (signal) => ({
    experiment: await runAll(work, cells, signal),
    cancelled: signal.aborted,
  }));
  const report = buildReport({
    scenario,
    ...experiment,
    wallSeconds: (performance.now() - started) / 1000,
    provenance: { ...provenance, reusedCells: cells.reused },
  });
  await directory.writeReport(report);
  await work.archive.prune();
  if (cancelled && cells.done < cells.total) {
    const line = `${verb}: cancelled after ${cells.done} of ${cells.total} cells; kwb resume ${directory.path} runs the rest`;
    throw new CliError(ExitCode.Cancelled, line);
  }
  return { report, path: directory.path };
}

async function createDirectory(verb: string, out: string, scenario: Scenario, startedAt: Date): Promise<RunDirectory> {
  try {
    return await RunDirectory.create(out, scenario, startedAt);
  } catch (error) {
    throw new CliError(ExitCode.BadScenario, `${verb}: --out ${out}: cannot write there (${(error as Error).message})`);
  }
}

async function runAll(work: Work, cells: CellProgress, signal: AbortSignal): Promise<ExperimentRun> {
  const { verb, scenario, options, directory } = work;
  const pool = new CellPool({
    workers: options.workers,
    variantFiles: (options.brought ?? []).map(({ file }) => file),
  });
  let progress: Progress | undefined;
  try {
    return await runExperiment(scenario, {
      pool,
      signal,
      sinkFor: directory.sinkFor,
      reuse: (cell) => earlierResult(work, cell),
      keep: (cell, result) => keepResult(work, cell, result),
      onEvent: (event) => {
        if (!cells.take(event) || options.quiet) return;
        progress ??= new Progress(`${workloadLine(scenario)}   ${planSummary(scenario)}`, cells.counts);
        progress.update(cells.counts, cells.failed, () => cells.remaining());
      },
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new CliError(ExitCode.InternalError, `${verb}: ${directory.path}: ${(error as Error).message}`);
  } finally {
    progress?.close();
    if (cells.reused > 0 && !options.quiet) {
      const of = `${cells.reused} of ${cells.total} cells`;
      process.stderr.write(`kwb: ${of} were run before and are taken over (--no-reuse runs them again)\n`);
    }
    await pool.close();
  }
}

async function earlierResult(work: Work, cell: PlannedCell): Promise<CellResult | undefined> {
  const folder = work.directory.cellFolder(cell);
  return (
    (await work.from?.take(cell, folder)) ?? (work.options.reuse ? await work.archive.take(cell, folder) : undefined)
  );
}

async function keepResult({ directory, archive }: Work, cell: PlannedCell, result: CellResult): Promise<void> {
  await directory.finish(cell, result);
  await archive.keep(cell, directory.cellFolder(cell));
}
