// `kwb run`: a scenario on this machine, cells in worker threads, a directory per run. No server needed.
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ExitCode, type Report, type Scenario, type StoredRun } from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { planLines } from '../plan.js';
import { emitReport } from '../report-output.js';
import { overridesOf, type ScenarioOptions } from '../scenario-options.js';
import { loadScenario } from '../scenario-source.js';
import type { TraceCliOptions } from '../trace-options.js';
import { runCells, type CellRunOptions } from './run-cells.js';
import { bringVariants } from './stored.js';
import { tracedCell, writeTrace } from './trace.js';

export interface LocalOptions extends CellRunOptions {
  readonly json?: string;
}

export interface RunOptions extends LocalOptions, ScenarioOptions, TraceCliOptions {
  readonly backend: 'sim' | 'live';
  readonly dryRun?: boolean;
  readonly variant?: readonly string[];
}

export async function run(wanted: string, options: RunOptions): Promise<void> {
  const brought = await bringVariants('run', options.variant ?? []);
  const overrides = {
    ...overridesOf(options),
    ...(brought.length > 0 && { addVariants: brought.map(({ id }) => id) }),
  };
  const scenario = loadScenario(wanted, overrides, options);
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
  const traced = tracedCell(scenario, options);
  if (options.trace !== undefined) expectWritable('run', options.trace, '--trace');
  const { cells } = await reported('run', scenario, { ...options, brought });
  if (traced) await writeTrace(traced, options, cells.find(({ id }) => id === traced.id)?.digest);
}

/** @param from a run whose finished cells are taken over. */
export async function runAndReport(
  verb: string,
  scenario: Scenario,
  options: LocalOptions,
  from?: StoredRun,
): Promise<void> {
  await reported(verb, scenario, options, from);
}

async function reported(verb: string, scenario: Scenario, options: LocalOptions, from?: StoredRun): Promise<Report> {
  if (options.json !== undefined && options.json !== '-') expectWritable(verb, options.json);
  const { report, path } = await runCells(verb, scenario, options, from);
  if (!options.quiet) process.stderr.write(`kwb: written to ${path}\n`);
  emitReport(report, options.json);
  return report;
}

/** Said before the run, not after it. */
export function expectWritable(verb: string, file: string, option = '--json'): void {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder');
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    const line = `${verb}: ${option} ${file}: cannot write there (${(error as Error).message})`;
    throw new CliError(ExitCode.BadScenario, line);
  }
}
