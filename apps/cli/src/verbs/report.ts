// `kwb report`: the report of an experiment that a coordinator holds, or of a run directory of this machine.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectMaterial, EXPORT_FORMATS, ExitCode, storedCells, type ExportFormat } from '@kworkbench/experiment';
import { Option, type Command } from 'commander';
import { coordinatorOption } from '../coordinator-option.js';
import { CliError } from '../errors.js';
import { emitReport, parseReport } from '../report-output.js';

interface ReportOptions {
  readonly coordinator: string;
  readonly json?: string;
}

export function addReport(program: Command): void {
  program
    .command('report')
    .description('print the report of an experiment, or of a run directory')
    .argument('<id or directory>', 'id of an experiment, or a directory that kwb run wrote')
    .option('--json <file>', 'write the report as JSON to the file, or to stdout alone for -')
    .addOption(coordinatorOption())
    .action(report);
}

async function report(target: string, options: ReportOptions): Promise<void> {
  const file = join(target, 'report.json');
  if (existsSync(file)) return emitReport(parseReport(readFileSync(file, 'utf8'), file), options.json);
  if (target.includes('/')) {
    throw new CliError(
      ExitCode.BadScenario,
      `report: ${target}: expected a run directory with a report.json, got none`,
    );
  }
  const { remoteReport } = await import('../remote/report.js');
  emitReport(parseReport(await remoteReport(target, options.coordinator), target), options.json);
}

export function addExport(program: Command): void {
  const formats = Object.entries(EXPORT_FORMATS).map(([name, { help }]) => `${name}: ${help}`);
  program
    .command('export')
    .description('print the report of a run directory in another form')
    .argument('<directory>', 'directory that kwb run wrote')
    .addOption(
      new Option('--format <name>', formats.join('; ')).choices(Object.keys(EXPORT_FORMATS)).makeOptionMandatory(),
    )
    .action(async (directory: string, { format }: { format: ExportFormat }) => {
      const { openRun, loadReport } = await import('../local/stored.js');
      const run = openRun('export', directory);
      const found = loadReport('export', run.path);
      const material = await collectMaterial(found, storedCells(run.path));
      process.stdout.write(EXPORT_FORMATS[format].render(found, material));
    });
}
