// Runs the cells of a stored run again and compares their bytes with what was written then.
import { isFailure } from '../plan.js';
import type { CellFailure } from '../cell.js';
import { CellError } from '../worker/run-cell.js';
import type { CellPool } from '../worker/cell-pool.js';
import type { StoredCell } from './cell-folder.js';

export interface ReplayedCell {
  readonly stored: StoredCell;
  /** The digest of this time, or what went wrong. */
  readonly again: { readonly digest: string } | CellFailure;
  readonly same: boolean;
}

/** @param onCell called for every cell as it ends. */
export async function replayRun(
  cells: readonly StoredCell[],
  pool: CellPool,
  signal: AbortSignal,
  onCell: (cell: ReplayedCell) => void,
): Promise<ReplayedCell[]> {
  return Promise.all(
    cells.map(async (stored) => {
      const again = await pool.run(stored.planned, { signal }).catch((error: unknown): CellFailure => {
        if (!(error instanceof CellError)) throw error;
        return { cellId: stored.planned.id, kind: error.kind, message: error.message };
      });
      const same = !isFailure(again) && again.digest === stored.result.digest;
      const replayed = { stored, again, same };
      onCell(replayed);
      return replayed;
    }),
  );
}
