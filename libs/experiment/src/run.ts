// The local runner: rounds of planned cells on a pool, until the plan is empty. No server, no store.
import { Deadline } from './deadline.js';
import { brokenThreshold } from './early-abort.js';
import { isFailure, planRound } from './plan.js';
import type { CellFailure, CellResult, PlannedCell } from './cell.js';
import type { Scenario } from './scenario/scenario.js';
import { CellError } from './worker/run-cell.js';
import type { CellPool } from './worker/cell-pool.js';
import type { FrameConsumer } from './worker/cell-thread.js';

export type ExperimentEvent =
  /** Another round; `cells` are the new ones. */
  | { readonly type: 'planned'; readonly cells: readonly PlannedCell[] }
  | { readonly type: 'started'; readonly cell: PlannedCell }
  /** How far a running cell is, in virtual seconds. */
  | { readonly type: 'progress'; readonly cell: PlannedCell; readonly virtualSeconds: number }
  | { readonly type: 'finished'; readonly cell: PlannedCell; readonly result: CellResult }
  /** An earlier result of the same cell was taken; nothing ran. */
  | { readonly type: 'reused'; readonly cell: PlannedCell; readonly result: CellResult }
  | { readonly type: 'failed'; readonly cell: PlannedCell; readonly failure: CellFailure };

export interface RunExperimentOptions {
  readonly pool: CellPool;
  readonly onEvent?: (event: ExperimentEvent) => void;
  /** Ends the running cells; they and those that wait become failures of kind `cancelled`. */
  readonly signal?: AbortSignal;
  /** Where the telemetry of a cell goes. */
  readonly sinkFor?: (planned: PlannedCell) => FrameConsumer | undefined;
  /** An earlier result of the same cell; undefined runs it. */
  readonly reuse?: (planned: PlannedCell) => Promise<CellResult | undefined>;
  /** Keeps the result of a cell that has just run; the cell counts as finished when this has resolved. */
  readonly keep?: (planned: PlannedCell, result: CellResult) => Promise<void>;
}

export interface ExperimentRun {
  /** In the order of planning. */
  readonly planned: readonly PlannedCell[];
  readonly results: ReadonlyMap<string, CellResult | CellFailure>;
}

/**
 * Runs a scenario to its end. A cell that fails does not stop the others.
 * @throws what a sink or `keep` throws (for instance a full disk); then everything that runs is stopped first.
 */
export async function runExperiment(scenario: Scenario, options: RunExperimentOptions): Promise<ExperimentRun> {
  const { signal, onEvent } = options;
  const stop = new AbortController();
  const deadline = new Deadline(scenario.maxDurationMs);
  const signals = AbortSignal.any([stop.signal, deadline.signal, ...(signal ? [signal] : [])]);
  const planned: PlannedCell[] = [];
  const results = new Map<string, CellResult | CellFailure>();
  const runOne = async (cell: PlannedCell): Promise<void> => {
    try {
      const result = deadline.judge(await runPlanned(scenario, cell, options, signals));
      // What an early abort has cut off was not run; it did not fail.
      if (stop.signal.aborted && isFailure(result) && result.kind === 'cancelled') return;
      if (!isFailure(result)) await options.keep?.(cell, result);
      results.set(cell.id, result);
      if (isFailure(result)) onEvent?.({ type: 'failed', cell, failure: result });
      else onEvent?.({ type: 'finished', cell, result });
      if (brokenThreshold(scenario, results, cell.id) !== undefined) stop.abort();
    } catch (error) {
      stop.abort();
      throw error;
    }
  };
  try {
    for (let round = planRound(scenario, results); round.length > 0; round = planRound(scenario, results)) {
      planned.push(...round);
      onEvent?.({ type: 'planned', cells: round });
      // One after the other: a thousand files opened at once are more than a process may have.
      const left: PlannedCell[] = [];
      for (const cell of round) {
        const earlier = signals.aborted ? undefined : await options.reuse?.(cell);
        if (earlier) {
          results.set(cell.id, earlier);
          onEvent?.({ type: 'reused', cell, result: earlier });
        } else left.push(cell);
      }
      const outcomes = await Promise.allSettled(left.map(runOne));
      const broken = outcomes.find((outcome) => outcome.status === 'rejected');
      if (broken) throw broken.reason;
      if (signals.aborted) break;
    }
  } finally {
    deadline.clear();
  }
  return { planned, results };
}

function runPlanned(
  scenario: Scenario,
  cell: PlannedCell,
  { pool, onEvent, sinkFor }: RunExperimentOptions,
  signal: AbortSignal,
): Promise<CellResult | CellFailure> {
  const sink = sinkFor?.(cell);
  return pool
    .run(cell, {
      signal,
      timeoutMs: scenario.timeoutMs,
      onStart: () => onEvent?.({ type: 'started', cell }),
      ...(sink && { sink }),
      ...(onEvent && {
        onFrame: (frame) =>
          onEvent({ type: 'progress', cell, virtualSeconds: frame.columns[0]?.[frame.rows - 1] ?? 0 }),
      }),
    })
    .catch((error: unknown): CellFailure => {
      if (!(error instanceof CellError)) throw error;
      return { cellId: cell.id, kind: error.kind, message: error.message };
    });
}
