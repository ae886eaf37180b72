// Drives experiments to their end. Everything is decided from the store: what is planned, what has a result, what the
// scenario wants next. So a restart goes on, two coordinators do the same work twice at worst, and Redis may forget all.
//
// A step: count what has settled; when a cell is missing, wait for it; else plan the next round; when there is none,
// write the report, then end the experiment.
import { setTimeout as sleep } from 'node:timers/promises';
import { buildReport, parseScenario, planRound, type PlannedCell, type Scenario } from '@kworkbench/experiment';
import type { Logger } from '@kworkbench/service-host';
import { QueueUnavailableError, type CellQueues } from './cell-queues.js';
import type { Changes } from './changes.js';
import type { CoordinatorMetrics } from './metrics.js';
import type { StoreLink } from './store-link.js';
import { StoreUnavailableError, type StoredExperiment } from './store/index.js';

/**
 * How late lost work is noticed: jobs that Redis forgot, a coordinator that died between a commit and its consequence.
 * A look costs one query and one job lookup per missing cell.
 */
const RECONCILE_EVERY_MS = 5_000;
/** Parsed scenarios kept for speed; parsing one again gives the same. */
const SCENARIOS_KEPT = 64;

export class ExperimentDriver {
  readonly #scenarios = new Map<string, Scenario>();
  /** Experiments that a step is under way for; true: another step is wanted after it. */
  readonly #busy = new Map<string, boolean>();
  readonly #closing = new AbortController();
  #complained = '';

  constructor(
    private readonly stores: StoreLink,
    private readonly queues: CellQueues,
    private readonly changes: Changes,
    private readonly metrics: CoordinatorMetrics,
    private readonly log: Logger,
  ) {}

  /** Plans the first round of a new experiment and queues it. */
  async begin(experimentId: string, scenario: Scenario, round: readonly PlannedCell[]): Promise<void> {
    this.#remember(experimentId, scenario);
    await this.stores.use.putPlannedCells(experimentId, round);
    this.kick(experimentId);
  }

  /** Looks at an experiment soon. Never rejects: what fails now is done by the next look. */
  kick(experimentId: string): void {
    if (this.#busy.has(experimentId)) return void this.#busy.set(experimentId, true);
    this.#busy.set(experimentId, false);
    void this.#quietly(() => this.#step(experimentId)).then(() => {
      const again = this.#busy.get(experimentId);
      this.#busy.delete(experimentId);
      if (again && !this.#closing.signal.aborted) this.kick(experimentId);
    });
  }

  /** The outcome of a cell was stored. */
  cellSettled(cellId: string): void {
    void this.#quietly(async () => {
      for (const id of await this.stores.use.experimentsWaitingFor(cellId)) this.kick(id);
    });
  }

  /** Looks at every running experiment, at once and then regularly, until closed. */
  async run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#quietly(async () => {
        for (const { id } of await this.stores.use.runningExperiments()) {
          if (signal.aborted) return;
          await this.#step(id, true);
        }
      });
      await sleep(RECONCILE_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  close(): void {
    this.#closing.abort();
  }

  /** @param queueMissing also makes sure that a job waits for every missing cell; else only for cells planned anew. */
  async #step(id: string, queueMissing = false): Promise<void> {
    const store = this.stores.use;
    let experiment = await store.getExperiment(id);
    if (experiment?.state !== 'running') return;
    const counts = await store.progress(id);
    const sum = (pick: (count: (typeof counts)[number]) => number) => counts.reduce((all, one) => all + pick(one), 0);
    const [total, done, failed] = [sum((c) => c.total), sum((c) => c.done), sum((c) => c.failed)];
    if (done !== experiment.cellsDone || failed !== experiment.cellsFailed || total > experiment.cellsTotal) {
      const cellsTotal = Math.max(total, experiment.cellsTotal);
      experiment = await store.updateExperiment(id, { cellsDone: done, cellsFailed: failed, cellsTotal });
      this.changes.announce(id);
    }
    const waiting = total > done + failed;
    if (waiting && !queueMissing) return;

    const planned = await store.plannedCells(id);
    const results = await store.getResults(planned.map((cell) => cell.id));
    const missing = planned.filter((cell) => !results.has(cell.id));
    if (missing.length > 0) return this.queues.ensure(id, missing, (await this.#scenario(experiment)).timeoutMs);

    const scenario = await this.#scenario(experiment);
    const round = planRound(scenario, results);
    if (round.length === 0) return this.#finish(experiment, scenario, results);
    await store.putPlannedCells(id, [...planned, ...round]);
    return this.#step(id, true);
  }

  async #finish(
    experiment: StoredExperiment,
    scenario: Scenario,
    results: Awaited<ReturnType<StoreLink['use']['getResults']>>,
  ): Promise<void> {
    const store = this.stores.use;
    const report = buildReport(scenario, results);
    await store.putReport(experiment.id, JSON.stringify(report));
    const failures = [...results.values()].filter((result) => 'kind' in result).length;
    const ended = await store.updateExperiment(experiment.id, {
      state: failures > 0 ? 'failed' : 'completed',
      verdict: report.verdict,
      cellsDone: results.size - failures,
      cellsFailed: failures,
      cellsTotal: results.size,
      endedAt: new Date().toISOString(),
    });
    this.#scenarios.delete(experiment.id);
    this.metrics.experiments.inc({ event: ended.state === 'failed' ? 'failed' : 'completed' });
    this.log.info({ experimentId: ended.id, state: ended.state, verdict: ended.verdict }, 'experiment ended');
    this.changes.announce(experiment.id);
  }

  async #scenario({ id, sourceName }: StoredExperiment): Promise<Scenario> {
    const known = this.#scenarios.get(id);
    if (known) return known;
    const document = await this.stores.use.getDocument(id);
    if (document === undefined) throw new Error(`experiment ${id} has no scenario`);
    const scenario = parseScenario(document, sourceName);
    this.#remember(id, scenario);
    return scenario;
  }

  #remember(id: string, scenario: Scenario): void {
    this.#scenarios.set(id, scenario);
    for (const oldest of this.#scenarios.keys()) {
      if (this.#scenarios.size <= SCENARIOS_KEPT) break;
      this.#scenarios.delete(oldest);
    }
  }

  /** Errors of the surroundings are said once; the next look tries again. */
  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#complained = '';
    } catch (error) {
      const { message } = error as Error;
      if (message === this.#complained || this.#closing.signal.aborted) return;
      this.#complained = message;
      const away = error instanceof StoreUnavailableError || error instanceof QueueUnavailableError;
      if (away) this.log.warn({ reason: message }, 'experiments wait');
      else this.log.error({ err: error }, 'experiment step failed; trying again');
    }
  }
}
