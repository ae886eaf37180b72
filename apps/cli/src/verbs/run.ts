// `kwb run`
import { Option, type Command } from 'commander';
import { collect } from '../options.js';
import type { RunOptions } from '../local/run.js';
import { addLocalOptions } from '../local-options.js';
import { addScenarioOptions } from '../scenario-options.js';
import { addTraceOptions } from '../trace-options.js';

export function addRun(program: Command): void {
  const command = program
    .command('run')
    .description('run a scenario on this machine and print its report; every run writes a directory of its own')
    .argument('<scenario>', 'name from the catalogue (kwb list scenarios), file, or - for stdin');
  addScenarioOptions(command).addOption(
    new Option('--backend <name>', 'sim: virtual time; live: the real kernel').choices(['sim', 'live']).default('sim'),
  );
  addTraceOptions(addLocalOptions(command))
    .option(
      '--variant <file>',
      'bring a variant of your own, a file in TypeScript or JavaScript (repeatable); it joins those of the scenario',
      collect,
    )
    .option('--dry-run', 'say what would run; run and write nothing')
    .action(async (scenario: string, options: RunOptions) => {
      const { run } = await import('../local/run.js');
      await run(scenario, options);
    });
}
