// Runs of this machine as a person names them.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  bringVariant,
  ExitCode,
  MOST_CELLS,
  parseScenario,
  StoredRun,
  type BroughtVariant,
  type Report,
  type Scenario,
  VariantFileError,
} from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { parseReport } from '../report-output.js';

export function openRun(verb: string, path: string): StoredRun {
  try {
    return new StoredRun(path);
  } catch (error) {
    throw new CliError(ExitCode.BadScenario, `${verb}: ${path}: ${(error as Error).message}`);
  }
}

/** The scenario of a run, with the variants that were brought along for it. */
export async function scenarioOf(
  verb: string,
  run: StoredRun,
): Promise<{ scenario: Scenario; brought: BroughtVariant[] }> {
  const brought = await bringVariants(verb, run.variantFiles);
  const scenario = parseScenario(run.scenarioYaml, join(run.path, 'scenario.yaml'), {}, { maxCells: MOST_CELLS });
  return { scenario, brought };
}

/** @throws CliError with the line of the file. */
export async function bringVariants(verb: string, files: readonly string[]): Promise<BroughtVariant[]> {
  const brought: BroughtVariant[] = [];
  for (const file of files) {
    try {
      brought.push(await bringVariant(file));
    } catch (error) {
      if (!(error instanceof VariantFileError)) throw error;
      throw new CliError(ExitCode.BadScenario, `${verb}: --variant ${error.message}`);
    }
  }
  return brought;
}

/** The report of a run directory, or of a file that holds one. */
export function loadReport(verb: string, path: string): Report {
  const file = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'report.json') : path;
  if (!existsSync(file)) {
    throw new CliError(ExitCode.BadScenario, `${verb}: ${path}: expected a run directory or a report.json, got none`);
  }
  return parseReport(readFileSync(file, 'utf8'), file);
}
