// The port on a backend: which calls are transactions, and how errors of a driver become errors of the port.
import type { CellFailure, CellResult, PlannedCell } from '@kworkbench/experiment';
import type { TelemetryHeader } from '@kworkbench/telemetry';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Backend } from './backend.js';
import * as cells from './cell-queries.js';
import * as experiments from './experiment-queries.js';
import { migrateToLatest } from './migrations.js';
import * as removal from './removal-queries.js';
import type { Tables } from './schema.js';
import {
  type CellCommit,
  type CommitOutcome,
  type ExperimentUpdate,
  type ListOptions,
  type NewExperiment,
  PING_TIMEOUT_MS,
  type PlannedPart,
  type Series,
  type Store,
  type StoredExperiment,
  StoreUnavailableError,
  type VariantProgress,
} from './store.js';

export class KyselyStore implements Store {
  readonly #backend: Backend;
  #closed = false;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  migrate(): Promise<void> {
    const { words, lock } = this.#backend;
    return this.#read((db) => migrateToLatest(db, words, lock));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#backend.db.destroy();
  }

  async ping(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), PING_TIMEOUT_MS);
    });
    const answered = this.#read((db) => sql.raw(this.#backend.pingSql).execute(db)).then(
      () => true,
      () => false,
    );
    try {
      return await Promise.race([answered, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  createExperiment(experiment: NewExperiment): Promise<{ experiment: StoredExperiment; created: boolean }> {
    return this.#write((transaction) => experiments.createExperiment(transaction, experiment));
  }

  getExperiment(id: string): Promise<StoredExperiment | undefined> {
    return this.#read((db) => experiments.getExperiment(db, id));
  }

  getDocument(id: string): Promise<string | undefined> {
    return this.#read((db) => experiments.getDocument(db, id));
  }

  listExperiments(options: ListOptions): Promise<StoredExperiment[]> {
    return this.#read((db) => experiments.listExperiments(db, options));
  }

  runningExperiments(): Promise<StoredExperiment[]> {
    return this.#read(experiments.runningExperiments);
  }

  updateExperiment(id: string, update: ExperimentUpdate): Promise<StoredExperiment> {
    return this.#write((transaction) => experiments.updateExperiment(transaction, id, update));
  }

  cancelExperiment(id: string, endedAt: string): Promise<StoredExperiment> {
    return this.updateExperiment(id, { state: 'cancelled', endedAt });
  }

  removeEndedBefore(endedBefore: string, limit: number): Promise<number> {
    return this.#write((transaction) => removal.removeEndedBefore(transaction, endedBefore, limit));
  }

  removeOldestAbove(keepBytes: number): Promise<boolean> {
    return this.#write(async (transaction) => {
      await this.#backend.lock(transaction);
      return removal.removeOldestAbove(transaction, keepBytes);
    });
  }

  storedBytes(): Promise<number> {
    return this.#read(removal.storedBytes);
  }

  reclaim(): Promise<void> {
    return this.#read(() => this.#backend.reclaim());
  }

  putPlannedCells(experimentId: string, planned: readonly PlannedCell[]): Promise<void> {
    return this.#write((transaction) => experiments.putPlannedCells(transaction, experimentId, planned));
  }

  plannedCells(experimentId: string, part?: PlannedPart): Promise<PlannedCell[]> {
    return this.#read((db) => experiments.plannedCells(db, experimentId, part));
  }

  missingCells(experimentId: string): Promise<PlannedCell[]> {
    return this.#read((db) => experiments.missingCells(db, experimentId));
  }

  experimentsWaitingFor(cellId: string): Promise<string[]> {
    return this.#read((db) => experiments.experimentsWaitingFor(db, cellId));
  }

  progress(experimentId: string): Promise<VariantProgress[]> {
    return this.#read((db) => experiments.progress(db, experimentId));
  }

  async commitCell(commit: CellCommit): Promise<CommitOutcome> {
    cells.checkCommit(commit);
    return this.#write((transaction) => cells.commitCell(transaction, commit));
  }

  getResults(cellIds: readonly string[]): Promise<Map<string, CellResult | CellFailure>> {
    return this.#read((db) => cells.getResults(db, cellIds));
  }

  hasResult(cellId: string): Promise<boolean> {
    return this.#read((db) => cells.hasResult(db, cellId));
  }

  getHeader(cellId: string): Promise<TelemetryHeader | undefined> {
    return this.#read((db) => cells.getHeader(db, cellId));
  }

  readSeries(cellId: string, tableName: string): Promise<Series | undefined> {
    return this.#read((db) => cells.readSeries(db, cellId, tableName));
  }

  putReport(experimentId: string, reportJson: string): Promise<boolean> {
    return this.#write((transaction) => experiments.putReport(transaction, experimentId, reportJson));
  }

  getReport(experimentId: string): Promise<string | undefined> {
    return this.#read((db) => experiments.getReport(db, experimentId));
  }

  /** Every write is a transaction, also one of a single statement: SQLite waits for its lock only at a `begin`. */
  #write<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T> {
    return this.#read((db) => db.transaction().execute(work));
  }

  async #read<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreUnavailableError('store: closed');
    try {
      return await this.#backend.attempt(() => work(this.#backend.db));
    } catch (error) {
      if (!this.#closed && !this.#backend.isUnavailable(error)) throw error;
      throw new StoreUnavailableError(`store: ${this.#backend.name} is not available: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }
}

/** Node's error for "none of the addresses answered" has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
