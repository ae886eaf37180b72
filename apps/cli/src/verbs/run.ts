// `kwb run`
import { availableParallelism } from 'node:os';
import { Option, type Command } from 'commander';
import { integerOption } from '../options.js';
import type { RunOptions } from '../local/run.js';
import { addScenarioOptions } from '../scenario-options.js';

const MOST_WORKERS = 1024;

export function addRun(program: Command): void {
  const command = program
    .command('run')
    .description('run a scenario on this machine and print its report; every run writes a directory of its own')
    .argument('<scenario>', 'name from the catalogue (kwb list scenarios), file, or - for stdin');
  addScenarioOptions(command)
    .addOption(
      new Option('--backend <name>', 'sim: virtual time; live: the real kernel')
        .choices(['sim', 'live'])
        .default('sim'),
    )
    .option('--json <file>', 'write the report as JSON to the file, or to stdout alone for -')
    .option('--out <dir>', 'folder for run directories', 'runs')
    .addOption(
      new Option('--workers <n>', 'worker threads')
        .default(availableParallelism(), 'one per usable CPU')
        .argParser(integerOption(1, MOST_WORKERS)),
    )
    .option('--dry-run', 'say what would run; run and write nothing')
    .option('--quiet', 'no progress')
    .action(async (scenario: string, options: RunOptions) => {
      const { run } = await import('../local/run.js');
      await run(scenario, options);
    });
}
