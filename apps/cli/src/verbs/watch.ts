// `kwb watch`
import type { Command } from 'commander';
import { coordinatorOption } from '../coordinator-option.js';
import type { WatchOptions } from '../remote/watch.js';

export function addWatch(program: Command): void {
  program
    .command('watch')
    .description('follow an experiment to its end and print its report; Ctrl-C only stops watching')
    .argument('<id>', 'id of the experiment, as kwb submit printed it')
    .option('--json <file>', 'write the report as JSON to the file, or to stdout alone for -')
    .option('--quiet', 'no progress')
    .addOption(coordinatorOption())
    .action(async (id: string, options: WatchOptions) => {
      const { watchExperiment } = await import('../remote/watch.js');
      await watchExperiment(id, options);
    });
}
