// `kwb report`: the report of an experiment that a coordinator holds, or of a run directory of this machine.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  collectMaterial,
  EXPORT_FORMATS,
  ExitCode,
  storedCells,
  type ExportFormat,
  type GroupMaterial,
  type Report,
} from '@kworkbench/experiment';
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
  emitReport(await remoteReport(target, options.coordinator), options.json);
}

export function addExport(program: Command): void {
  const formats = Object.entries(EXPORT_FORMATS).map(([name, { help }]) => `${name}: ${help}`);
  program
    .command('export')
    .description('print the report of an experiment, or of a run directory, in another form')
    .argument('<id or directory>', 'id of an experiment, or a directory that kwb run wrote')
    .addOption(
      new Option('--format <name>', formats.join('; ')).choices(Object.keys(EXPORT_FORMATS)).makeOptionMandatory(),
    )
    .addOption(coordinatorOption())
    .action(async (target: string, { format, coordinator }: { format: ExportFormat; coordinator: string }) => {
      const isLocal = target.includes('/') || existsSync(target);
      const [found, material] = isLocal ? await localMaterial(target) : await remote(target, coordinator);
      process.stdout.write(EXPORT_FORMATS[format].render(found, material));
    });
}

async function localMaterial(directory: string): Promise<[Report, GroupMaterial[]]> {
  const { openRun, loadReport } = await import('../local/stored.js');
  const { path } = openRun('export', directory);
  const found = loadReport('export', path);
  return [found, await collectMaterial(found, storedCells(path))];
}

async function remote(id: string, address: string): Promise<[Report, GroupMaterial[]]> {
  const { remoteMaterial } = await import('../remote/report.js');
  return remoteMaterial(id, address);
}
