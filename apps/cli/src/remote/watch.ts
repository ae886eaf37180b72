// Follows an experiment to its end, then prints its report. Ctrl-C stops watching, not the experiment.
import { ExperimentState, type Experiment } from '@kworkbench/contracts';
import { ExitCode } from '@kworkbench/experiment';
import { setTimeout as sleep } from 'node:timers/promises';
import { Coordinator } from './coordinator.js';
import { CliError } from '../errors.js';
import { interruptible } from '../interrupt.js';
import { Progress } from '../progress.js';
import { emitReport, parseReport } from '../report-output.js';

export interface WatchOptions {
  readonly coordinator: string;
  readonly json?: string;
  readonly quiet?: boolean;
}

/** A coordinator that restarts is back within seconds; the experiment goes on without it in the meantime. */
const RECONNECT_ATTEMPTS = 20;
const RECONNECT_PAUSE_MS = 1_000;

export async function watchExperiment(id: string, options: WatchOptions): Promise<void> {
  const reportJson = await Coordinator.use('watch', options.coordinator, (coordinator) =>
    interruptible(async (signal) => {
      const last = await follow(coordinator, id, signal, options.quiet ?? false);
      if (signal.aborted)
        throw new CliError(
          ExitCode.Cancelled,
          `watch: stopped watching; ${id} goes on (kwb watch ${id}; kwb cancel ${id} ends it)`,
        );
      if (last?.state === ExperimentState.CANCELLED) {
        throw new CliError(
          ExitCode.Cancelled,
          `watch: ${id} was cancelled after ${last.cellsDone} of ${last.cellsTotal} cells`,
        );
      }
      return coordinator.reportJson(id);
    }),
  );
  emitReport(parseReport(reportJson, id), options.json);
}

async function follow(
  coordinator: Coordinator,
  id: string,
  signal: AbortSignal,
  quiet: boolean,
): Promise<Experiment | undefined> {
  let progress: Progress | undefined;
  let last: Experiment | undefined;
  let attempts = 0;
  try {
    for (;;) {
      try {
        for await (const experiment of coordinator.watch(id, signal)) {
          last = experiment;
          attempts = 0;
          if (quiet) continue;
          progress ??= new Progress(`${experiment.scenario}   experiment ${id}`, experiment.progress);
          progress.update(experiment.progress, experiment.cellsFailed);
        }
        return last;
      } catch (error) {
        const lost = error instanceof CliError && error.exitCode === ExitCode.BackendUnavailable;
        // Never seen: a wrong address, not a restart.
        if (!lost || last === undefined || ++attempts > RECONNECT_ATTEMPTS || signal.aborted) throw error;
        await sleep(RECONNECT_PAUSE_MS);
      }
    }
  } finally {
    progress?.close();
  }
}
