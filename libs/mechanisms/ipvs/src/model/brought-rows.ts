// A design that was brought along (`kwb run --variant FILE`) of where an estimator goes: which of the fifty rows of its
// kthread. What the kernel forbids is checked while it runs: a row that does not exist, or that is full.
import { invariant } from '@kworkbench/machine';
import type { EstKtData } from './est-kt-data.js';
import { IPVS_EST_NTICKS } from './est-limits.js';

/** A kthread as a design sees it. Rows are from 0 to `rows - 1`; one is estimated every 40 ms, and each once in two seconds. */
export interface KthreadRows {
  /** 0 is the first kthread of the namespace. */
  readonly kthread: number;
  readonly rows: number;
  /** Estimators that a row takes at most. */
  readonly rowLimit: number;
  /** The row that is estimated next. */
  readonly dueRow: number;
  /** Estimators in all rows. */
  readonly count: number;
  /** Estimators in a row. */
  length(row: number): number;
  /** Puts the estimator there. Ends the cell when the row does not exist or is full. */
  put(row: number): Row;
}

declare const put: unique symbol;
/** What {@link KthreadRows.put} returns. */
export type Row = number & { readonly [put]: true };

/** Placement of one namespace. */
export interface RowDesign {
  /**
   * The row of an estimator: `return kthread.put(row)`. Called while the config mutex is held; at least one row has room.
   * @param delayRows rows from the one that is due until it shall be estimated first: `rows - 1` for a new one, what is left
   * of its two seconds for one that moves.
   */
  row(kthread: KthreadRows, delayRows: number): Row;
}

class RowsOf implements KthreadRows {
  readonly rows = IPVS_EST_NTICKS;

  constructor(private readonly kd: EstKtData) {}

  get kthread(): number {
    return this.kd.id;
  }

  get rowLimit(): number {
    return this.kd.limits.tickMax;
  }

  get dueRow(): number {
    return this.kd.estRow;
  }

  get count(): number {
    return this.kd.estCount;
  }

  length(row: number): number {
    const length = this.kd.tickLen[row];
    if (length === undefined) throw new RangeError(`no row ${row}: expected 0 to ${IPVS_EST_NTICKS - 1}`);
    return length;
  }

  put(row: number): Row {
    const exists = Number.isInteger(row) && row >= 0 && row < IPVS_EST_NTICKS;
    invariant(exists, `ipvs: an estimator is put into row ${row}, of 0 to ${IPVS_EST_NTICKS - 1}`);
    invariant(this.kd.avail.has(row), `ipvs: an estimator is put into row ${row}, which is full`);
    return row as Row;
  }
}

export class BroughtRows {
  private readonly views = new WeakMap<EstKtData, KthreadRows>();

  constructor(private readonly design: RowDesign) {}

  rowFor(kd: EstKtData, delay: number): number {
    let view = this.views.get(kd);
    if (view === undefined) this.views.set(kd, (view = new RowsOf(kd)));
    return view.put(this.design.row(view, delay));
  }
}
