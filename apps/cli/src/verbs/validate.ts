// `kwb validate`: says what a scenario would run, or what is wrong with it. Starts nothing.
import { ExitCode, ScenarioError } from '@kworkbench/experiment';
import type { Command } from 'commander';
import { CliError } from '../errors.js';
import { planSummary } from '../plan.js';
import { addScenarioOptions, overridesOf, type ScenarioOptions } from '../scenario-options.js';
import { loadScenario } from '../scenario-source.js';

export function addValidate(program: Command): void {
  const command = program
    .command('validate')
    .description('check scenarios and say how many cells they would run')
    .argument('<scenarios...>', 'names from the catalogue, files, or - for stdin');
  addScenarioOptions(command).action(validate);
}

function validate(wanted: readonly string[], options: ScenarioOptions): void {
  const problems: string[] = [];
  for (const name of wanted) {
    try {
      const scenario = loadScenario(name, overridesOf(options), options);
      process.stdout.write(`${name}: ok, ${planSummary(scenario)}\n`);
    } catch (error) {
      if (error instanceof ScenarioError) problems.push(...error.lines());
      else if (error instanceof CliError) problems.push(error.message);
      else throw error;
    }
  }
  if (problems.length > 0) throw new CliError(ExitCode.BadScenario, problems.join('\n'));
}
