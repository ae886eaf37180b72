// A ct_clean that somebody brought along (`kwb run --variant FILE`), and what it may use: the expiration lists, the locks and
// the removal. What would break the table is checked while it runs: a removal without the lock or of what has not expired, a
// walk over lists that need the lock without it, a look at what has been freed, a lock that is kept while it sleeps.
//
// Time cannot be left out: what looks at connections costs is added to the next `yield`, and many looks in one instant end
// the cell.
import { invariant, type UserMutex } from '@kworkbench/machine';
import type { Steps } from '@kworkbench/mechanism';
import { ideas } from '../idea.js';
import { ConnState } from './conns.js';
import { CtClean, type CleanerOptions } from './ct-clean.js';

/** A connection. Good until the round ends: then it may be freed. */
export type BroughtConn = number;

/** conntrack as a design of ct_clean sees it. */
export interface CtCleanKernel {
  /** Expiration lists: 100 (`rculists`), one per kind of timeout (`lists`), one per bucket (`buckets`). */
  readonly lists: number;
  /** Connections in the table, and the most that it takes. */
  readonly connections: number;
  readonly connLimit: number;
  /** Virtual time, ns. */
  readonly nowNs: number;
  /** The first of a list, -1 when it is empty. With `lists` only while the lock is held. */
  first(list: number): BroughtConn;
  /** The next one of the same list, -1 at its end; also of one that has been removed in this round. */
  next(conn: BroughtConn): BroughtConn;
  /** Whether it has expired and nobody has removed it. At most 256 looks between two `yield`s; they cost CPU time there. */
  isExpired(conn: BroughtConn): boolean;
  /** ct_lock, or the lock of the bucket with `buckets`. */
  lock(list: number): Steps;
  unlock(list: number): void;
  /** conn_clean(): out of the table and off its list; the lock is held. @returns false when somebody else has removed it. */
  remove(conn: BroughtConn): Steps<boolean>;
}

export interface CtCleanDesign {
  /** One round. @returns ns to sleep until the next one begins, at least 1,000. */
  round(): Steps<number>;
}

const LOOKS_AT_ONCE = 256;
/** A look at the head of a list. */
const HEAD_NS = 10;
const LEAST_SLEEP_NS = 1_000;

export class BroughtClean extends CtClean {
  private readonly design: CtCleanDesign;
  private steps: Steps<number> | undefined = undefined;
  private held: UserMutex | undefined = undefined;
  private looks = 0;
  /** What the kernel yields is for the machine, not a time of the design. */
  private inKernel = false;

  constructor(options: CleanerOptions) {
    super(options);
    const { ct } = this;
    const idea = ideas.of(ct.kernel);
    invariant(idea !== undefined, 'ct_clean: no design was brought');
    this.design = idea.ctClean({
      lists: ct.lists.count,
      connLimit: ct.kernel.connLimit,
      get connections() {
        return ct.count;
      },
      get nowNs() {
        return ct.machine.nowNs;
      },
      first: (list) => this.firstOf(list),
      next: (conn) => this.nextOf(conn),
      isExpired: (conn) => this.isExpired(conn),
      lock: (list) => this.lock(list),
      unlock: (list) => this.unlock(list),
      remove: (conn) => this.remove(conn),
    });
  }

  protected work(): number {
    this.steps ??= this.design.round();
    const step = this.steps.next();
    this.looks = 0;
    if (step.done !== true) {
      if (this.inKernel) return step.value;
      invariant(step.value >= 0 && step.value < Infinity, `ct_clean: ${step.value} ns of CPU time`);
      return this.burst(step.value);
    }
    invariant(this.held === undefined, 'ct_clean: a lock is held at the end of a round');
    const sleepNs = step.value;
    const sleeps = sleepNs >= LEAST_SLEEP_NS && sleepNs < Infinity;
    invariant(sleeps, `ct_clean: a sleep of ${sleepNs} ns, of at least ${LEAST_SLEEP_NS}`);
    this.steps = undefined;
    return this.sleepUntil(this.ct.machine.nowNs + Math.round(sleepNs));
  }

  private firstOf(list: number): BroughtConn {
    const { lists } = this.ct;
    const conn = lists.first[list];
    if (conn === undefined) throw new RangeError(`no list ${list}: expected 0 to ${lists.count - 1}`);
    this.mayWalk();
    this.debtNs += HEAD_NS;
    return conn;
  }

  private nextOf(conn: BroughtConn): BroughtConn {
    this.mayWalk();
    this.mustBeThere(conn);
    return this.ct.conns.next[conn]!;
  }

  private isExpired(conn: BroughtConn): boolean {
    const { ct } = this;
    this.mustBeThere(conn);
    invariant(++this.looks <= LOOKS_AT_ONCE, `ct_clean: more than ${LOOKS_AT_ONCE} looks without a yield`);
    this.visited++;
    this.debtNs += ct.costs.sweepVisitNs + ct.lines.read(ct.conns.line[conn]!, ct.machine.current.cpu.index);
    return ct.conns.isLive(conn) && ct.isExpired(conn);
  }

  private mayWalk(): void {
    const free = this.ct.kernel.expiration !== 'lists' || this.held !== undefined;
    invariant(free, 'ct_clean: a walk over a list that packets change, without ct_lock');
  }

  private mustBeThere(conn: BroughtConn): void {
    const there = this.ct.conns.state[conn] !== undefined && this.ct.conns.state[conn] !== ConnState.Free;
    invariant(there, 'P4: ct_clean looks at a connection that has been freed');
  }

  private lockOf(list: number): UserMutex {
    const { locks, kernel } = this.ct;
    return locks[kernel.expiration === 'buckets' ? list : 0]!;
  }

  private *lock(list: number): Steps {
    invariant(this.held === undefined, 'ct_clean: a second lock');
    const lock = this.lockOf(list);
    yield* this.take(() => lock.acquire());
    this.held = lock;
  }

  /** Pays what is owed, then waits for a lock. */
  private *take(acquire: () => number): Steps {
    if (this.debtNs > 0) yield 0;
    this.inKernel = true;
    for (let wait; (wait = acquire()) !== 0;) yield wait;
    this.inKernel = false;
  }

  private unlock(list: number): void {
    invariant(this.held !== undefined && this.held === this.lockOf(list), 'ct_clean: an unlock of what is not held');
    this.debtNs += this.held.unlock();
    this.held = undefined;
  }

  private *remove(conn: BroughtConn): Steps<boolean> {
    const { ct } = this;
    const { conns } = ct;
    this.mustBeThere(conn);
    const lock = ct.locks[ct.bucketOf(conns.key[conn]!, conns.zone[conn]!)]!;
    invariant(this.held === lock, 'P2: ct_clean removes a connection without its lock');
    yield ct.costs.cleanNs;
    if (ct.kernel.expiration === 'lists') yield* this.take(() => this.connLock(conn));
    if (!conns.isLive(conn)) return false;
    invariant(ct.isExpired(conn), 'P3: ct_clean removes a connection that has not expired');
    ct.clean(conn);
    this.removed++;
    return true;
  }
}
