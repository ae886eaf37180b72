// Drives experiments to their end. Everything is decided from the store: what is planned, what has a result, what the
// scenario wants next. So a restart goes on, two coordinators do the same work twice at worst, and Redis may forget all.
//
// A step: count what has settled; when a cell is missing, wait for it; else plan the next round; when there is none,
// write the report, then end the experiment. It ends before its cells do when its time is over (counted from its
// submission, waiting in the queue included) or when a threshold with abortOnFail has failed.
import { setTimeout as sleep } from 'node:timers/promises';
import { collectProvenance, parseScenario, type PlannedCell, type Scenario } from '@kworkbench/experiment';
import type { Logger } from '@kworkbench/service-host';
import type { Judged } from './analysis.js';
import type { Analyst } from './analyst.js';
import { QueueUnavailableError, type CellQueues } from './cell-queues.js';
import type { Changes } from './changes.js';
import type { CoordinatorMetrics } from './metrics.js';
import type { StoreLink } from './store-link.js';
import { StoreUnavailableError, type StoredExperiment } from './store/index.js';

/**
 * How late lost work is noticed: jobs that Redis forgot, a coordinator that died between a commit and its consequence.
 * A look costs one query per experiment; jobs are added anew only when the queue has fewer than there are cells missing.
 */
const RECONCILE_EVERY_MS = 5_000;
/** Between two looks at an experiment whose cells settle quickly: a look costs a count over all of its cells. */
const LOOK_PAUSE_MS = 150;
/** The same while the end is far: progress is seen often enough, and each look that sees some is a commit. */
const LOOK_PAUSE_OF_MANY_MS = 500;
const MANY_CELLS = 50;
/** A service that gives a cell back does so within milliseconds of closing its stream; then it is not lost. */
const LOST_AFTER_MS = 500;
/** Parsed scenarios kept for speed; parsing one again gives the same. */
const SCENARIOS_KEPT = 64;

export class ExperimentDriver {
  readonly #scenarios = new Map<string, Scenario>();
  /** One look at an experiment at a time; what is asked for meanwhile is done after it. */
  readonly #looks = new Map<string, { done: Promise<void>; again: boolean; queueMissing: boolean }>();
  /** Experiments that were looked at just now, and whether they want another look. */
  readonly #soon = new Map<string, boolean>();
  /** Cells of an experiment that had settled when its thresholds were last judged for an early end. */
  readonly #judged = new Map<string, number>();
  /** Experiments of which many cells are missing. */
  readonly #many = new Set<string>();
  /** What was said last about an experiment's troubles, so that it is said once. */
  readonly #complaints = new Map<string, string>();
  readonly #closing = new AbortController();
  /** Taken once: it asks git, which blocks. */
  readonly #provenance = collectProvenance();

  constructor(
    private readonly stores: StoreLink,
    private readonly queues: CellQueues,
    private readonly analyst: Analyst,
    private readonly changes: Changes,
    private readonly metrics: CoordinatorMetrics,
    private readonly log: Logger,
    /** Ends the telemetry streams of an experiment. */
    private readonly stopStreams: (experimentId: string) => void,
  ) {}

  /** Plans the first round of a new experiment and queues it. */
  async begin(experimentId: string, scenario: Scenario, round: readonly PlannedCell[]): Promise<void> {
    this.#remember(experimentId, scenario);
    this.analyst.warm();
    await this.stores.use.putPlannedCells(experimentId, round);
    void this.look(experimentId, true);
  }

  /**
   * Takes the experiment as far as it goes now. Never rejects: what fails is done by a later look.
   * @param queueMissing also makes sure that a job waits for every missing cell.
   */
  look(experimentId: string, queueMissing = false): Promise<void> {
    const busy = this.#looks.get(experimentId);
    if (busy) {
      busy.again = true;
      busy.queueMissing ||= queueMissing;
      return busy.done;
    }
    const look = { done: Promise.resolve(), again: false, queueMissing };
    this.#looks.set(experimentId, look);
    look.done = (async () => {
      do {
        const missing = look.queueMissing;
        look.again = look.queueMissing = false;
        await this.#quietly(experimentId, () => this.#step(experimentId, missing));
      } while (look.again && !this.#closing.signal.aborted);
      this.#looks.delete(experimentId);
    })();
    return look.done;
  }

  /** The outcome of a cell was stored. */
  cellSettled(cellId: string): void {
    void this.#quietly('', async () => {
      for (const id of await this.stores.use.experimentsWaitingFor(cellId)) this.#lookSoon(id);
    });
  }

  /** A service went away in the middle of a cell. */
  async cellLost(experimentId: string, cellId: string): Promise<void> {
    await sleep(LOST_AFTER_MS, undefined, { signal: this.#closing.signal }).catch(() => {});
    if (this.#closing.signal.aborted) return;
    await this.#quietly(experimentId, async () => {
      const store = this.stores.use;
      const experiment = await store.getExperiment(experimentId);
      if (experiment?.state !== 'running' || (await store.hasResult(cellId))) return;
      const planned = (await store.plannedCells(experimentId)).find(({ id }) => id === cellId);
      if (!planned) return;
      const { timeoutMs } = await this.#scenario(experiment);
      if (await this.queues.again(experimentId, planned, timeoutMs)) {
        this.log.info({ experimentId, cellId }, 'a service lost this cell; queued again');
      }
    });
  }

  /** At once, and not again for a while: what settles meanwhile is counted together. */
  #lookSoon(id: string): void {
    if (this.#soon.has(id)) return void this.#soon.set(id, true);
    this.#soon.set(id, false);
    void this.look(id);
    setTimeout(
      () => {
        const again = this.#soon.get(id);
        this.#soon.delete(id);
        if (again && !this.#closing.signal.aborted) this.#lookSoon(id);
      },
      this.#many.has(id) ? LOOK_PAUSE_OF_MANY_MS : LOOK_PAUSE_MS,
    );
  }

  /** Looks at every running experiment, at once and then regularly, until closed. */
  async run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#quietly('', async () => {
        const running = await this.stores.use.runningExperiments();
        const lacking = await this.#lackingMechanisms(running);
        for (const experiment of running) {
          if (signal.aborted) return;
          await this.look(experiment.id, lacking.has((await this.#scenario(experiment)).mechanism.name));
        }
      });
      await sleep(RECONCILE_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  close(): void {
    this.#closing.abort();
  }

  /** Mechanisms whose queue has fewer jobs than cells are missing. */
  async #lackingMechanisms(running: readonly StoredExperiment[]): Promise<Set<string>> {
    const missing = new Map<string, number>();
    for (const experiment of running) {
      const { name } = (await this.#scenario(experiment)).mechanism;
      const progress = await this.stores.use.progress(experiment.id);
      const open = progress.reduce((sum, { total, done, failed }) => sum + total - done - failed, 0);
      // One that has no plan yet lacks all of it.
      missing.set(name, (missing.get(name) ?? 0) + (progress.length > 0 ? open : Infinity));
    }
    const lacking = new Set<string>();
    for (const [name, count] of missing) if ((await this.queues.held(name)) < count) lacking.add(name);
    return lacking;
  }

  async #step(id: string, queueMissing: boolean): Promise<void> {
    const store = this.stores.use;
    let experiment = await store.getExperiment(id);
    this.#many.delete(id);
    if (experiment?.state !== 'running') return;
    const counts = await store.progress(id);
    const sum = (pick: (count: (typeof counts)[number]) => number) => counts.reduce((all, one) => all + pick(one), 0);
    const [total, done, failed] = [sum((c) => c.total), sum((c) => c.done), sum((c) => c.failed)];
    if (done !== experiment.cellsDone || failed !== experiment.cellsFailed || total > experiment.cellsTotal) {
      const cellsTotal = Math.max(total, experiment.cellsTotal);
      experiment = await store.updateExperiment(id, { cellsDone: done, cellsFailed: failed, cellsTotal });
      this.changes.announce(id);
    }
    if (total - done - failed > MANY_CELLS) this.#many.add(id);
    const waiting = total > done + failed;
    if (waiting && (await this.#endedEarly(experiment, done + failed))) return;
    if (waiting && !queueMissing) return;

    const missing = await store.missingCells(id);
    if (missing.length > 0) return this.queues.ensure(id, missing, (await this.#scenario(experiment)).timeoutMs);

    const next = await this.analyst.ask('advance', subjectOf(experiment), this.#provenance);
    if (next !== 'planned') return this.#end(id, next);
    return this.#step(id, true);
  }

  /** Whether the experiment has ended now, although cells are missing. */
  async #endedEarly(experiment: StoredExperiment, settled: number): Promise<boolean> {
    const { id } = experiment;
    const scenario = await this.#scenario(experiment);
    const limitMs = scenario.maxDurationMs;
    const leftMs = limitMs === undefined ? Infinity : Date.parse(experiment.submittedAt) + limitMs - Date.now();
    const aborting = scenario.thresholds.some(({ abortAfter }) => abortAfter !== undefined);
    if (leftMs > 0 && leftMs < RECONCILE_EVERY_MS) setTimeout(() => void this.look(id), leftMs).unref();
    if (leftMs > 0 && (!aborting || this.#judged.get(id) === settled)) return false;

    const over = leftMs <= 0 ? limitMs : undefined;
    const judged = await this.analyst.ask('endEarly', subjectOf(experiment), this.#provenance, over);
    if (judged === 'goes on') {
      this.#judged.set(id, settled);
      return false;
    }
    await this.#end(id, judged);
    this.stopStreams(id);
    // Jobs that cannot be withdrawn now end by themselves: the coordinator answers their stream with CANCELLED.
    await this.queues.withdraw(id, await this.stores.use.plannedCells(id));
    return true;
  }

  /** Its report is stored: an experiment that has ended has its report. */
  async #end(id: string, { failed, verdict, endedAt }: Judged): Promise<void> {
    const state = failed ? 'failed' : 'completed';
    const ended = await this.stores.use.updateExperiment(id, { state, verdict, endedAt });
    this.#scenarios.delete(id);
    this.#judged.delete(id);
    this.metrics.experiments.inc({ event: ended.state === 'failed' ? 'failed' : 'completed' });
    this.log.info({ experimentId: id, state: ended.state, verdict: ended.verdict }, 'experiment ended');
    this.changes.announce(id);
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
  async #quietly(experimentId: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#complaints.delete(experimentId);
    } catch (error) {
      const { message } = error as Error;
      if (message === this.#complaints.get(experimentId) || this.#closing.signal.aborted) return;
      this.#complaints.set(experimentId, message);
      const away = error instanceof StoreUnavailableError || error instanceof QueueUnavailableError;
      if (away) this.log.warn({ experimentId, reason: message }, 'experiment waits');
      else this.log.error({ experimentId, err: error }, 'experiment step failed; trying again');
    }
  }
}

const subjectOf = ({ id, sourceName, submittedAt }: StoredExperiment) => ({ id, sourceName, submittedAt });
