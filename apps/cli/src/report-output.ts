// Where a report goes: the summary for a person, or the JSON for a machine; and the exit code it stands for.
import { writeFileSync } from 'node:fs';
import { ExitCode, exitCodeOf, renderSummary, type Report } from '@kworkbench/experiment';
import { CliError } from './errors.js';

const FALLBACK_COLUMNS = 120;

/** Colour when a person looks: a terminal, and NO_COLOR not set (https://no-color.org). */
function wantsColor(): boolean {
  return process.stdout.isTTY === true && !process.env['NO_COLOR'];
}

/**
 * Prints the report and sets the exit code.
 * @param json file for the JSON; `-` prints it to stdout, and nothing else.
 */
export function emitReport(reportJson: string, json: string | undefined): void {
  const report = JSON.parse(reportJson) as Report;
  const text = reportJson.endsWith('\n') ? reportJson : `${reportJson}\n`;
  if (json === '-') process.stdout.write(text);
  else {
    if (json !== undefined) writeJson(json, text);
    const width = process.stdout.columns || FALLBACK_COLUMNS;
    process.stdout.write(`${renderSummary(report, { color: wantsColor(), width }).trimEnd()}\n`);
  }
  process.exitCode = exitCodeOf(report);
}

function writeJson(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CliError(ExitCode.BadScenario, `--json ${file}: cannot write there (${(error as Error).message})`);
  }
}
