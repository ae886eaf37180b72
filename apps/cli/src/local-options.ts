// The options of the verbs that run cells on this machine.
import { availableParallelism } from 'node:os';
import { Option, type Command } from 'commander';
import { integerOption } from './options.js';

const MOST_WORKERS = 1024;

export const addLocalOptions = (command: Command): Command =>
  command
    .option('--json <file>', 'write the report as JSON to the file, or to stdout alone for -')
    .option('--out <dir>', 'folder for run directories', 'runs')
    .addOption(
      new Option('--workers <n>', 'worker threads')
        .default(availableParallelism(), 'one per usable CPU')
        .argParser(integerOption(1, MOST_WORKERS)),
    )
    .option('--no-reuse', 'run every cell, also those that an earlier run in this folder has finished')
    .option('--quiet', 'no progress');
