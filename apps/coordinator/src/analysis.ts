// What takes long about an experiment: reading all of its results, planning its next round, its statistics. All of it
// runs in a thread of the coordinator (analysis-thread.ts), with a connection of its own to the store.
//
// Every part may be repeated: what it writes, the store takes once.
import {
  brokenThreshold,
  buildReport,
  compareReports,
  overdue,
  parseScenario,
  planRound,
  type ComparisonReport,
  type PlannedCell,
  type Report,
  type Results,
} from '@kworkbench/experiment';
import type { collectProvenance } from '@kworkbench/experiment';
import type { Store, StoredExperiment } from './store/index.js';

export type Subject = Pick<StoredExperiment, 'id' | 'sourceName' | 'submittedAt'>;
export type Provenance = ReturnType<typeof collectProvenance>;

/** An experiment whose report is stored, and that can be ended with it. */
export interface Judged {
  readonly verdict: Report['verdict'];
  readonly failed: boolean;
  readonly endedAt: string;
}

export interface Analysis {
  /** Of an experiment whose planned cells have all settled: plans its next round, or else stores its report. */
  advance(subject: Subject, provenance: Provenance): Promise<Judged | 'planned'>;
  /**
   * Of an experiment that runs: stores its report when its time is over or a threshold that ends it has failed.
   * @param limitMs of the whole experiment, when it is over.
   */
  endEarly(subject: Subject, provenance: Provenance, limitMs: number | undefined): Promise<Judged | 'goes on'>;
  /** @param reports of base and head, JSON. */
  compare(reports: readonly [string, string], names: readonly [string, string], effect: number): ComparisonReport;
}

export class StoreAnalysis implements Analysis {
  constructor(private readonly store: Store) {}

  async advance(subject: Subject, provenance: Provenance): Promise<Judged | 'planned'> {
    const { scenario, planned, results } = await this.#read(subject);
    const round = planRound(scenario, results);
    if (round.length === 0) return this.#judge(subject, provenance, planned, results, scenario);
    await this.store.putPlannedCells(subject.id, [...planned, ...round]);
    return 'planned';
  }

  async endEarly(subject: Subject, provenance: Provenance, limitMs: number | undefined): Promise<Judged | 'goes on'> {
    const { scenario, planned, results } = await this.#read(subject);
    if (limitMs === undefined) {
      if (brokenThreshold(scenario, results) === undefined) return 'goes on';
    } else {
      // Not committed: cells are shared, and another experiment may have time for them.
      for (const { id } of planned) results.set(id, results.get(id) ?? overdue(id, limitMs));
    }
    return this.#judge(subject, provenance, planned, results, scenario);
  }

  compare([base, head]: readonly [string, string], [baseName, headName]: readonly [string, string], effect: number) {
    return compareReports(JSON.parse(base) as Report, JSON.parse(head) as Report, { effect, baseName, headName });
  }

  async #read({ id, sourceName }: Subject) {
    const document = await this.store.getDocument(id);
    if (document === undefined) throw new Error(`experiment ${id} has no scenario`);
    const planned = await this.store.plannedCells(id);
    const results = await this.store.getResults(planned.map((cell) => cell.id));
    return { scenario: parseScenario(document, sourceName), planned, results };
  }

  async #judge(
    { id, submittedAt }: Subject,
    provenance: Provenance,
    planned: readonly PlannedCell[],
    results: Results,
    scenario: ReturnType<typeof parseScenario>,
  ): Promise<Judged> {
    const startedAt = new Date(submittedAt);
    const endedAt = new Date();
    const report = buildReport({
      scenario,
      planned,
      results,
      wallSeconds: (endedAt.getTime() - startedAt.getTime()) / 1000,
      provenance: { ...provenance, startedAt: startedAt.toISOString() },
    });
    await this.store.putReport(id, JSON.stringify(report));
    return {
      verdict: report.verdict,
      failed: report.failures.length > 0 || report.find.some(({ reason }) => reason),
      endedAt: endedAt.toISOString(),
    };
  }
}
