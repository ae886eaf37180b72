// The storage port: what the coordinator keeps, and what it may rely on.
//
// - Several coordinators may use one database at the same time; nothing is cached in the process.
// - Every write is one transaction and is durable when its promise resolves. `kill -9`, of the coordinator or of the
//   database, at any moment leaves all of a write or nothing of it.
// - Every write may be repeated: after a lost answer, do it again. Each method says what the second one does.
// - Every method rejects with StoreUnavailableError while the database cannot be reached, and works again as soon as
//   it can; there is nothing to reopen. Any other error is a mistake of the caller (TypeError,
//   UnknownExperimentError) or a defect.
// - Texts (ids, names, keys, documents) must not contain U+0000, which PostgreSQL cannot store: TypeError.
import type { CellFailure, CellResult, PlannedCell } from '@kworkbench/experiment';
import type { Frame, TableSpec, TelemetryHeader } from '@kworkbench/telemetry';

/** The database cannot be reached or refuses work for now. Trying again later is right; nothing half was written. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** There is no experiment with this id. */
export class UnknownExperimentError extends Error {
  override readonly name = 'UnknownExperimentError';
  constructor(readonly experimentId: string) {
    super(`no experiment ${JSON.stringify(experimentId)}`);
  }
}

export type ExperimentState = 'running' | 'completed' | 'failed' | 'cancelled';
export type Verdict = 'pass' | 'fail';

export interface NewExperiment {
  /** Chosen by the caller; unique. */
  readonly id: string;
  /** Submitting again with the same key gives the same experiment. */
  readonly idempotencyKey?: string;
  /** The scenario's name. */
  readonly scenario: string;
  /** Where the scenario came from, for messages; a file name, for instance. */
  readonly sourceName: string;
  /** The scenario as it was submitted: enough to plan its cells and to write its report again after a restart. */
  readonly document: string;
  readonly cellsTotal: number;
  /** RFC 3339, UTC, milliseconds (`Date.prototype.toISOString`): sorts as text. */
  readonly submittedAt: string;
}

export interface StoredExperiment {
  readonly id: string;
  readonly idempotencyKey: string | undefined;
  readonly scenario: string;
  readonly sourceName: string;
  readonly state: ExperimentState;
  readonly cellsTotal: number;
  /** Cells with a result, as last written by updateExperiment; {@link Store.progress} counts anew. */
  readonly cellsDone: number;
  readonly cellsFailed: number;
  readonly submittedAt: string;
  readonly endedAt: string | undefined;
  readonly verdict: Verdict | undefined;
}

/** What is left out stays as it is. A state other than `running` ends the experiment and needs `endedAt`. */
export interface ExperimentUpdate {
  readonly state?: ExperimentState;
  readonly cellsTotal?: number;
  readonly cellsDone?: number;
  readonly cellsFailed?: number;
  readonly verdict?: Verdict;
  /** RFC 3339, UTC. */
  readonly endedAt?: string;
}

export interface ListOptions {
  /** 1 to {@link MAX_LIST_LIMIT}; more is cut to that. */
  readonly limit: number;
  /**
   * Only experiments that come after this place in the list, that is, older ones. A place and no experiment: the one
   * that stood there may have been removed meanwhile.
   */
  readonly before?: { readonly submittedAt: string; readonly id: string };
  readonly state?: ExperimentState;
  /** Name of a scenario. */
  readonly scenario?: string;
}

/** One page of a list: what a person can look through, and a bound on one answer's size. */
export const MAX_LIST_LIMIT = 500;

/** Planned cells from the one at `from` (0, 1, 2, ...) on, `limit` at most. */
export interface PlannedPart {
  readonly from: number;
  readonly limit: number;
}

export interface VariantProgress {
  readonly variant: string;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
}

export type CellCommit =
  | {
      readonly cellId: string;
      readonly mechanism: string;
      readonly header: TelemetryHeader;
      /** Sequence numbers 0, 1, 2, ... without gaps. */
      readonly frames: readonly Frame[];
      /** Per table, rows that the cell published; left out when the frames have all of them. */
      readonly arrivedRows?: readonly number[];
      readonly result: CellResult;
    }
  | { readonly cellId: string; readonly failure: CellFailure };

export type CommitOutcome = 'committed' | 'duplicate';

/** One table of a cell, all frames put together. */
export interface Series {
  readonly table: TableSpec;
  readonly rows: number;
  /** Rows that the cell published: more than `rows` when it published more than is kept (see CellCommit). */
  readonly arrivedRows: number;
  /** One array per column of the table, each `rows` long; bit for bit what was committed. */
  readonly columns: readonly Float64Array[];
}

export function isCellFailure(outcome: CellResult | CellFailure): outcome is CellFailure {
  return 'kind' in outcome;
}

export interface Store {
  /**
   * Brings the schema up to date. Runs under a lock: coordinators that start at once wait for one another, and all but
   * the first find nothing to do. Must have resolved once before anything else is called.
   */
  migrate(): Promise<void>;

  /** Gives back connections and files. Calls in flight may fail; calling it again does nothing. */
  close(): Promise<void>;

  /** Whether the database answers within {@link PING_TIMEOUT_MS} milliseconds. Never rejects. For readiness. */
  ping(): Promise<boolean>;

  // Experiments

  /**
   * Stores a new experiment, `running`, with no cells planned. When one with this idempotency key or this id is there,
   * that one is returned untouched and `created` is false; of two submissions at once, one creates.
   */
  createExperiment(experiment: NewExperiment): Promise<{ experiment: StoredExperiment; created: boolean }>;

  getExperiment(id: string): Promise<StoredExperiment | undefined>;

  /** The document given to createExperiment. */
  getDocument(id: string): Promise<string | undefined>;

  /**
   * Newest first, by `submittedAt` and then id: a total order, so that pages neither overlap nor leave anything out.
   * @throws TypeError when `limit` is no positive integer.
   */
  listExperiments(options: ListOptions): Promise<StoredExperiment[]>;

  /** Every experiment in state `running`, oldest first: what a coordinator takes up again when it starts. */
  runningExperiments(): Promise<StoredExperiment[]>;

  /**
   * Changes a running experiment and returns it. One that has ended stays as it ended, and is returned like that: of
   * two coordinators that end it at once, the first one wins, and both learn how it ended.
   * @throws UnknownExperimentError; TypeError when it would end without `endedAt`.
   */
  updateExperiment(id: string, update: ExperimentUpdate): Promise<StoredExperiment>;

  /** updateExperiment to `cancelled`: an ended one stays as it ended. @throws UnknownExperimentError */
  cancelExperiment(id: string, endedAt: string): Promise<StoredExperiment>;

  /**
   * Removes the `limit` oldest of the experiments that ended before this time, with their reports, and with the cells
   * that no other experiment has planned. An experiment that plans such a cell at the same moment finds it missing, and
   * it is run again. @returns how many experiments were removed.
   */
  removeEndedBefore(endedBefore: string, limit: number): Promise<number>;

  /**
   * Removes the oldest experiment that has ended, like removeEndedBefore, if more than this is stored. Of several
   * coordinators that do so at once, each removes only what is still too much. @returns whether one was removed.
   */
  removeOldestAbove(keepBytes: number): Promise<boolean>;

  /**
   * Bytes of all documents, plans, results, telemetry and reports: what would have to be written again. The database
   * takes more for its indexes, its log and what it has not given back yet.
   */
  storedBytes(): Promise<number>;

  /**
   * Gives the disk space of what was removed back to the file system. SQLite: in small steps, when the file was made by
   * this version (an older one reuses its space and does not shrink). PostgreSQL: its plain VACUUM makes the space usable
   * for new results; the files are rewritten only when more than half of them is empty and no experiment runs, since
   * that locks them. To be called after removals; doing it again is harmless.
   */
  reclaim(): Promise<void>;

  // Planned cells

  /**
   * Plans an experiment's cells. Repeating it with the same cells does nothing; with the same and more behind them, it
   * adds the new ones (the next round of a search); with only the first of them (a coordinator that is a round behind),
   * it does nothing.
   *
   * Of cells that are new here, it also forgets failures `timeout`, `memory` and `cancelled`, which say nothing final
   * about the cell: an experiment that plans a cell gets a new attempt at it, and only one. Within the experiment
   * nothing is tried again, since every service gives a cell the same time and heap.
   * @throws UnknownExperimentError; TypeError when one differs from what is planned in its place.
   */
  putPlannedCells(experimentId: string, cells: readonly PlannedCell[]): Promise<void>;

  /** In the order they were put, all of them or a part; empty when there are none. */
  plannedCells(experimentId: string, part?: PlannedPart): Promise<PlannedCell[]>;

  /** The planned cells without an outcome, in the order they were put. */
  missingCells(experimentId: string): Promise<PlannedCell[]>;

  /** Running experiments that planned this cell, oldest first. */
  experimentsWaitingFor(cellId: string): Promise<string[]>;

  /** Counted from what is planned and what is committed, in the order in which variants were planned. */
  progress(experimentId: string): Promise<VariantProgress[]>;

  // Cells: keyed by the hash of their content, shared by all experiments

  /**
   * Commits how a cell ended: telemetry and result together, or a failure, in one transaction keyed by the cell's id.
   *
   * A result, and a failure `invariant` or `model`, is final: a function of the cell's content. The first final
   * outcome stays. `timeout`, `memory` and `cancelled` are not (another host, or a larger heap, may get further): anything
   * final replaces them, and the first two replace `cancelled`. What does not replace is `duplicate` and changes nothing. Of commits of one cell at once, from any
   * number of coordinators, exactly one final one is `committed`.
   *
   * When it rejects with StoreUnavailableError the commit may have happened nevertheless (the answer was lost);
   * committing again then says `duplicate`.
   * @throws TypeError when ids disagree, sequence numbers have gaps, or a frame does not fit its table.
   */
  commitCell(commit: CellCommit): Promise<CommitOutcome>;

  /** What is committed for these cells, of whichever experiment; a cell without an outcome is not in the map. */
  getResults(cellIds: readonly string[]): Promise<Map<string, CellResult | CellFailure>>;

  /** Whether the cell has a final outcome (see commitCell), so that running it again would change nothing. */
  hasResult(cellId: string): Promise<boolean>;

  /** Which tables the cell wrote. Undefined without a result. */
  getHeader(cellId: string): Promise<TelemetryHeader | undefined>;

  /** All samples of one table of a cell. Undefined without a result, or when the cell has no such table. */
  readSeries(cellId: string, tableName: string): Promise<Series | undefined>;

  // Reports

  /**
   * Stores an experiment's report (JSON text). The first one stays: false when there was one already. Put the report
   * first and end the experiment then, so that an ended experiment always has its report.
   * @throws UnknownExperimentError
   */
  putReport(experimentId: string, reportJson: string): Promise<boolean>;

  getReport(experimentId: string): Promise<string | undefined>;
}

/** A readiness probe must answer well before its caller gives up (Kubernetes: 5 s in our manifests). */
export const PING_TIMEOUT_MS = 2_000;
