// The report of an experiment that a coordinator holds, and what its page shows besides.
import { ExperimentState } from '@kworkbench/contracts';
import {
  collectMaterial,
  ExitCode,
  seriesOfTable,
  type CellSource,
  type GroupMaterial,
  type Report,
} from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { parseReport } from '../report-output.js';
import { Coordinator } from './coordinator.js';

export const remoteReport = (id: string, address: string): Promise<Report> =>
  Coordinator.use('report', address, (coordinator) => reportOf('report', coordinator, id));

/** The report with the histograms and series of its cells. */
export const remoteMaterial = (id: string, address: string): Promise<[Report, GroupMaterial[]]> =>
  Coordinator.use('export', address, async (coordinator) => {
    const report = await reportOf('export', coordinator, id);
    return [report, await collectMaterial(report, cellsOf(coordinator))];
  });

async function reportOf(verb: string, coordinator: Coordinator, id: string): Promise<Report> {
  const experiment = await coordinator.get(id);
  if (experiment.state === ExperimentState.RUNNING) {
    throw new CliError(
      ExitCode.BackendUnavailable,
      `${verb}: ${id} is still running, ${experiment.cellsDone} of ${experiment.cellsTotal} cells (kwb watch ${id})`,
    );
  }
  return parseReport(await coordinator.reportJson(id), id);
}

const cellsOf =
  (coordinator: Coordinator): CellSource =>
  async ({ id }) => {
    const cell = await coordinator.cell(id);
    if (!cell) return undefined;
    const { outcome, tables } = cell;
    return {
      histograms: outcome.histograms,
      series: async (points) => {
        const all = [];
        // By name, as the files of a run directory.
        for (const { name, columns } of tables.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
          const most = points(columns.length);
          const found = await coordinator.series(id, name, most);
          const values = found.map((column) => Float64Array.from(column.values));
          all.push(
            ...seriesOfTable(
              name,
              found.map(({ column }) => column!.name),
              values,
              most,
            ),
          );
        }
        return all;
      },
    };
  };
