// Hands a scenario to a coordinator. Prints the experiment's id alone on stdout, for scripts.
import { randomUUID } from 'node:crypto';
import { overridesOf, type ScenarioOptions } from '../scenario-options.js';
import { loadScenario } from '../scenario-source.js';
import { Coordinator } from './coordinator.js';
import { watchExperiment } from './watch.js';

export interface SubmitOptions extends ScenarioOptions {
  readonly coordinator: string;
  readonly key?: string;
  readonly watch?: boolean;
  readonly json?: string;
  readonly quiet?: boolean;
}

export async function submit(wanted: string, options: SubmitOptions): Promise<void> {
  const scenario = loadScenario(wanted, overridesOf(options), options);
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
