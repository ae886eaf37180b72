// The lock of every connection (conn->lock, an adaptive mutex). A mutex exists here only while somebody has it or wants it,
// so a million connections need none; a section that takes no time of its own is only counted, once nobody holds it.
import { invariant, type Machine, UserMutex, type UserMutexCosts } from '@kworkbench/machine';
import type { Conns } from './conns.js';

interface Held {
  readonly mutex: UserMutex;
  /** Its place in the pool, from 1. */
  readonly number: number;
  users: number;
}

export class ConnLocks {
  acquisitions = 0;
  private readonly all: Held[] = [];
  private readonly free: Held[] = [];

  constructor(
    private readonly machine: Machine,
    private readonly costs: UserMutexCosts,
    private readonly conns: Conns,
    /** Lockdep looks on: every section takes its mutex. */
    private readonly proving: boolean,
  ) {}

  /** Announces that the current task wants the lock: from then on it calls `acquire()` of the mutex until that is 0. */
  enter(conn: number): UserMutex {
    const { lock } = this.conns;
    const number = lock[conn]!;
    const held = number > 0 ? this.all[number - 1]! : (this.free.pop() ?? this.make());
    lock[conn] = held.number;
    held.users++;
    this.acquisitions++;
    return held.mutex;
  }

  /** @returns ns of the system call, as {@link UserMutex.unlock}. */
  leave(conn: number): number {
    const { lock } = this.conns;
    const held = this.all[lock[conn]! - 1]!;
    const ns = held.mutex.unlock();
    if (--held.users === 0) {
      lock[conn] = 0;
      this.free.push(held);
    }
    return ns;
  }

  /** Nobody has it or wants it, so a section that takes no time of its own need not take it. */
  canPass(conn: number): boolean {
    return this.conns.lock[conn] === 0 && !this.proving;
  }

  /** A section within the current burst; only when {@link canPass} is true. */
  pass(conn: number): void {
    invariant(this.conns.lock[conn] === 0, 'conn->lock: taken while another has it');
    this.acquisitions++;
  }

  private make(): Held {
    const mutex = new UserMutex(this.machine, 'conn->lock', this.costs);
    const held = { mutex, number: this.all.length + 1, users: 0 };
    this.all.push(held);
    return held;
  }
}
