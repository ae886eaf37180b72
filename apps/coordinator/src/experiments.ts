// What can be asked of the coordinator about experiments, whichever protocol asks.
import { randomBytes } from 'node:crypto';
import { planRound, type ComparisonReport } from '@kworkbench/experiment';
import type { Analyst } from './analyst.js';
import { fromCursor, toCursor } from './api/cursor.js';
import { BadRequest } from './api/request.js';
import type { Logger } from '@kworkbench/service-host';
import { QueueUnavailableError, type CellQueues } from './cell-queues.js';
import { hasEnded, type Changes } from './changes.js';
import type { ExperimentDriver } from './experiment-driver.js';
import type { CoordinatorMetrics } from './metrics.js';
import type { StoreLink } from './store-link.js';
import { MAX_IDEMPOTENCY_KEY, MAX_SOURCE_NAME, MAX_WATCHERS } from './limits.js';
import type { ScenarioReader } from './scenario-reader.js';
import {
  MAX_LIST_LIMIT,
  UnknownExperimentError,
  type ExperimentState,
  type StoredExperiment,
  type VariantProgress,
} from './store/index.js';

const DEFAULT_LIST_LIMIT = 50;
/** The same as the command line's. */
const DEFAULT_EFFECT = 0.05;

/** This coordinator tells as many clients as it can about their experiments. */
export class TooManyWatchers extends Error {
  override readonly name = 'TooManyWatchers';
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

export interface ListQuestion {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  /** Id of an experiment: only older ones. */
  readonly beforeId?: string | undefined;
  readonly state?: ExperimentState | undefined;
  readonly scenario?: string | undefined;
}

export interface ExperimentView {
  readonly experiment: StoredExperiment;
  readonly progress: readonly VariantProgress[];
}

export class Experiments {
  #watchers = 0;

  constructor(
    private readonly stores: StoreLink,
    private readonly queues: CellQueues,
    private readonly driver: ExperimentDriver,
    private readonly analyst: Analyst,
    private readonly scenarios: ScenarioReader,
    private readonly changes: Changes,
    private readonly metrics: CoordinatorMetrics,
    /** Ends the telemetry streams of an experiment. */
    private readonly stopStreams: (experimentId: string) => void,
    private readonly log: Logger,
  ) {}

  /**
   * Stores the experiment and queues its cells. Nothing is stored when this throws; when it returns, the experiment
   * will be run whatever happens to this process.
   * @throws ScenarioError, BadRequest, TooLarge, TooManyScenarios, StoreUnavailableError, QueueUnavailableError
   */
  async submit({ scenario: document, sourceName, idempotencyKey = '' }: Submission): Promise<ExperimentView> {
    checkWord('idempotency_key', idempotencyKey, MAX_IDEMPOTENCY_KEY);
    checkWord('source_name', sourceName, MAX_SOURCE_NAME);
    const scenario = await this.scenarios.read(document, sourceName);
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

  /** Newest first. @throws BadRequest (cursor), UnknownExperimentError (beforeId), StoreUnavailableError */
  async list({ limit = DEFAULT_LIST_LIMIT, cursor, beforeId, state, scenario }: ListQuestion) {
    const store = this.stores.use;
    const size = Math.min(limit, MAX_LIST_LIMIT);
    let before: { submittedAt: string; id: string } | undefined;
    if (cursor !== undefined) {
      const [submittedAt, id] = fromCursor(cursor, 'string', 'string');
      before = { submittedAt, id };
    } else if (beforeId !== undefined) before = (await this.get(beforeId)).experiment;
    const experiments = await store.listExperiments({
      limit: size,
      ...(before && { before }),
      ...(state && { state }),
      ...(scenario !== undefined && { scenario }),
    });
    const last = experiments.length < size ? undefined : experiments.at(-1)!;
    return { experiments, nextCursor: last && toCursor([last.submittedAt, last.id]) };
  }

  /**
   * The present state at once, then every change, until the experiment has ended or `signal` aborts.
   * @param known version of a state (see {@link versionOf}) that need not be told again.
   * @throws TooManyWatchers, UnknownExperimentError, StoreUnavailableError
   */
  watch(id: string, signal: AbortSignal, known = ''): AsyncGenerator<ExperimentView> {
    if (this.#watchers >= MAX_WATCHERS) {
      throw new TooManyWatchers(`expected at most ${MAX_WATCHERS} watchers of one coordinator`);
    }
    return this.#watch(id, signal, known);
  }

  async *#watch(id: string, signal: AbortSignal, known: string): AsyncGenerator<ExperimentView> {
    this.#watchers++;
    try {
      for (let last = known; !signal.aborted;) {
        const change = this.changes.next(id, signal); // before the look, so that no change falls between
        const view = await this.get(id);
        const version = versionOf(view);
        if (version !== last) yield view;
        last = version;
        if (hasEnded(view.experiment)) return;
        await change;
      }
    } finally {
      this.#watchers--;
    }
  }

  /** @throws NoReport while the experiment runs, and when it was cancelled. */
  async report(id: string): Promise<string> {
    const report = await this.stores.use.getReport(id);
    if (report !== undefined) return report;
    const { experiment } = await this.get(id);
    throw new NoReport(`experiment ${id} is ${experiment.state} and has no report`);
  }

  /**
   * What changed from one ended experiment to another.
   * @param effect smallest relative change that counts.
   * @throws NoReport while one of them runs
   */
  async compare(base: string, head: string, effect = DEFAULT_EFFECT): Promise<ComparisonReport> {
    const [baseReport, headReport] = await Promise.all([this.report(base), this.report(head)]);
    return this.analyst.ask('compare', [baseReport, headReport], [base, head], effect);
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

/** The same for the same state, whichever coordinator is asked: what a watcher has seen. */
export function versionOf({ experiment, progress }: ExperimentView): string {
  const counts = progress.map(({ total, done, failed }) => `${total}.${done}.${failed}`);
  return [experiment.state, ...counts].join('-');
}

function checkWord(name: string, text: string, longest: number): void {
  if (/\p{Cc}/u.test(text)) throw BadRequest.of(`${name}: expected text without control characters`);
  if (text.length > longest) throw BadRequest.of(`${name}: expected at most ${longest} characters, got ${text.length}`);
}

/** Sorts by time of submission, and cannot be guessed from another one. Letters and digits only: it goes into job ids. */
function newExperimentId(): string {
  return `e${Date.now().toString(36)}${randomBytes(5).toString('hex')}`;
}
