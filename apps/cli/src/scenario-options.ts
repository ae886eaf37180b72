// The options that change a scenario, shared by run, validate and submit.
import { MAX_CELLS, MAX_REPLICATIONS, MAX_SEED, MOST_CELLS, type ScenarioOverrides } from '@kworkbench/experiment';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { collect, integerOption, listOption } from './options.js';

export interface ScenarioOptions {
  readonly set?: readonly string[];
  readonly sweep?: readonly string[];
  readonly variants?: readonly string[];
  readonly seed?: number;
  readonly replications?: number;
  readonly timeout?: string;
  readonly maxCells: number;
}

function assignment(text: string): string {
  if (/^[^=\s]+=./.test(text)) return text;
  throw new InvalidArgumentError('expected path=value, such as machine.cpus=6');
}

export function addScenarioOptions(command: Command): Command {
  const assignments = (text: string, previous: readonly string[] | undefined) => collect(assignment(text), previous);
  return command
    .option(
      '--set <path=value>',
      'change a value of the scenario, e.g. machine.cpus=6; pins a value that it sweeps (repeatable)',
      assignments,
    )
    .option(
      '--sweep <path=v1,v2>',
      'run once per value: a list (machine.cpus=2,6,16), a range with its step (machine.cpus=4..64:4), or one with ' +
        'points at equal ratios (workload.rate=100..10000:log9); repeatable: all combinations',
      assignments,
    )
    .option('--variants <names>', 'run these variants instead of the ones in the scenario, e.g. before,v4', listOption)
    .option('--seed <n>', 'seed of the first replication', integerOption(0, MAX_SEED))
    .option('--replications <n>', 'replications per variant and point', integerOption(1, MAX_REPLICATIONS))
    .option('--timeout <duration>', 'wall time that all cells together may take, e.g. 10min')
    .addOption(
      new Option('--max-cells <n>', 'refuse a scenario with more cells than this')
        .default(MAX_CELLS)
        .argParser(integerOption(1, MOST_CELLS)),
    );
}

/** `path=value` split at the first `=`; the last one wins when a path is given twice. */
function split(assignments: readonly string[]): [path: string, value: string][] {
  return assignments.map((text) => {
    const at = text.indexOf('=');
    return [text.slice(0, at), text.slice(at + 1)];
  });
}

export function overridesOf(options: ScenarioOptions): ScenarioOverrides {
  return {
    ...(options.set && { set: Object.fromEntries(split(options.set)) }),
    ...(options.sweep && {
      sweep: Object.fromEntries(split(options.sweep).map(([path, values]) => [path, values.split(',')])),
    }),
    ...(options.variants && { variants: options.variants }),
    ...(options.seed !== undefined && { seed: options.seed }),
    ...(options.replications !== undefined && { replications: options.replications }),
    ...(options.timeout !== undefined && { maxDuration: options.timeout }),
  };
}
