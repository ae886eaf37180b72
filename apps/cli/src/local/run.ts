// `kwb run`: a scenario on this machine, cells in worker threads, a directory per run. No server needed.
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ExitCode, type Scenario, type StoredRun } from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { planLines } from '../plan.js';
import { emitReport } from '../report-output.js';
import { overridesOf, type ScenarioOptions } from '../scenario-options.js';
import { loadScenario } from '../scenario-source.js';
import { runCells, type CellRunOptions } from './run-cells.js';

export interface LocalOptions extends CellRunOptions {
  readonly json?: string;
}

export interface RunOptions extends LocalOptions, ScenarioOptions {
  readonly backend: 'sim' | 'live';
  readonly dryRun?: boolean;
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
  await runAndReport('run', scenario, options);
}

/** @param from a run whose finished cells are taken over. */
export async function runAndReport(
  verb: string,
  scenario: Scenario,
  options: LocalOptions,
  from?: StoredRun,
): Promise<void> {
  if (options.json !== undefined && options.json !== '-') expectWritable(verb, options.json);
  const { report, path } = await runCells(verb, scenario, options, from);
  if (!options.quiet) process.stderr.write(`kwb: written to ${path}\n`);
  emitReport(report, options.json);
}

/** Said before the run, not after it. */
export function expectWritable(verb: string, file: string): void {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder');
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    const line = `${verb}: --json ${file}: cannot write there (${(error as Error).message})`;
    throw new CliError(ExitCode.BadScenario, line);
  }
}
