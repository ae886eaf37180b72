// `kwb cancel`
import type { Command } from 'commander';
import { coordinatorOption } from '../coordinator-option.js';

export function addCancel(program: Command): void {
  program
    .command('cancel')
    .description('end an experiment of a coordinator where it stands; results that are stored stay')
    .argument('<id>', 'id of the experiment, as kwb submit printed it')
    .addOption(coordinatorOption())
    .action(async (id: string, { coordinator }: { coordinator: string }) => {
      const { cancelExperiment } = await import('../remote/experiments.js');
      await cancelExperiment(id, coordinator);
    });
}
