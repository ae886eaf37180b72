// ct_clean since 3.0: a sweep over all lists without a lock; a removal takes ct_lock (or the lock of its bucket) for itself.
// Looks at every connection; a round ends after the list in which it has seen a 64th of the limit.
import { CtClean, type CleanerOptions } from './ct-clean.js';

/** Live connections looked at in one burst. */
const CHUNK = 64;

const enum At {
  Walk,
  Lock,
  Removed,
}

export class CleanSweep extends CtClean {
  private at: At = At.Walk;
  /** ct->next_sweep */
  private list = 0;
  private conn = -1;
  /** Of it, as read when it was found to have expired. */
  private expirationNs = 0;
  private within = false;
  private readonly budget: number;

  constructor(options: CleanerOptions) {
    super(options);
    this.budget = Math.max(1, Math.floor(this.ct.kernel.connLimit / 64));
  }

  protected work(): number {
    const { ct } = this;
    switch (this.at) {
      case At.Walk:
        return this.walk();
      case At.Lock: {
        const wait = this.lock().acquire();
        if (wait !== 0) return wait;
        this.at = At.Removed;
        return this.burst(ct.costs.cleanNs);
      }
      case At.Removed: {
        const next = ct.conns.next[this.conn]!;
        const lock = this.lock();
        if (ct.conns.isLive(this.conn)) {
          ct.cleanExpired(this.conn, this.expirationNs);
          this.removed++;
        }
        this.debtNs += lock.unlock();
        this.conn = next;
        this.at = At.Walk;
        return 0;
      }
    }
  }

  private lock() {
    const { ct, conn } = this;
    return ct.locks[ct.bucketOf(ct.conns.key[conn]!, ct.conns.zone[conn]!)]!;
  }

  private walk(): number {
    const { ct } = this;
    const { conns, lists } = ct;
    if (this.list === lists.count) return this.end(0, false);
    if (!this.within) {
      this.conn = lists.first[this.list]!;
      this.within = true;
    }
    const cpu = ct.machine.current.cpu.index;
    let ns = 0;
    for (let seen = 0; seen < CHUNK && this.conn >= 0; seen++) {
      this.visited++;
      ns += ct.costs.sweepVisitNs + ct.lines.read(conns.line[this.conn]!, cpu);
      if (conns.isLive(this.conn) && ct.isExpired(this.conn)) {
        this.expirationNs = conns.expirationNs[this.conn]!;
        this.at = At.Lock;
        return this.burst(ns);
      }
      this.conn = conns.next[this.conn]!;
    }
    if (this.conn < 0) return this.endOfList(ns);
    return this.burst(ns);
  }

  private endOfList(ns: number): number {
    this.within = false;
    this.debtNs += ns;
    if (this.visited > this.budget) {
      const next = this.ct.kernel.sweepCursorBug ? this.list : this.list + 1;
      return this.end(next === this.ct.lists.count ? 0 : next, true);
    }
    this.list++;
    return this.debtNs > 0 ? this.burst(0) : 0;
  }

  private end(next: number, budgetUsed: boolean): number {
    this.list = next;
    return this.roundOver(budgetUsed);
  }
}
