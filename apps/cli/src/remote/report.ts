// The report of an experiment that a coordinator holds.
import { ExperimentState } from '@kworkbench/contracts';
import { ExitCode } from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { Coordinator } from './coordinator.js';

export function remoteReport(id: string, address: string): Promise<string> {
  return Coordinator.use('report', address, async (coordinator) => {
    const experiment = await coordinator.get(id);
    if (experiment.state === ExperimentState.RUNNING) {
      throw new CliError(
        ExitCode.BackendUnavailable,
        `report: ${id} is still running, ${experiment.cellsDone} of ${experiment.cellsTotal} cells (kwb watch ${id})`,
      );
    }
    return coordinator.reportJson(id);
  });
}
