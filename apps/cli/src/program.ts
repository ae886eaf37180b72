// The command line as commander sees it: one verb per file, the exit codes under every help.
import { exitCodes, type ExitCode } from '@kworkbench/experiment';
import { Command, CommanderError, type OutputConfiguration } from 'commander';
import { addReplay, addResume } from './verbs/again.js';
import { addCancel } from './verbs/cancel.js';
import { addBaseline, addCompare } from './verbs/compare.js';
import { addDoctor } from './verbs/doctor.js';
import { addList } from './verbs/list.js';
import { addExport, addReport } from './verbs/report.js';
import { addRun } from './verbs/run.js';
import { addSubmit } from './verbs/submit.js';
import { addTest } from './verbs/test.js';
import { addUp } from './verbs/up.js';
import { addValidate } from './verbs/validate.js';
import { addWatch } from './verbs/watch.js';
import { VERSION } from './version.js';

const VERBS = [
  addRun,
  addResume,
  addReplay,
  addCompare,
  addBaseline,
  addValidate,
  addList,
  addDoctor,
  addTest,
  addUp,
  addSubmit,
  addWatch,
  addCancel,
  addReport,
  addExport,
];

function exitCodeTable(): string {
  const lines = exitCodes.map(({ code, description }) => `  ${String(code as ExitCode).padStart(3)}  ${description}`);
  return `\nExit codes:\n${lines.join('\n')}`;
}

export function buildProgram(): Command {
  const program = new Command('kwb')
    .description('kworkbench: run the before and the after of a kernel patch series on a machine that you describe')
    .version(VERSION)
    .showSuggestionAfterError(true);
  for (const addVerb of VERBS) addVerb(program);
  // Usage errors are thrown, and main() says them in one line; commander itself prints help only.
  const silent: OutputConfiguration = { outputError: () => undefined };
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput(silent).addHelpText('after', exitCodeTable());
  }
  return program;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** The one line for an error of commander's; undefined when it is none (help, version). */
export function usageLine(error: CommanderError): string | undefined {
  if (error.exitCode === 0 || error.code === 'commander.help') return undefined;
  return error.message
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
}
