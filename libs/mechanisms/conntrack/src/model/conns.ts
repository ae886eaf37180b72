// All connections, column by column: a million of them take no object each. A slot is used again after its connection has
// been freed, which is a grace period after it was taken out of the table.
import { type CacheLines, invariant } from '@kworkbench/machine';

const INITIAL = 256;

export const enum ConnState {
  Free,
  /** In the table, or about to be. */
  Live,
  /** Out of the table (conn->cleaned, conn->reclaimed), not yet freed. */
  Cleaned,
}

export class Conns {
  key = new Int32Array(INITIAL);
  zone = new Int32Array(INITIAL);
  /** When it expires, ns; 0 was set by force. */
  expirationNs = new Float64Array(INITIAL);
  /** The expiration list or queue that it belongs to. */
  tm = new Uint8Array(INITIAL);
  state = new Uint8Array(INITIAL);
  /** v3: an update since the cleaner looked at it last. */
  reschedule = new Uint8Array(INITIAL);
  /** v3: one for the table and one for the queue that it is in. */
  refs = new Uint8Array(INITIAL);
  /** Which RCU list it is on. */
  list = new Uint8Array(INITIAL);
  /** The mutex that is its lock while somebody has that or wants it; 0: nobody does. */
  lock = new Int32Array(INITIAL);
  /** Its cache line, which holds its lock. */
  line = new Int32Array(INITIAL);
  next: Int32Array;
  previous: Int32Array;
  allocated = 0;
  freedTotal = 0;
  allocatedTotal = 0;
  private free = new Int32Array(INITIAL);
  private freeCount = 0;
  private made = 0;

  /** @param stubs nodes beyond the connections, for the queues: their numbers are 0 up to `stubs`. */
  constructor(
    private readonly lines: CacheLines,
    stubs: number,
  ) {
    this.next = new Int32Array(INITIAL).fill(-1);
    this.previous = new Int32Array(INITIAL).fill(-1);
    this.made = stubs;
  }

  get slots(): number {
    return this.made;
  }

  add(key: number, zone: number): number {
    let conn: number;
    if (this.freeCount > 0) conn = this.free[--this.freeCount]!;
    else {
      if (this.made === this.key.length) this.grow();
      conn = this.made++;
      this.line[conn] = this.lines.add();
    }
    this.key[conn] = key;
    this.zone[conn] = zone;
    this.expirationNs[conn] = Infinity;
    this.state[conn] = ConnState.Live;
    this.reschedule[conn] = 0;
    this.refs[conn] = 1;
    this.allocated++;
    this.allocatedTotal++;
    return conn;
  }

  /** delete_conn(): nobody may have a pointer to it any more. */
  remove(conn: number): void {
    invariant(this.state[conn] === ConnState.Cleaned, 'P4: a connection is freed twice, or while in the table');
    invariant(this.lock[conn] === 0, 'P4: a connection is freed while its lock is held');
    this.state[conn] = ConnState.Free;
    this.freedTotal++;
    this.allocated--;
    if (this.freeCount === this.free.length) this.free = grownInt(this.free);
    this.free[this.freeCount++] = conn;
  }

  /** Who has a pointer to it may use it up to the end of its grace period. */
  mustExist(conn: number): void {
    invariant(this.state[conn] !== ConnState.Free, 'P4: a connection is used after its grace period');
  }

  isLive(conn: number): boolean {
    return this.state[conn] === ConnState.Live;
  }

  private grow(): void {
    this.key = grownInt(this.key);
    this.zone = grownInt(this.zone);
    this.line = grownInt(this.line);
    this.lock = grownInt(this.lock);
    this.next = grownInt(this.next);
    this.previous = grownInt(this.previous);
    this.tm = grownByte(this.tm);
    this.state = grownByte(this.state);
    this.reschedule = grownByte(this.reschedule);
    this.refs = grownByte(this.refs);
    this.list = grownByte(this.list);
    const expiration = new Float64Array(this.expirationNs.length * 2);
    expiration.set(this.expirationNs);
    this.expirationNs = expiration;
  }
}

function grownInt(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

function grownByte(array: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(array.length * 2);
  larger.set(array);
  return larger;
}
