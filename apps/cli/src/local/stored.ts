// Runs of this machine as a person names them.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode, MOST_CELLS, parseScenario, StoredRun, type Report, type Scenario } from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { parseReport } from '../report-output.js';

export function openRun(verb: string, path: string): StoredRun {
  try {
    return new StoredRun(path);
  } catch (error) {
    throw new CliError(ExitCode.BadScenario, `${verb}: ${path}: ${(error as Error).message}`);
  }
}

export function scenarioOf(run: StoredRun): Scenario {
  return parseScenario(run.scenarioYaml, join(run.path, 'scenario.yaml'), {}, { maxCells: MOST_CELLS });
}

/** The report of a run directory, or of a file that holds one. */
export function loadReport(verb: string, path: string): Report {
  const file = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'report.json') : path;
  if (!existsSync(file)) {
    throw new CliError(ExitCode.BadScenario, `${verb}: ${path}: expected a run directory or a report.json, got none`);
  }
  return parseReport(readFileSync(file, 'utf8'), file);
}
