// From what the user typed to a scenario: a name from the catalogue, a file (from the user's folder), or - for stdin.
import { readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import {
  ExitCode,
  findScenarioFile,
  MAX_SCENARIO_BYTES,
  parseScenario,
  type ParseOptions,
  type Scenario,
  type ScenarioOverrides,
} from '@kworkbench/experiment';
import { CliError } from './errors.js';
import { ROOT, SCENARIOS } from './paths.js';

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'a folder',
};

function unreadable(source: string, got: string): CliError {
  return new CliError(
    ExitCode.BadScenario,
    `${source}: expected a readable scenario file of at most 1 MiB, got ${got}`,
  );
}

function read(file: string | 0, source: string): string {
  let text: string;
  try {
    if (file !== 0 && statSync(file).size > MAX_SCENARIO_BYTES) throw unreadable(source, 'a larger one');
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof CliError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw unreadable(source, WORDS[code] ?? code);
  }
  if (text.length > MAX_SCENARIO_BYTES) throw unreadable(source, 'a larger one');
  return text;
}

/** @throws CliError when it cannot be read, ScenarioError when it is not a scenario that can run. */
export function loadScenario(wanted: string, overrides: ScenarioOverrides, options: ParseOptions = {}): Scenario {
  if (wanted === '-') return parseScenario(read(0, 'stdin'), 'stdin', overrides, options);
  const file = findScenarioFile(wanted, SCENARIOS);
  const source = file.startsWith(SCENARIOS) ? relative(ROOT, file) : file;
  return parseScenario(read(file, source), source, overrides, options);
}
