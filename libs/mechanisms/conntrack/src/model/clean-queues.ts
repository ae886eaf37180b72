// ct_clean in the series: it owns the consumer side of all queues. A live connection that was used since goes to the back of
// the queue of its kind, one that was not stays in front and ends the queue for this round; an expired one is removed under
// conn->lock and, for the table alone, ct_lock. At most a tenth of the limit in a round.
import { ConnState } from './conns.js';
import { CtClean, type CleanerOptions } from './ct-clean.js';
import { MPSC_EMPTY, MPSC_RETRY } from './mpsc-queue.js';

/** cpu_relax() while a producer is between its two steps. */
const RETRY_NS = 50;

const enum At {
  Queue,
  ConnLock,
  TableLock,
  Removed,
}

export class CleanQueues extends CtClean {
  private at: At = At.Queue;
  private queue = 0;
  private conn = -1;
  /** Of it, as read when it was found to have expired. */
  private expirationNs = 0;
  /** The first node that this round has put back: the round is through with the queue when it comes again. */
  private firstBack = -1;
  private readonly budget: number;

  constructor(options: CleanerOptions) {
    super(options);
    this.budget = Math.max(1, Math.floor(this.ct.kernel.connLimit / 10));
  }

  protected work(): number {
    const { ct } = this;
    switch (this.at) {
      case At.Queue:
        return this.poll();
      case At.ConnLock: {
        const wait = this.holdConn(this.conn);
        if (wait !== 0) return wait;
        this.at = At.TableLock;
        return 0;
      }
      case At.TableLock: {
        const wait = ct.locks[0]!.acquire();
        if (wait !== 0) return wait;
        this.at = At.Removed;
        return this.burst(ct.costs.cleanNs);
      }
      case At.Removed:
        // Unless conn_clean() of another came first (conn->reclaimed), which has dropped the table's reference.
        if (ct.conns.isLive(this.conn)) {
          ct.cleanExpired(this.conn, this.expirationNs);
          this.removed++;
        }
        this.debtNs += ct.locks[0]!.unlock() + ct.connLocks.leave(this.conn);
        ct.unref(this.conn);
        this.at = At.Queue;
        return this.burst(ct.costs.cleanQueueNs);
    }
  }

  private poll(): number {
    const { ct } = this;
    const { conns, queues } = ct;
    if (this.queue === queues.length) return this.end(false);
    const conn = queues[this.queue]!.poll();
    if (conn === MPSC_RETRY) return this.burst(RETRY_NS);
    if (conn === MPSC_EMPTY) return this.nextQueue();
    this.visited++;
    if (conns.state[conn] !== ConnState.Live) {
      ct.unref(conn);
      return this.burst(ct.costs.requeueNs);
    }
    if (conn === this.firstBack) return this.putFront(conn);
    if (this.visited > this.budget) {
      queues[this.queue]!.pushFront(conn);
      return this.end(true);
    }
    const lineNs = ct.lines.read(conns.line[conn]!, ct.machine.current.cpu.index);
    if (ct.isExpired(conn)) {
      this.conn = conn;
      this.expirationNs = conns.expirationNs[conn]!;
      this.at = At.ConnLock;
      return this.burst(lineNs + 1);
    }
    if (conns.reschedule[conn] === 0) return this.putFront(conn);
    return this.putBack(conn, lineNs);
  }

  private putBack(conn: number, lineNs: number): number {
    const { ct } = this;
    const { conns, queues } = ct;
    conns.reschedule[conn] = 0;
    if (this.firstBack < 0) this.firstBack = conn;
    this.requeued++;
    queues[conns.tm[conn]!]!.insert(conn);
    return this.burst(lineNs + ct.costs.requeueNs);
  }

  private putFront(conn: number): number {
    const { ct } = this;
    const to = ct.kernel.pushFrontToCurrentKind ? ct.conns.tm[conn]! : this.queue;
    ct.queues[to]!.pushFront(conn);
    return this.nextQueue();
  }

  private nextQueue(): number {
    this.queue++;
    this.firstBack = -1;
    return this.burst(this.ct.costs.requeueNs);
  }

  private end(budgetUsed: boolean): number {
    this.queue = 0;
    this.firstBack = -1;
    return this.roundOver(budgetUsed);
  }
}
