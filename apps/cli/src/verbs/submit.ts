// `kwb submit`
import type { Command } from 'commander';
import { coordinatorOption } from '../coordinator-option.js';
import type { SubmitOptions } from '../remote/submit.js';
import { addScenarioOptions } from '../scenario-options.js';

export function addSubmit(program: Command): void {
  const command = program
    .command('submit')
    .description('submit a scenario to a coordinator and print the id of the experiment')
    .argument('<scenario>', 'name from the catalogue, file, or - for stdin');
  addScenarioOptions(command)
    .option('--key <text>', 'idempotency key: submitting again with the same key gives the same experiment')
    .option('--watch', 'wait for the end and print the report, as kwb watch does')
    .option('--json <file>', 'with --watch: write the report as JSON to the file, or to stdout alone for -')
    .option('--quiet', 'no progress')
    .addOption(coordinatorOption())
    .action(async (scenario: string, options: SubmitOptions) => {
      const { submit } = await import('../remote/submit.js');
      await submit(scenario, options);
    });
}
