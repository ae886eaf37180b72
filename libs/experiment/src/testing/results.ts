// Results for the specs of the report: run in this thread by the queue mechanism, or made up where a test needs numbers.
import { MemorySink } from '@kworkbench/telemetry';
import type { CellFailure, CellResult, PlannedCell } from '../cell.js';
import { planRound } from '../plan.js';
import { buildReport, type ReportInput } from '../report/build.js';
import type { Report } from '../report/schema.js';
import type { Scenario } from '../scenario/scenario.js';
import { runCell } from '../worker/run-cell.js';

export const PROVENANCE = {
  version: '0.1.0',
  commit: null,
  node: 'v24.0.0',
  host: { cpu: 'a cpu', cpus: 2, memoryBytes: 2 ** 33, kernel: 'Linux 6.18', arch: 'x64' },
};

type Outcome = (planned: PlannedCell) => CellResult | CellFailure | undefined;

export const simulated: Outcome = ({ id, cell }) => ({ ...runCell(id, cell, new MemorySink()), wallSeconds: 0.5 });

export const madeUp =
  (metrics: (planned: PlannedCell) => Record<string, number>): Outcome =>
  (planned) => ({
    cellId: planned.id,
    metrics: { wait_p99_seconds: 0, backlog_bytes: 0, items_total: 2000, ...metrics(planned) },
    histograms: [],
    virtualSeconds: 100,
    events: 1,
    digest: 'd'.repeat(64),
    wallSeconds: 0.5,
  });

/** Plays a scenario to its end; an outcome of `undefined` leaves that cell not run. */
export function played(scenario: Scenario, outcome: Outcome): ReportInput {
  const results = new Map<string, CellResult | CellFailure>();
  const planned: PlannedCell[] = [];
  for (;;) {
    const round = planRound(scenario, results).filter(({ id }) => !planned.some((cell) => cell.id === id));
    if (round.length === 0) break;
    planned.push(...round);
    for (const cell of round) {
      const result = outcome(cell);
      if (result) results.set(cell.id, result);
    }
  }
  return { scenario, planned, results, wallSeconds: 4.1, provenance: PROVENANCE };
}

export const reportOf = (scenario: Scenario, outcome: Outcome): Report => buildReport(played(scenario, outcome));
