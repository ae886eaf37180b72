// ct_clean before the series: one hold of ct_lock over all lists, each from its head up to the first that has not expired;
// at most a tenth of the limit in a round. A list whose head is alive hides what has expired behind it.
import { CtClean, type CleanerOptions } from './ct-clean.js';
import { TM_COUNT } from './timeouts.js';

/** Removals in one burst; the lock is held all the time, so this only sets how fine the table is seen to shrink. */
const CHUNK = 64;
/** A look at the head of a list. */
const LOOK_NS = 10;

const enum At {
  Lock,
  Lists,
}

export class CleanLists extends CtClean {
  private at: At = At.Lock;
  private list = 0;
  private readonly budget: number;

  constructor(options: CleanerOptions) {
    super(options);
    this.budget = Math.max(1, Math.floor(this.ct.kernel.connLimit / 10));
  }

  protected work(): number {
    const { ct } = this;
    if (this.at === At.Lock) {
      const wait = ct.locks[0]!.acquire();
      if (wait !== 0) return wait;
      this.at = At.Lists;
      this.list = 0;
      return this.burst(ct.headLine.write(ct.machine.current.cpu.index) + 1);
    }
    if (this.list === TM_COUNT || this.removed >= this.budget) return this.unlock();
    return this.someOfList();
  }

  private someOfList(): number {
    const { ct } = this;
    const { first } = ct.lists;
    let ns = 0;
    for (let i = 0; i < CHUNK && this.removed < this.budget; i++) {
      const conn = first[this.list]!;
      if (conn < 0 || !ct.isExpired(conn)) {
        this.list++;
        return this.burst(ns + LOOK_NS);
      }
      if (ns > 0 && !ct.connLocks.canPass(conn)) return this.burst(ns);
      const wait = this.connLock(conn);
      if (wait !== 0) return wait;
      ct.cleanExpired(conn, ct.conns.expirationNs[conn]!);
      this.removed++;
      this.visited++;
      ns += ct.costs.cleanNs;
    }
    return this.burst(ns);
  }

  private unlock(): number {
    const { ct } = this;
    this.debtNs += ct.locks[0]!.unlock();
    this.at = At.Lock;
    // "Next expiry is past": the budget has left something.
    let left = false;
    for (let list = 0; list < TM_COUNT; list++) {
      const head = ct.lists.first[list]!;
      if (head >= 0 && ct.isExpired(head)) left = true;
    }
    return this.roundOver(left);
  }
}
