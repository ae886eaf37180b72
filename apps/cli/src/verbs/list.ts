// `kwb list`: the catalogue, the mechanisms, the runs of this folder, and the experiments of a coordinator.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode, listScenarioFiles, mechanisms, ScenarioError } from '@kworkbench/experiment';
import { Argument, type Command } from 'commander';
import { coordinatorOption } from '../coordinator-option.js';
import { CliError } from '../errors.js';
import { SCENARIOS } from '../paths.js';
import { planSummary } from '../plan.js';
import { loadScenario } from '../scenario-source.js';
import { formatTable } from '../table.js';

interface ListOptions {
  readonly json?: boolean;
  readonly out: string;
  readonly coordinator: string;
}

type Row = Readonly<Record<string, string | number>>;

const KINDS: Readonly<Record<string, (options: ListOptions) => Row[] | Promise<Row[]>>> = {
  scenarios: listScenarios,
  mechanisms: listMechanisms,
  runs: listRuns,
  experiments: async ({ coordinator }) => (await import('../remote/experiments.js')).listExperiments(coordinator),
};

export function addList(program: Command): void {
  program
    .command('list')
    .description(
      'list the scenarios of the catalogue, the mechanisms, the runs of this folder, or the experiments of a coordinator',
    )
    .addArgument(new Argument('<what>', 'what to list').choices(Object.keys(KINDS)))
    .option('--json', 'print JSON')
    .option('--out <dir>', 'where the runs are', 'runs')
    .addOption(coordinatorOption())
    .action(async (what: string, options: ListOptions) => {
      const rows = await KINDS[what]!(options);
      process.stdout.write(options.json ? `${JSON.stringify(rows, null, 2)}\n` : `${render(rows, what)}\n`);
    });
}

function listScenarios(): Row[] {
  return listScenarioFiles(SCENARIOS).map(({ name }) => {
    try {
      const scenario = loadScenario(name, {});
      return { name, mechanism: scenario.mechanism.name, title: scenario.title ?? '', cells: planSummary(scenario) };
    } catch (error) {
      if (error instanceof ScenarioError) return { name, mechanism: '', title: error.lines()[0] ?? '', cells: '' };
      throw error;
    }
  });
}

function listMechanisms(): Row[] {
  return [...mechanisms.values()].map(({ name, title, modelVersion, variants, profiles }) => ({
    name,
    title,
    model: modelVersion,
    variants: variants.map(({ id }) => id).join(', '),
    profiles: profiles.map(({ id }) => id).join(', '),
  }));
}

function listRuns({ out }: ListOptions): Row[] {
  if (!existsSync(out)) return [];
  let names: string[];
  try {
    names = readdirSync(out).toSorted();
  } catch (error) {
    throw new CliError(ExitCode.BadScenario, `list: --out ${out}: expected a folder (${(error as Error).message})`);
  }
  return names.flatMap((name) => {
    try {
      const report = JSON.parse(readFileSync(join(out, name, 'report.json'), 'utf8')) as Record<string, unknown>;
      return [{ run: join(out, name), scenario: String(report['scenario']), verdict: String(report['verdict']) }];
    } catch {
      return []; // no run, or one that was cut off before its report
    }
  });
}

function render(rows: readonly Row[], what: string): string {
  if (rows.length === 0) return `no ${what}`;
  const head = Object.keys(rows[0]!);
  return formatTable(
    head,
    rows.map((row) => head.map((key) => String(row[key] ?? ''))),
  );
}
