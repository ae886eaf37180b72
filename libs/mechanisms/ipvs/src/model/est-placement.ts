// Where estimators go: est_temp_list, est_kt_arr and the rows of its kthreads (ip_vs_enqueue_estimator(),
// ip_vs_stop_estimator()). Data only: who calls it holds the config mutex and pays for it.
//
// Invariants: a slot is reused lowest first; trailing empty slots are trimmed; the data of kthread 0 goes last.
import { invariant } from '@kworkbench/machine';
import type { BroughtRows } from './brought-rows.js';
import { EstKtData } from './est-kt-data.js';
import { type EstLimits, IPVS_EST_NTICKS } from './est-limits.js';
import { EstList, type Estimators, EstState, NIL } from './estimators.js';

/** Delay that a new estimator gets, in rows: a whole round. */
export const INITIAL_DELAY = IPVS_EST_NTICKS - 1;

/**
 * The rows that new estimators prefer: of the merged patch (by delay, kept when relinked), or of v4 (before the row of the
 * last addition, moving on when that is full) and v1 (the same over its fixed limits).
 */
export type RowPolicy = 'delay' | 'addRow';

/** What enqueue() did. */
export const enum Enqueued {
  Linked,
  /** And a tick was allocated. */
  NewTick,
  /** No row has room: the kernel writes behind its arrays here. */
  Overrun,
}

export class EstPlacement {
  readonly temp = new EstList();
  readonly kthreads: (EstKtData | undefined)[] = [];
  /** est_add_ktid: where to add; an empty slot, or one behind the last, is where a kthread must be made first. */
  addKtid = 0;
  /** Estimators in chains. */
  placed = 0;

  constructor(
    readonly estimators: Estimators,
    private readonly policy: RowPolicy,
    /** In place of the policy. */
    private readonly brought?: BroughtRows,
  ) {}

  get ktCount(): number {
    return this.kthreads.length;
  }

  /** Into est_temp_list, from where kthread 0 places it with this delay. */
  addTemp(est: number, delay: number, nowNs: number): void {
    this.estimators.ktrow[est] = delay;
    this.estimators.waitingNs[est] = nowNs;
    this.putBack(est);
  }

  /** To the head of est_temp_list, in which it has been before: it has its delay, and waits since then. */
  putBack(est: number): void {
    this.estimators.ktid[est] = -1;
    this.estimators.addHead(this.temp, est, EstState.Temp);
  }

  /** How long the one that waits longest has been in est_temp_list; 0 when that is empty. */
  tempAgeNs(nowNs: number): number {
    const { last } = this.temp;
    return last === NIL ? 0 : nowNs - this.estimators.waitingNs[last]!;
  }

  takeTemp(): number {
    const est = this.temp.first;
    this.estimators.remove(this.temp, est);
    return est;
  }

  /** Whether a kthread must be added before the next enqueue(). */
  get needsKthread(): boolean {
    return this.kthreads[this.addKtid] === undefined;
  }

  /** Puts a new kthread into the first empty slot, or behind the last. */
  addKthread(jiffies: number, limits: EstLimits): EstKtData {
    let id = this.kthreads.indexOf(undefined);
    if (id < 0) id = this.kthreads.length;
    const kd = new EstKtData(id, jiffies, limits);
    this.kthreads[id] = kd;
    this.addKtid = id;
    return kd;
  }

  /** Links an estimator that is in no list; `ktrow` is its delay. */
  enqueue(est: number): Enqueued {
    const kd = this.kthreads[this.addKtid];
    invariant(kd !== undefined, 'ipvs: nowhere to add an estimator');
    const row = this.rowOf(kd, this.estimators.ktrow[est]!);
    if (row >= IPVS_EST_NTICKS) return Enqueued.Overrun;
    const allocated = kd.link(this.estimators, est, row);
    this.placed++;
    if (this.policy === 'addRow' && !kd.avail.has(row)) kd.addRow = row;
    if (kd.estCount === kd.limits.maxCount) this.updateKtid();
    return allocated ? Enqueued.NewTick : Enqueued.Linked;
  }

  private rowOf(kd: EstKtData, delay: number): number {
    if (this.brought === undefined) return this.rowFor(kd, delay);
    // The race of the teardown leaves limits of zero, and no row that a design could name.
    return kd.avail.next(0) < IPVS_EST_NTICKS ? this.brought.rowFor(kd, delay) : IPVS_EST_NTICKS;
  }

  private rowFor(kd: EstKtData, delay: number): number {
    const few = kd.estCount < 2 * kd.limits.tickMax;
    if (this.policy === 'addRow') return this.before(kd, (few ? kd.addRow : kd.estRow) + IPVS_EST_NTICKS - 1);
    const base = few && delay >= INITIAL_DELAY ? kd.addRow : kd.estRow;
    if (delay >= INITIAL_DELAY) return this.before(kd, base + delay);
    const row = (base + delay) % IPVS_EST_NTICKS;
    // The delay of a relinked one may grow when its row is full.
    const later = kd.avail.next(row);
    return later < IPVS_EST_NTICKS ? later : kd.avail.next(0);
  }

  /** The row that is asked for, or an earlier one with room, so that the first delay may shrink. */
  private before(kd: EstKtData, wanted: number): number {
    const below = (wanted % IPVS_EST_NTICKS) + 1;
    const row = kd.avail.last(below);
    return row < below ? row : kd.avail.last(IPVS_EST_NTICKS);
  }

  /** ip_vs_est_update_ktid(): the first kthread with room, else the first empty slot, else a new one. */
  private updateKtid(): void {
    const room = this.kthreads.findIndex((kd) => kd !== undefined && kd.estCount < kd.limits.maxCount);
    if (room >= 0) {
      this.addKtid = room;
      return;
    }
    const empty = this.kthreads.indexOf(undefined);
    this.addKtid = empty >= 0 ? empty : this.kthreads.length;
  }

  /**
   * Takes an estimator out of whichever list it is in. Returns the kthread that has nothing to do any more, if any: the
   * caller ends its task and calls {@link dropKthread}.
   */
  unlink(est: number, tickFreed: () => void): EstKtData | undefined {
    const ktid = this.estimators.ktid[est]!;
    if (ktid < 0) {
      this.estimators.remove(this.temp, est);
      return this.idleKthread0();
    }
    const kd = this.kthreads[ktid]!;
    if (kd.unlink(this.estimators, est)) tickFreed();
    this.placed--;
    if (kd.estCount > 0) {
      if (ktid < this.addKtid) this.addKtid = ktid;
      return undefined;
    }
    return ktid > 0 ? kd : this.idleKthread0();
  }

  /** Kthread 0 goes last: when it is the only one and nothing is left in any list. */
  idleKthread0(): EstKtData | undefined {
    const first = this.kthreads[0];
    const idle = this.kthreads.length === 1 && this.temp.length === 0 && first?.estCount === 0;
    return idle ? first : undefined;
  }

  dropKthread(kd: EstKtData): void {
    invariant(kd.estCount === 0 && kd.task === undefined, `ipvs: kthread ${kd.id} is dropped while it has work`);
    invariant(this.kthreads[kd.id] === kd, `ipvs: kthread ${kd.id} is not in its slot`);
    this.kthreads[kd.id] = undefined;
    while (this.kthreads.length > 0 && this.kthreads[this.kthreads.length - 1] === undefined) this.kthreads.pop();
    if (this.kthreads.length === 0) this.addKtid = 0;
    else if (kd.id === this.addKtid) this.updateKtid();
  }

  /** Throws when an invariant does not hold. */
  check(): void {
    let placed = 0;
    for (const kd of this.kthreads) {
      kd?.check();
      placed += kd?.estCount ?? 0;
    }
    invariant(placed === this.placed, `ipvs: ${placed} estimators in chains, ${this.placed} counted`);
    invariant(this.addKtid <= this.kthreads.length, 'ipvs: est_add_ktid is behind the next slot');
  }
}
