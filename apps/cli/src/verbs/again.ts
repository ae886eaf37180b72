// `kwb resume` and `kwb replay`: runs that were made before.
import type { Command } from 'commander';
import type { ReplayOptions } from '../local/replay.js';
import type { LocalOptions } from '../local/run.js';
import { addLocalOptions } from '../local-options.js';

export function addResume(program: Command): void {
  addLocalOptions(
    program
      .command('resume')
      .description('run what a run did not finish (cancelled, killed, failed cells); writes a new run directory')
      .argument('<run>', 'directory that kwb run wrote'),
  ).action(async (run: string, options: LocalOptions) => {
    const { resume } = await import('../local/resume.js');
    await resume(run, options);
  });
}

export function addReplay(program: Command): void {
  addLocalOptions(
    program
      .command('replay')
      .description('run the cells of a run again; with --check compare their bytes with those of then')
      .argument('<run>', 'directory that kwb run wrote'),
  )
    .option('--check', 'write nothing; exit 113 when a cell gives other bytes')
    .action(async (run: string, options: ReplayOptions) => {
      const { replay } = await import('../local/replay.js');
      await replay(run, options);
    });
}
