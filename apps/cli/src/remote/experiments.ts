// `kwb cancel` and `kwb list experiments`: the experiments that a coordinator holds.
import { ExperimentState, type Experiment } from '@kworkbench/contracts';
import { Coordinator } from './coordinator.js';

/** What a person looks through; the API has all of them, page by page. */
const MOST_LISTED = 100;

const STATES: Readonly<Partial<Record<ExperimentState, string>>> = {
  [ExperimentState.RUNNING]: 'running',
  [ExperimentState.COMPLETED]: 'completed',
  [ExperimentState.FAILED]: 'failed',
  [ExperimentState.CANCELLED]: 'cancelled',
};

/** Ends an experiment; one that has ended stays as it is, which is said and is no error. */
export async function cancelExperiment(id: string, address: string): Promise<void> {
  const after = await Coordinator.use('cancel', address, (coordinator) => coordinator.cancel(id));
  process.stdout.write(`${id} is ${stateOf(after)}, ${cellsOf(after)} cells\n`);
}

/** The newest experiments, newest first. */
export async function listExperiments(address: string): Promise<Readonly<Record<string, string>>[]> {
  const experiments = await Coordinator.use('list', address, (coordinator) => coordinator.list(MOST_LISTED));
  return experiments.map((experiment) => ({
    id: experiment.id,
    scenario: experiment.scenario,
    state: stateOf(experiment),
    cells: `${cellsOf(experiment)}${experiment.cellsFailed > 0 ? `, ${experiment.cellsFailed} failed` : ''}`,
    verdict: experiment.verdict,
    submitted: experiment.submittedAt,
  }));
}

const stateOf = ({ state }: Experiment): string => STATES[state] ?? 'unknown';

const cellsOf = ({ cellsDone, cellsTotal }: Experiment): string => `${cellsDone} of ${cellsTotal}`;
