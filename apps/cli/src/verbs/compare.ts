// `kwb compare` and `kwb baseline`
import { Option, type Command } from 'commander';
import type { CompareOptions } from '../local/compare.js';
import { listOption, ratioOption } from '../options.js';

const baselines = () => new Option('--baselines <dir>', 'folder of the promoted reports').default('baselines');

export function addCompare(program: Command): void {
  program
    .command('compare')
    .description('say whether a run is worse than another one, or than the baseline of its scenario')
    .argument('<runs...>', 'base and head, or head alone: run directories or report files')
    .addOption(
      new Option('--effect <size>', 'smallest change that counts, e.g. 5%').default(0.05, '5%').argParser(ratioOption),
    )
    .option('--metrics <names>', 'metrics that are gated, or all; the default are those of the summary', listOption)
    .addOption(baselines())
    .option('--json <file>', 'write the comparison as JSON to the file, or to stdout alone for -')
    .action(async (runs: string[], options: CompareOptions) => {
      const { compare } = await import('../local/compare.js');
      compare(runs, options);
    });
}

export function addBaseline(program: Command): void {
  const command = program
    .command('baseline')
    .description('the runs that later ones are compared with, one per scenario');
  command
    .command('promote')
    .description('make the report of a run the baseline of its scenario')
    .argument('<run>', 'run directory or report file')
    .addOption(baselines())
    .option('--force', 'also a run that failed or has too few replications')
    .action(async (run: string, options: { baselines: string; force?: boolean }) => {
      const { promote } = await import('../local/compare.js');
      promote(run, options);
    });
  command
    .command('list')
    .description('list the baselines')
    .addOption(baselines())
    .action(async (options: { baselines: string }) => {
      const { listBaselines } = await import('../local/compare.js');
      listBaselines(options);
    });
}
