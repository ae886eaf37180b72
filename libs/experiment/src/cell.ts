// A planned cell: the content that is hashed, and where it stands in its experiment.
import { createHash } from 'node:crypto';
import type { Cell } from '@kworkbench/mechanism';
import { canonicalJson, type CellOutcome } from '@kworkbench/telemetry';

export { canonicalJson };

export type Scalar = string | number | boolean;

export interface PlannedCell {
  /** First 32 hex digits of the SHA-256 of the cell's canonical JSON. */
  readonly id: string;
  readonly cell: Cell;
  /** The label of the variant as the scenario names it. */
  readonly variant: string;
  /** Sweep path to value; empty without a sweep. */
  readonly point: Readonly<Record<string, Scalar>>;
  readonly replication: number;
}

/** What running a cell gave. `wallSeconds` is the only part that differs between runs, and is not in the digest. */
export interface CellResult extends CellOutcome {
  readonly cellId: string;
  /** SHA-256, hex, of all telemetry: header, frames, outcome. */
  readonly digest: string;
  readonly wallSeconds: number;
}

/** `memory`: the cell needed more heap than a worker thread may have. */
export type CellFailureKind = 'invariant' | 'model' | 'memory' | 'timeout' | 'cancelled';

export interface CellFailure {
  readonly cellId: string;
  readonly kind: CellFailureKind;
  readonly message: string;
}

export function cellId(cell: Cell): string {
  return createHash('sha256').update(canonicalJson(cell)).digest('hex').slice(0, 32);
}
