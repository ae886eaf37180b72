// struct ip_vs_est_kt_data and struct ip_vs_est_tick_data: the estimators of one kthread, in rows of chains.
//
// Invariants: no chain, row or kthread above its limit; a row is in `avail` as long as it is not full; `present` tells the
// chains that are not empty and `full` those at their limit; a tick exists while its row has estimators.
import { invariant } from '@kworkbench/machine';
import { Bitmap } from './bitmap.js';
import { type EstLimits, IPVS_EST_NTICKS } from './est-limits.js';
import { EstList, type Estimators, EstState } from './estimators.js';
import type { EstRunner } from './kthread.js';

export class EstTick {
  readonly chains: readonly EstList[];
  readonly present: Bitmap;
  readonly full: Bitmap;

  constructor(chains: number) {
    this.chains = Array.from({ length: chains }, () => new EstList());
    this.present = new Bitmap(chains);
    this.full = new Bitmap(chains);
  }
}

export class EstKtData {
  readonly ticks = new Array<EstTick | undefined>(IPVS_EST_NTICKS).fill(undefined);
  readonly tickLen = new Int32Array(IPVS_EST_NTICKS);
  readonly avail = new Bitmap(IPVS_EST_NTICKS).fill();
  /** In jiffies: when the row `estRow` is due. */
  estTimer: number;
  /** The row to estimate next, and the one that new estimators are put before. */
  estRow = 0;
  addRow = 0;
  estCount = 0;
  task: EstRunner | undefined;
  /** Its task shall run: of kthread 0, whose data may outlive all estimators. */
  needed = true;
  /** Of all its tasks: wakeups by their timer, times that the backlog was given up, lateness and length of ticks. */
  wakeups = 0;
  droppedBacklogs = 0;
  lateMaxNs = 0;
  tickMaxNs = 0;
  /** CPU time of the tasks that it had before. */
  pastCpuNs = 0;

  constructor(
    readonly id: number,
    jiffies: number,
    public limits: EstLimits,
  ) {
    this.estTimer = jiffies;
  }

  get cpuNs(): number {
    return this.pastCpuNs + (this.task?.cpuNs ?? 0);
  }

  /** Puts an estimator into a row; true when a tick had to be allocated. */
  link(estimators: Estimators, est: number, row: number): boolean {
    const { limits } = this;
    let tick = this.ticks[row];
    const allocated = tick === undefined;
    tick ??= this.ticks[row] = new EstTick(limits.tickChains);
    const cid = tick.full.firstZero();
    invariant(cid < limits.tickChains, 'ipvs: a row that is available has no chain with room');
    const chain = tick.chains[cid]!;
    estimators.ktid[est] = this.id;
    estimators.ktrow[est] = row;
    estimators.ktcid[est] = cid;
    estimators.addHead(chain, est, EstState.Linked);
    this.estCount++;
    this.tickLen[row]!++;
    tick.present.set(cid);
    if (chain.length >= limits.chainMax) {
      tick.full.set(cid);
      if (this.tickLen[row]! >= limits.tickMax) this.avail.clear(row);
    }
    return allocated;
  }

  /** Takes one out; true when its tick is empty now and has been taken off. */
  unlink(estimators: Estimators, est: number): boolean {
    const row = estimators.ktrow[est]!;
    const cid = estimators.ktcid[est]!;
    const tick = this.ticks[row]!;
    const chain = tick.chains[cid]!;
    estimators.remove(chain, est);
    tick.full.clear(cid);
    if (chain.length === 0) tick.present.clear(cid);
    this.avail.set(row);
    this.estCount--;
    this.tickLen[row]!--;
    if (this.tickLen[row]! > 0) return false;
    this.ticks[row] = undefined;
    return true;
  }

  get rowMax(): number {
    return this.tickLen.reduce((most, length) => Math.max(most, length), 0);
  }

  /** The fullest row over the mean of all; 1 when all are alike, 50 when there is one; 0 without estimators. */
  get rowImbalance(): number {
    return this.estCount === 0 ? 0 : (this.rowMax * IPVS_EST_NTICKS) / this.estCount;
  }

  /** The longest chain over the mean of those that are not empty; 0 without estimators. */
  get chainImbalance(): number {
    if (this.estCount === 0) return 0;
    let most = 0;
    let present = 0;
    for (const tick of this.ticks) {
      for (const { length } of tick?.chains ?? []) {
        if (length > 0) present++;
        if (length > most) most = length;
      }
    }
    return (most * present) / this.estCount;
  }

  /** New limits, for the one estimator at most that stays where it is meanwhile. */
  relimit(limits: EstLimits): void {
    this.limits = limits;
    for (let row = 0; row < IPVS_EST_NTICKS; row++) {
      if (this.tickLen[row]! < limits.tickMax) this.avail.set(row);
      else this.avail.clear(row);
      this.ticks[row]?.chains.forEach((chain, cid) => {
        if (chain.length < limits.chainMax) this.ticks[row]!.full.clear(cid);
        else this.ticks[row]!.full.set(cid);
      });
    }
  }

  /** Throws when anything of the above does not hold; walks over all rows and chains. */
  check(): void {
    const { limits } = this;
    let count = 0;
    for (let row = 0; row < IPVS_EST_NTICKS; row++) {
      const tick = this.ticks[row];
      const length = this.tickLen[row]!;
      let sum = 0;
      tick?.chains.forEach((chain, cid) => {
        sum += chain.length;
        invariant(chain.length <= limits.chainMax, `ipvs: a chain of ${chain.length}, above ${limits.chainMax}`);
        invariant(tick.present.has(cid) === chain.length > 0, 'ipvs: present does not tell which chains are empty');
        invariant(
          tick.full.has(cid) === (chain.length === limits.chainMax),
          'ipvs: full does not tell which chains are',
        );
      });
      invariant(sum === length, `ipvs: row ${row} has ${sum} estimators and counts ${length}`);
      invariant((tick !== undefined) === length > 0, 'ipvs: a tick is there exactly while its row has estimators');
      invariant(this.avail.has(row) === length < limits.tickMax, 'ipvs: avail does not tell which rows have room');
      count += sum;
    }
    invariant(count === this.estCount && count <= limits.maxCount, `ipvs: kthread ${this.id} counts ${this.estCount}`);
  }
}
