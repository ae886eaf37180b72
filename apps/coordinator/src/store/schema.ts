// The tables as the queries see them. What makes them is in migrations.ts; the two change together.
import type { ExperimentState, Verdict } from './store.js';

export interface Tables {
  schema_migrations: { version: number };
  experiments: ExperimentRow;
  planned_cells: PlannedCellRow;
  cells: CellRow;
  frames: FrameRow;
  reports: { experiment_id: string; report_json: string };
}

export interface ExperimentRow {
  id: string;
  idempotency_key: string | null;
  scenario: string;
  source_name: string;
  document: string;
  state: ExperimentState;
  cells_total: number;
  cells_done: number;
  cells_failed: number;
  submitted_at: string;
  ended_at: string | null;
  verdict: Verdict | null;
  /** Of the document, the planned cells and the report; PostgreSQL's 64-bit numbers arrive as text. */
  stored_bytes: number | string;
}

export interface PlannedCellRow {
  experiment_id: string;
  /** 0, 1, 2, ...: the key, because an experiment may plan the same cell under two labels. */
  position: number;
  cell_id: string;
  variant: string;
  replication: number;
  point_json: string;
  cell_json: string;
}

export interface CellRow {
  cell_id: string;
  /** A commit replaces one of lower finality: see {@link finalityOf}. */
  finality: number;
  outcome: 'result' | 'failure';
  /** CellResult or CellFailure, as exact JSON. */
  outcome_json: string;
  /** Null for a failure. */
  mechanism: string | null;
  /** Null for a failure. */
  header_json: string | null;
  /** Rows that were published, per table; null when the frames have all of them. */
  arrived_rows_json: string | null;
  /** Of the outcome, the header and the frames. */
  stored_bytes: number | string;
}

/** One frame: all columns of a block of rows, one after the other (see column-codec.ts). */
export interface FrameRow {
  cell_id: string;
  sequence: number;
  table_index: number;
  row_count: number;
  data: Uint8Array;
}

/** Finality of an outcome that is a function of the cell's content alone. */
export const FINAL = 2;
