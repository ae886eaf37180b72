// kwb. stdout carries results, stderr progress and one line per error; the exit code says how it ended.
import { ExitCode, ScenarioError } from '@kworkbench/experiment';
import { CommanderError } from 'commander';
import { CliError } from './errors.js';
import { buildProgram, usageLine } from './program.js';

const args = process.argv.slice(2);
const program = buildProgram();

function say(line: string): void {
  process.stderr.write(`kwb: ${line}\n`);
}

/** What to type for help: that of the verb, where there is one. */
function helpCommand(): string {
  const verb = program.commands.find((command) => command.name() === args[0]);
  return ['kwb', ...(verb ? [verb.name()] : []), '--help'].join(' ');
}

/** Says what went wrong, in one line per problem, and returns the exit code for it. */
function failureCode(error: unknown): number {
  if (error instanceof CommanderError) {
    const line = usageLine(error);
    if (line === undefined) return ExitCode.Passed;
    say(`${line} (${helpCommand()})`);
    return ExitCode.BadScenario;
  }
  if (error instanceof ScenarioError) {
    // After the first syntax error the parser is guessing; later ones are its echo.
    const isSyntax = error.problems[0]?.column !== undefined;
    for (const line of isSyntax ? error.lines().slice(0, 1) : error.lines()) say(line);
    return ExitCode.BadScenario;
  }
  if (error instanceof CliError) {
    for (const line of error.message.split('\n')) say(line);
    return error.exitCode;
  }
  say(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return ExitCode.InternalError;
}

// A reader that closes the pipe (`kwb list scenarios | head -1`) has what it wanted.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

try {
  await program.parseAsync(args.length > 0 ? args : ['--help'], { from: 'user' });
} catch (error) {
  process.exitCode = failureCode(error);
}
