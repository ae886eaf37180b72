// `kwb run --trace`: the traced cell runs once more, by itself, and its digest must be that of the run.
import {
  CellError,
  ExitCode,
  planRound,
  traceCell,
  type PlannedCell,
  type Scenario,
  type TracedCell,
} from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { interruptible } from '../interrupt.js';
import type { TraceCliOptions } from '../trace-options.js';

/**
 * The cell that is to be traced; undefined when none is.
 * @throws CliError when the scenario has no such cell.
 */
export function tracedCell(scenario: Scenario, { trace, traceCell: wanted }: TraceCliOptions): PlannedCell | undefined {
  if (trace === undefined) {
    if (wanted === undefined) return undefined;
    throw new CliError(ExitCode.BadScenario, 'run: --trace-cell: expected --trace FILE with it');
  }
  const cells = planRound(scenario, new Map());
  if (wanted === undefined) return cells[0];
  const found = cells.find(({ variant, replication }) => wanted === `${variant}/${replication}`);
  if (found) return found;
  const names = [...new Set(cells.map(({ variant, replication }) => `${variant}/${replication}`))];
  const line = `run: --trace-cell: expected one of ${names.join(', ')}, got ${JSON.stringify(wanted)}`;
  throw new CliError(ExitCode.BadScenario, line);
}

/** @param digest of the same cell without a trace, when that is known. */
export async function writeTrace(
  cell: PlannedCell,
  { trace, traceLimit, traceWindow, quiet }: TraceCliOptions & { readonly quiet?: boolean },
  digest: string | undefined,
): Promise<void> {
  const traced = await simulateTraced(cell, { file: trace!, limitBytes: traceLimit, ...traceWindow });
  if (digest !== undefined && traced.digest !== digest) {
    throw new CliError(
      ExitCode.ReplayDiffers,
      `run: --trace: the traced cell gave ${traced.digest}, the run ${digest}`,
    );
  }
  if (!quiet) process.stderr.write(`kwb: ${summaryLine(cell, trace!, traced)}\n`);
}

async function simulateTraced(cell: PlannedCell, options: Parameters<typeof traceCell>[1]): Promise<TracedCell> {
  try {
    return await interruptible((signal) => traceCell(cell, { ...options, signal }));
  } catch (error) {
    if (!(error instanceof CellError))
      throw new CliError(ExitCode.InternalError, `run: --trace: ${(error as Error).message}`);
    throw new CliError(EXIT_CODES[error.kind], `run: --trace: ${error.message}`);
  }
}

const EXIT_CODES: Readonly<Record<CellError['kind'], ExitCode>> = {
  cancelled: ExitCode.Cancelled,
  invariant: ExitCode.InvariantViolated,
  model: ExitCode.ModelFailed,
  memory: ExitCode.ModelFailed,
  timeout: ExitCode.TimedOut,
};

function summaryLine({ variant, replication }: PlannedCell, file: string, traced: TracedCell): string {
  const { bytes, events, cutEvents, cutAtNs } = traced;
  const cut =
    cutAtNs === undefined ? '' : `; full at ${cutAtNs / 1e9} s of the run, ${cutEvents} later events left out`;
  return `trace of ${variant}/${replication} written to ${file}: ${events} events, ${bytes} bytes${cut}`;
}
