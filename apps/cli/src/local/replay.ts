// `kwb replay`: the cells of a run once more. With --check only their bytes are compared, and nothing is written.
import { CellPool, ExitCode, replayRun, type ReplayedCell } from '@kworkbench/experiment';
import { CliError } from '../errors.js';
import { interruptible } from '../interrupt.js';
import { Progress } from '../progress.js';
import { runAndReport, type LocalOptions } from './run.js';
import { openRun, scenarioOf } from './stored.js';

export interface ReplayOptions extends LocalOptions {
  readonly check?: boolean;
}

/** The rest of a replay that differs everywhere says nothing new. */
const MAX_LISTED = 10;

export async function replay(path: string, options: ReplayOptions): Promise<void> {
  const stored = openRun('replay', path);
  const { scenario, brought } = await scenarioOf('replay', stored);
  if (!options.check) return runAndReport('replay', scenario, { ...options, brought, reuse: false });
  const cells = await stored.cells();
  if (cells.length === 0) {
    throw new CliError(ExitCode.BadScenario, `replay: ${path}: expected a run with finished cells, got none`);
  }
  const progress = options.quiet ? undefined : new Progress(`${scenario.name}   replay`, [count(0, cells.length)]);
  const pool = new CellPool({ workers: options.workers, variantFiles: brought.map(({ file }) => file) });
  let done = 0;
  let cancelled = false;
  try {
    const replayed = await interruptible(async (signal) => {
      const all = await replayRun(cells, pool, signal, () => progress?.update([count(++done, cells.length)], 0));
      cancelled = signal.aborted;
      return all;
    });
    progress?.close();
    if (cancelled) throw new CliError(ExitCode.Cancelled, 'replay: cancelled');
    report(path, replayed);
  } finally {
    progress?.close();
    await pool.close();
  }
}

const count = (done: number, total: number) => ({ variant: 'cells', done, total });

function report(path: string, replayed: readonly ReplayedCell[]): void {
  const other = replayed.filter(({ same }) => !same);
  if (other.length === 0) {
    process.stdout.write(`${path}: ${replayed.length} of ${replayed.length} cells gave the same bytes\n`);
    return;
  }
  for (const { stored, again } of other.slice(0, MAX_LISTED)) {
    const { id, variant, replication } = stored.planned;
    const found = 'digest' in again ? `digest ${again.digest.slice(0, 16)}` : again.message;
    process.stdout.write(
      `${variant} replication ${replication} (${id}): digest ${stored.result.digest.slice(0, 16)} then, ${found} now\n`,
    );
  }
  const line = `replay: ${path}: ${other.length} of ${replayed.length} cells gave other bytes`;
  throw new CliError(ExitCode.ReplayDiffers, line);
}
