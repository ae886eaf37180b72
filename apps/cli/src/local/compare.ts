// `kwb compare` and `kwb baseline`: is a run worse than another, or than the one that was promoted?
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  compareReports,
  comparisonExitCode,
  ExitCode,
  MIN_SAMPLES_FOR_INTERVAL,
  renderComparison,
  type Report,
} from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { wantsColor } from '../report-output.js';
import { formatTable } from '../table.js';
import { expectWritable } from './run.js';
import { loadReport } from './stored.js';

export interface CompareOptions {
  readonly effect: number;
  readonly metrics?: readonly string[];
  readonly baselines: string;
  readonly json?: string;
}

export function compare(runs: readonly string[], options: CompareOptions): void {
  if (runs.length > 2)
    throw new CliError(ExitCode.BadScenario, `compare: expected base and head, got ${runs.length} runs`);
  const headName = runs.at(-1)!;
  const head = loadReport('compare', headName);
  const baseName = runs.length === 2 ? runs[0]! : baselineFile(options.baselines, head.scenario);
  if (runs.length === 1 && !existsSync(baseName)) {
    const line = `compare: no baseline of ${head.scenario} in ${options.baselines} (kwb baseline promote <run>)`;
    throw new CliError(ExitCode.BadScenario, line);
  }
  const base = loadReport('compare', baseName);
  const metrics = gatedMetrics(head, options.metrics);
  const comparison = compareReports(base, head, { effect: options.effect, baseName, headName, ...metrics });
  if (comparison.entries.length === 0) {
    throw new CliError(ExitCode.BadScenario, `compare: ${baseName} and ${headName} share no variant, point and metric`);
  }
  const text = `${JSON.stringify(comparison, null, 2)}\n`;
  if (options.json === '-') process.stdout.write(text);
  else {
    if (options.json !== undefined) {
      expectWritable('compare', options.json);
      writeFileSync(options.json, text);
    }
    process.stdout.write(renderComparison(comparison, { color: wantsColor() }));
  }
  process.exitCode = comparisonExitCode(comparison);
}

/** @throws CliError for a name that the run does not have: its gate would always be open. */
function gatedMetrics(head: Report, wanted: readonly string[] | undefined): { metrics?: readonly string[] } {
  if (!wanted) return {};
  const known = head.metrics.map(({ name }) => name);
  if (wanted.length === 1 && wanted[0] === 'all') return { metrics: known };
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return { metrics: wanted };
  const line = `compare: --metrics: expected metrics of ${head.mechanism}, or all, got ${JSON.stringify(unknown)}`;
  throw new CliError(ExitCode.BadScenario, line);
}

const baselineFile = (folder: string, scenario: string) => join(folder, `${scenario}.json`);

/** Makes the report of a run what later runs of its scenario are compared with. */
export function promote(run: string, options: { readonly baselines: string; readonly force?: boolean }): void {
  const report = loadReport('baseline', run);
  const problem = options.force ? undefined : notFit(report);
  if (problem !== undefined) {
    throw new CliError(ExitCode.BadScenario, `baseline: ${run}: ${problem} (--force promotes it all the same)`);
  }
  const file = baselineFile(options.baselines, report.scenario);
  try {
    mkdirSync(options.baselines, { recursive: true });
    writeFileSync(`${file}.tmp`, `${JSON.stringify(report, null, 2)}\n`);
    renameSync(`${file}.tmp`, file);
  } catch (error) {
    throw new CliError(ExitCode.BadScenario, `baseline: ${file}: cannot write there (${(error as Error).message})`);
  }
  process.stdout.write(`${file}\n`);
}

/** Why a run is no baseline; undefined when it is good for one. */
function notFit({ verdict, replications, notRun, failures }: Report): string | undefined {
  if (notRun > 0 || failures.length > 0) return 'expected a run that has finished all its cells';
  if (verdict !== 'pass') return 'expected a run that passed';
  if (replications >= MIN_SAMPLES_FOR_INTERVAL) return undefined;
  return `expected at least ${MIN_SAMPLES_FOR_INTERVAL} replications, got ${replications}`;
}

export function listBaselines({ baselines }: { readonly baselines: string }): void {
  const files = existsSync(baselines) ? readdirSync(baselines).filter((file) => file.endsWith('.json')) : [];
  const rows = files.toSorted().map((file) => {
    const { scenario, modelVersion, replications, provenance } = loadReport('baseline', join(baselines, file));
    const { commit, startedAt = '' } = provenance;
    return [scenario, `model ${modelVersion}`, `n=${replications}`, commit?.slice(0, 12) ?? '', startedAt];
  });
  const head = ['scenario', 'model', 'replications', 'commit', 'started'];
  process.stdout.write(rows.length > 0 ? `${formatTable(head, rows)}\n` : 'no baselines\n');
}
