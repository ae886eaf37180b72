// What can be asked of the coordinator about experiments, whichever protocol asks.
import { randomBytes } from 'node:crypto';
import { parseScenario, planRound } from '@kworkbench/experiment';
import type { Logger } from '@kworkbench/service-host';
import { QueueUnavailableError, type CellQueues } from './cell-queues.js';
import { hasEnded, type Changes } from './changes.js';
import type { ExperimentDriver } from './experiment-driver.js';
import type { CoordinatorMetrics } from './metrics.js';
import type { StoreLink } from './store-link.js';
import { MAX_LIST_LIMIT, UnknownExperimentError, type StoredExperiment, type VariantProgress } from './store/index.js';

/** The largest scenario of the catalogue has 4 KiB; with its sweep written out by hand it might have hundreds. */
export const MAX_SCENARIO_BYTES = 2 ** 20;
const DEFAULT_LIST_LIMIT = 50;
/** A client's own word, kept in an index. */
const MAX_IDEMPOTENCY_KEY = 200;

/** The request itself is wrong: one line that says where and what was expected. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

/** The experiment exists, but has no report (yet). */
export class NoReport extends Error {
  override readonly name = 'NoReport';
}

export interface Submission {
  readonly scenario: string;
  readonly sourceName: string;
  readonly idempotencyKey?: string;
}

export interface ExperimentView {
  readonly experiment: StoredExperiment;
  readonly progress: readonly VariantProgress[];
}

export class Experiments {
  constructor(
    private readonly stores: StoreLink,
    private readonly queues: CellQueues,
    private readonly driver: ExperimentDriver,
    private readonly changes: Changes,
    private readonly metrics: CoordinatorMetrics,
    /** Ends the telemetry streams of an experiment. */
    private readonly stopStreams: (experimentId: string) => void,
    private readonly log: Logger,
  ) {}

  /**
   * Stores the experiment and queues its cells. Nothing is stored when this throws; when it returns, the experiment
   * will be run whatever happens to this process.
   * @throws ScenarioError, BadRequest, StoreUnavailableError, QueueUnavailableError
   */
  async submit({ scenario: document, sourceName, idempotencyKey = '' }: Submission): Promise<ExperimentView> {
    if (Buffer.byteLength(document) > MAX_SCENARIO_BYTES) {
      throw new BadRequest(
        `scenario: expected at most ${MAX_SCENARIO_BYTES} bytes, got ${Buffer.byteLength(document)}`,
      );
    }
    const nul = Object.entries({ scenario: document, source_name: sourceName, idempotency_key: idempotencyKey }).find(
      ([, text]) => text.includes('\0'),
    );
    if (nul) throw new BadRequest(`${nul[0]}: expected text without NUL characters`);
    if (idempotencyKey.length > MAX_IDEMPOTENCY_KEY) {
      throw new BadRequest(
        `idempotency_key: expected at most ${MAX_IDEMPOTENCY_KEY} characters, got ${idempotencyKey.length}`,
      );
    }
    const scenario = parseScenario(document, sourceName || 'scenario');
    const round = planRound(scenario, new Map());
    const problem = await this.queues.problem();
    if (problem !== undefined) throw new QueueUnavailableError(problem);
    const { experiment, created } = await this.stores.use.createExperiment({
      id: newExperimentId(),
      ...(idempotencyKey !== '' && { idempotencyKey }),
      scenario: scenario.name,
      sourceName: sourceName || 'scenario',
      document,
      cellsTotal: round.length,
      submittedAt: new Date().toISOString(),
    });
    if (created) {
      this.metrics.experiments.inc({ event: 'submitted' });
      this.log.info(
        { experimentId: experiment.id, scenario: scenario.name, cells: round.length },
        'experiment submitted',
      );
      await this.driver.begin(experiment.id, scenario, round);
    }
    return this.#view(experiment);
  }

  /** @throws UnknownExperimentError, StoreUnavailableError; so do all that follow. */
  async get(id: string): Promise<ExperimentView> {
    const experiment = await this.stores.use.getExperiment(id);
    if (!experiment) throw new UnknownExperimentError(id);
    return this.#view(experiment);
  }

  /** Newest first. @param limit 0 for the usual. */
  async list(limit: number, beforeId: string): Promise<StoredExperiment[]> {
    return this.stores.use.listExperiments({
      limit: Math.min(limit || DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT),
      ...(beforeId !== '' && { beforeId }),
    });
  }

  /** The present state at once, then every change, until the experiment has ended or `signal` aborts. */
  async *watch(id: string, signal: AbortSignal): AsyncGenerator<ExperimentView> {
    for (let last = ''; !signal.aborted;) {
      const change = this.changes.next(id, signal); // before the look, so that no change falls between
      const view = await this.get(id);
      const text = JSON.stringify(view);
      if (text !== last) yield view;
      last = text;
      if (hasEnded(view.experiment)) return;
      await change;
    }
  }

  /** @throws NoReport while the experiment runs, and when it was cancelled. */
  async report(id: string): Promise<string> {
    const report = await this.stores.use.getReport(id);
    if (report !== undefined) return report;
    const { experiment } = await this.get(id);
    throw new NoReport(`experiment ${id} is ${experiment.state} and has no report`);
  }

  /** Ends the experiment where it stands; results that are stored stay. Cancelling an ended one changes nothing. */
  async cancel(id: string): Promise<ExperimentView> {
    const store = this.stores.use;
    const before = await store.getExperiment(id);
    if (!before) throw new UnknownExperimentError(id);
    const experiment = await store.cancelExperiment(id, new Date().toISOString());
    if (!hasEnded(before) && experiment.state === 'cancelled') {
      this.metrics.experiments.inc({ event: 'cancelled' });
      this.log.info({ experimentId: id }, 'experiment cancelled');
      this.changes.announce(id);
      this.stopStreams(id);
      // Jobs that cannot be withdrawn now end by themselves: the coordinator answers their stream with CANCELLED.
      await this.queues
        .withdraw(id, await store.plannedCells(id))
        .catch((error: Error) => this.log.warn({ experimentId: id, reason: error.message }, 'jobs not withdrawn'));
    }
    return this.#view(experiment);
  }

  async #view(experiment: StoredExperiment): Promise<ExperimentView> {
    return { experiment, progress: await this.stores.use.progress(experiment.id) };
  }
}

/** Sorts by time of submission, and cannot be guessed from another one. Letters and digits only: it goes into job ids. */
function newExperimentId(): string {
  return `e${Date.now().toString(36)}${randomBytes(5).toString('hex')}`;
}
