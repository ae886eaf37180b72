// Where a report goes: the summary for a person, or the JSON for a machine; and the exit code it stands for.
import { writeFileSync } from 'node:fs';
import {
  ExitCode,
  exitCodeOf,
  groupsOf,
  renderSummary,
  reportSchema,
  workloadOf,
  type Report,
  type Scenario,
} from '@kworkbench/experiment';
import { CliError } from './errors.js';

const FALLBACK_COLUMNS = 120;

/** Colour when a person looks: a terminal, and NO_COLOR not set (https://no-color.org). */
export function wantsColor(): boolean {
  return process.stdout.isTTY === true && !process.env['NO_COLOR'];
}

/**
 * Prints the report and sets the exit code.
 * @param json file for the JSON; `-` prints it to stdout, and nothing else.
 */
export function emitReport(report: Report, json: string | undefined): void {
  const text = `${JSON.stringify(report, null, 2)}\n`;
  if (json === '-') process.stdout.write(text);
  else {
    if (json !== undefined) writeJson(json, text);
    const width = process.stdout.columns || FALLBACK_COLUMNS;
    process.stdout.write(renderSummary(report, { color: wantsColor(), width }));
  }
  process.exitCode = exitCodeOf(report);
}

/** @throws CliError when the text is no report, naming where it came from. */
export function parseReport(text: string, source: string): Report {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CliError(
      ExitCode.BadScenario,
      `${source}: expected a report, got broken JSON (${(error as Error).message})`,
    );
  }
  const parsed = reportSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CliError(ExitCode.BadScenario, `${source}: expected a report: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** What runs, for the line above the progress. */
export function workloadLine(scenario: Scenario): string {
  const workload = workloadOf(scenario, groupsOf(scenario, new Map()));
  return workload === '' ? scenario.name : `${scenario.name}   ${workload}`;
}

function writeJson(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CliError(ExitCode.BadScenario, `--json ${file}: cannot write there (${(error as Error).message})`);
  }
}
