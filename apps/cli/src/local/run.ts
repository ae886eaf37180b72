// `kwb run`: a scenario on this machine, cells in worker threads, a directory per run. No server needed.
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  buildReport,
  CellPool,
  collectProvenance,
  ExitCode,
  RunDirectory,
  runExperiment,
  type ExperimentRun,
  type Report,
  type Scenario,
} from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { interruptible } from '../interrupt.js';
import { planLines } from '../plan.js';
import { Progress } from '../progress.js';
import { emitReport, workloadLine } from '../report-output.js';
import { overridesOf, type ScenarioOptions } from '../scenario-options.js';
import { loadScenario } from '../scenario-source.js';
import { CellProgress } from './cell-progress.js';

export interface RunOptions extends ScenarioOptions {
  readonly backend: 'sim' | 'live';
  readonly json?: string;
  readonly out: string;
  readonly workers: number;
  readonly dryRun?: boolean;
  readonly quiet?: boolean;
}

export async function run(wanted: string, options: RunOptions): Promise<void> {
  const scenario = loadScenario(wanted, overridesOf(options), options);
  if (options.backend === 'live') {
    throw new CliError(
      ExitCode.BackendUnavailable,
      'run: the live backend is not part of this version; nothing was run (--backend sim simulates)',
    );
  }
  if (options.dryRun) {
    process.stdout.write(`${planLines(scenario).join('\n')}\n`);
    return;
  }
  if (options.json !== undefined && options.json !== '-') expectWritable(options.json);
  const startedAt = new Date();
  const directory = await createDirectory(options.out, scenario, startedAt);
  const report = await runInto(directory, scenario, startedAt, options);
  if (!options.quiet) process.stderr.write(`kwb: written to ${directory.path}\n`);
  emitReport(report, options.json);
}

/** Said before the run, not after it. */
function expectWritable(file: string): void {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder');
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    throw new CliError(ExitCode.BadScenario, `run: --json ${file}: cannot write there (${(error as Error).message})`);
  }
}

async function createDirectory(out: string, scenario: Scenario, startedAt: Date): Promise<RunDirectory> {
  try {
    return await RunDirectory.create(out, scenario, startedAt);
  } catch (error) {
    throw new CliError(ExitCode.BadScenario, `run: --out ${out}: cannot write there (${(error as Error).message})`);
  }
}

async function runInto(
  directory: RunDirectory,
  scenario: Scenario,
  startedAt: Date,
  options: RunOptions,
): Promise<Report> {
  const started = performance.now();
  const cells = new CellProgress();
  const { experiment, cancelled } = await interruptible(async (signal) => ({
    experiment: await runCells(directory, scenario, cells, options, signal),
    cancelled: signal.aborted,
  }));
  const report = buildReport({
    scenario,
    ...experiment,
    wallSeconds: (performance.now() - started) / 1000,
    provenance: collectProvenance(startedAt),
  });
  await directory.writeReport(report);
  if (cancelled && cells.done < cells.total) {
    const line = `run: cancelled after ${cells.done} of ${cells.total} cells; what was done is in ${directory.path}`;
    throw new CliError(ExitCode.Cancelled, line);
  }
  return report;
}

async function runCells(
  directory: RunDirectory,
  scenario: Scenario,
  cells: CellProgress,
  options: RunOptions,
  signal: AbortSignal,
): Promise<ExperimentRun> {
  const pool = new CellPool({ workers: options.workers });
  const written: Promise<void>[] = [];
  let progress: Progress | undefined;
  try {
    const experiment = await runExperiment(scenario, {
      pool,
      signal,
      sinkFor: directory.sinkFor,
      onEvent: (event) => {
        if (event.type === 'finished') written.push(directory.finish(event.cell, event.result));
        if (!cells.take(event) || options.quiet) return;
        progress ??= new Progress(workloadLine(scenario), cells.counts);
        progress.update(cells.counts, cells.failed);
      },
    });
    await Promise.all(written);
    return experiment;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new CliError(ExitCode.InternalError, `run: ${directory.path}: ${(error as Error).message}`);
  } finally {
    progress?.close();
    await pool.close();
  }
}
