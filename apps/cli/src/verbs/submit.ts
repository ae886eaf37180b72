// `kwb submit`: hands a scenario to a coordinator. Prints the experiment's id alone on stdout, for scripts.
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { Coordinator, coordinatorOption } from '../coordinator.js';
import { addScenarioOptions, overridesOf, type ScenarioOptions } from '../scenario-options.js';
import { loadScenario } from '../scenario-source.js';
import { watchExperiment } from './watch.js';

interface SubmitOptions extends ScenarioOptions {
  readonly coordinator: string;
  readonly key?: string;
  readonly watch?: boolean;
  readonly json?: string;
  readonly quiet?: boolean;
}

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
    .action(submit);
}

async function submit(wanted: string, options: SubmitOptions): Promise<void> {
  const scenario = loadScenario(wanted, overridesOf(options));
  // A key of our own makes a retried call harmless.
  const key = options.key ?? randomUUID();
  const experiment = await Coordinator.use('submit', options.coordinator, (coordinator) =>
    coordinator.submit(scenario.yaml, wanted, key),
  );
  if (options.watch) {
    process.stderr.write(`kwb: experiment ${experiment.id}\n`);
    await watchExperiment(experiment.id, options);
  } else process.stdout.write(`${experiment.id}\n`);
}
