// The ct_clean thread: rounds of removals, and the sleep between them. What a round does is the design's; see the three
// subclasses. A round ends early when its budget is used up, and the next one comes soon.
import { invariant, PARK, Routine, type Task, type UserMutex } from '@kworkbench/machine';
import type { Conntrack } from './conntrack.js';

/** Between two rounds when the budget was used up, counted from the begin of the first. */
const HURRY_NS = 200e6;
const SLEEP_NS = { lists: 5e9, queues: 5e9, rculists: 20e9, buckets: 20e9 } as const;

export interface RoundRecord {
  readonly startNs: number;
  readonly endNs: number;
  readonly removed: number;
  readonly visited: number;
  readonly requeued: number;
  /** The sleep that it chose. */
  readonly sleepNs: number;
}

export interface CleanerOptions {
  readonly ct: Conntrack;
  readonly roundDone: (round: RoundRecord) => void;
}

export abstract class CtClean extends Routine {
  rounds = 0;
  roundMaxNs = 0;
  /** When the next round begins; 0 while one is under way. */
  wakeNs = 0;
  protected readonly ct: Conntrack;
  protected removed = 0;
  protected visited = 0;
  protected requeued = 0;
  protected debtNs = 0;
  private startNs = 0;
  private asleep = true;
  private ended = false;
  private task: Task | undefined = undefined;
  /** A lock of a connection that is waited for. */
  private waiting: UserMutex | undefined = undefined;
  private readonly rcuThread: number;

  constructor(private readonly options: CleanerOptions) {
    super();
    this.ct = options.ct;
    this.rcuThread = options.ct.rcu.register();
  }

  /** Ends the sleep, and the thread after the round that it is in. */
  stop(): void {
    this.ended = true;
  }

  /** One step of a round: what to yield; 0 to be called again; {@link roundOver} at its end. */
  protected abstract work(): number;

  protected step(): number {
    const { ct } = this;
    const { machine } = ct;
    for (;;) {
      if (this.asleep) {
        this.task ??= machine.current;
        if (this.ended) return PARK;
        if (machine.nowNs < this.wakeNs) return machine.sleep(this.wakeNs - machine.nowNs);
        this.begin();
      }
      const ns = this.work();
      if (this.asleep) continue;
      if (ns !== 0) return ns;
    }
  }

  protected roundOver(budgetUsed: boolean): 0 {
    const { ct } = this;
    const { nowNs } = ct.machine;
    const { expiration, sweepIntervalSeconds } = ct.kernel;
    const ownNs = sweepIntervalSeconds > 0 ? sweepIntervalSeconds * 1e9 : SLEEP_NS[expiration];
    return this.sleepUntil(budgetUsed ? Math.max(nowNs, this.startNs + HURRY_NS) : nowNs + ownNs);
  }

  /** Ends the round. */
  protected sleepUntil(wakeNs: number): 0 {
    const { ct } = this;
    const { nowNs } = ct.machine;
    invariant(
      ct.locks.every(({ owner }) => owner === undefined || owner !== this.task),
      'P5: ct_clean sleeps with a lock',
    );
    this.wakeNs = wakeNs;
    this.asleep = true;
    this.rounds++;
    this.roundMaxNs = Math.max(this.roundMaxNs, nowNs - this.startNs);
    const { removed, visited, requeued, startNs } = this;
    this.options.roundDone({ startNs, endNs: nowNs, removed, visited, requeued, sleepNs: this.wakeNs - nowNs });
    ct.rcu.sleep(this.rcuThread);
    return 0;
  }

  /** Takes conn->lock for a moment: ns to yield until that is 0. */
  protected connLock(conn: number): number {
    const { connLocks } = this.ct;
    if (this.waiting === undefined && connLocks.canPass(conn)) {
      connLocks.pass(conn);
      return 0;
    }
    const wait = this.holdConn(conn);
    if (wait === 0) this.debtNs += connLocks.leave(conn);
    return wait;
  }

  /** Takes conn->lock, to be given back with `leave`: ns to yield until that is 0. */
  protected holdConn(conn: number): number {
    this.waiting ??= this.ct.connLocks.enter(conn);
    const wait = this.waiting.acquire();
    if (wait === 0) this.waiting = undefined;
    return wait;
  }

  protected burst(ns: number): number {
    const allNs = ns + this.debtNs;
    this.debtNs = 0;
    return Math.max(1, allNs);
  }

  private begin(): void {
    this.asleep = false;
    this.startNs = this.ct.machine.nowNs;
    this.wakeNs = 0;
    this.removed = this.visited = this.requeued = 0;
    this.ct.rcu.wake(this.rcuThread);
  }
}
