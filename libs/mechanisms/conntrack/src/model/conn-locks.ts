// The lock of every connection (conn->lock, an adaptive mutex). A mutex exists here only while somebody has it or wants it,
// so a million connections need none; a section that takes no time of its own is only counted, once nobody holds it.
import { invariant, type Machine, UserMutex, type UserMutexCosts } from '@kworkbench/machine';

interface Held {
  readonly mutex: UserMutex;
  users: number;
}

export class ConnLocks {
  acquisitions = 0;
  private readonly held = new Map<number, Held>();
  private readonly pool: Held[] = [];

  constructor(
    private readonly machine: Machine,
    private readonly costs: UserMutexCosts,
  ) {}

  /** Announces that the current task wants the lock: from then on it calls `acquire()` of the mutex until that is 0. */
  enter(conn: number): UserMutex {
    let held = this.held.get(conn);
    if (held === undefined) {
      held = this.pool.pop() ?? { mutex: new UserMutex(this.machine, 'conn->lock', this.costs), users: 0 };
      this.held.set(conn, held);
    }
    held.users++;
    this.acquisitions++;
    return held.mutex;
  }

  /** @returns ns of the system call, as {@link UserMutex.unlock}. */
  leave(conn: number): number {
    const held = this.held.get(conn)!;
    const ns = held.mutex.unlock();
    if (--held.users === 0) {
      this.held.delete(conn);
      this.pool.push(held);
    }
    return ns;
  }

  isHeld(conn: number): boolean {
    return this.held.size > 0 && this.held.has(conn);
  }

  /** A section within the current burst; only when {@link isHeld} is false. */
  pass(conn: number): void {
    invariant(!this.isHeld(conn), 'conn->lock: taken while another has it');
    this.acquisitions++;
  }
}
