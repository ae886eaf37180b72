// struct conntrack: the table, what expires, zones and policies, and the lock, in the layout of the sources. The bytes of
// ct_lock and of the pointer to the table are one cache line, which every lookup reads and every acquisition writes.
//
// Order of locks: ct_lock, then conn->lock, before the series; the other way round in it. Functions here act at one
// instant; who calls them holds the locks and takes the time.
//
// P1: conns in the table = inserted - removed = entries of the cmap; a zone counts those that were admitted under it.
// P2: a connection leaves the table once. P3: it is removed as expired only when it is.
import { CacheLine, CacheLines, invariant, type Machine, UserMutex } from '@kworkbench/machine';
import type { ConntrackKernel } from '../kernel.js';
import { Cmap, mix } from './cmap.js';
import { ConnLocks } from './conn-locks.js';
import { Conns, ConnState } from './conns.js';
import type { CtCosts } from './costs.js';
import { ExpirationLists } from './expiration-lists.js';
import { LockWatch } from './lock-watch.js';
import { MpscQueue } from './mpsc-queue.js';
import { OvsRcu } from './ovs-rcu.js';
import { TimeoutPolicies, TM_COUNT, type Tm } from './timeouts.js';

/** N_EXP_LISTS of 3.0. */
const RCU_LISTS = 100;
/** sizeof(struct conn), and of an entry of the queues where there are any. */
const CONN_BYTES = { lists: 288, queues: 304, rculists: 296, buckets: 296 } as const;

export interface ConntrackOptions {
  readonly machine: Machine;
  readonly lines: CacheLines;
  readonly kernel: ConntrackKernel;
  readonly costs: CtCosts;
  readonly timeoutSeconds: number;
  readonly zones: number;
}

export class Conntrack {
  readonly machine: Machine;
  readonly lines: CacheLines;
  readonly kernel: ConntrackKernel;
  readonly costs: CtCosts;
  readonly conns: Conns;
  readonly connLocks: ConnLocks;
  readonly rcu: OvsRcu;
  readonly policies: TimeoutPolicies;
  readonly watch: LockWatch;
  /** Called when a connection has left the table. */
  onClean: ((conn: number) => void) | undefined = undefined;
  /** ct_lock, or the locks of the buckets; each with the line that it shares with a table pointer. */
  readonly locks: readonly UserMutex[];
  readonly lockLines: readonly CacheLine[];
  readonly tables: readonly Cmap[];
  /** Head of the lists or queues. */
  readonly headLine: CacheLine;
  readonly lists: ExpirationLists;
  readonly queues: readonly MpscQueue[] = [];
  readonly zoneCount: Int32Array;
  readonly zoneLimit: Int32Array;
  count = 0;
  countMax = 0;
  bytesMax = 0;
  inserted = 0;
  removed = 0;
  duplicates = 0;
  dropsFull = 0;
  dropsZone = 0;
  dropsNat = 0;
  private nextList = 0;
  private readonly matchKey = { key: 0, zone: 0, nowNs: 0 };
  private readonly isMatch: (conn: number) => boolean;
  private readonly isExpiredMatch: (conn: number) => boolean;

  constructor(options: ConntrackOptions) {
    const { machine, lines, kernel, costs } = options;
    this.machine = machine;
    this.lines = lines;
    this.kernel = kernel;
    this.costs = costs;
    const queues = kernel.expiration === 'queues' ? TM_COUNT : 0;
    const conns = new Conns(lines, queues);
    this.conns = conns;
    this.connLocks = new ConnLocks(machine, costs.mutex, conns, kernel.proveLocking);
    this.rcu = new OvsRcu({ machine, freeNs: costs.freeNs, free: (conn) => conns.remove(conn) });
    this.policies = new TimeoutPolicies(options.timeoutSeconds);
    this.watch = new LockWatch(machine);
    const count = kernel.expiration === 'buckets' ? kernel.buckets : 1;
    this.lockLines = Array.from({ length: count }, () => lines.line());
    this.locks = this.lockLines.map((line, i) => {
      const name = count === 1 ? 'ct_lock' : `bucket lock ${i}`;
      return new UserMutex(machine, name, costs.mutex, { line, probe: this.watch });
    });
    this.tables = this.locks.map(() => new Cmap());
    this.headLine = lines.line();
    const listCount = { lists: TM_COUNT, queues: 0, rculists: RCU_LISTS, buckets: count }[kernel.expiration];
    this.lists = new ExpirationLists(conns, listCount);
    this.queues = Array.from({ length: queues }, (_, i) => new MpscQueue(conns, i));
    this.zoneCount = new Int32Array(options.zones);
    this.zoneLimit = new Int32Array(options.zones).fill(2 ** 31 - 1);
    const wanted = this.matchKey;
    const isKey = (conn: number): boolean => conns.key[conn] === wanted.key && conns.zone[conn] === wanted.zone;
    this.isMatch = (conn) => isKey(conn) && conns.expirationNs[conn]! > wanted.nowNs;
    this.isExpiredMatch = (conn) => isKey(conn) && conns.expirationNs[conn]! <= wanted.nowNs;
  }

  /** Which lock and table a tuple belongs to. */
  bucketOf(key: number, zone: number): number {
    return this.tables.length === 1 ? 0 : hashOf(key, zone) % this.tables.length;
  }

  /** Whether {@link find} would come to this connection. */
  isFound(conn: number, key: number, zone: number): boolean {
    const { conns } = this;
    if (conns.key[conn] !== key || conns.zone[conn] !== zone || !conns.isLive(conn)) return false;
    return conns.expirationNs[conn]! > this.machine.nowNs && this.duplicates === 0;
  }

  /** conn_key_lookup(): the connection of the tuple that has not expired, or -1. */
  find(key: number, zone: number): number {
    return this.search(key, zone, this.isMatch);
  }

  /** One that has expired and is still there, or -1. */
  findExpired(key: number, zone: number): number {
    return this.search(key, zone, this.isExpiredMatch);
  }

  /** Why a new connection is refused, if it is; counted. */
  refused(zone: number): boolean {
    if (this.count >= this.kernel.connLimit) {
      this.dropsFull++;
      return true;
    }
    if (this.zoneCount[zone]! >= this.zoneLimit[zone]!) {
      this.dropsZone++;
      return true;
    }
    return false;
  }

  /** What a cmap insert would take over one in place: the growth of the table. */
  growthNs(bucket: number): number {
    const table = this.tables[bucket]!;
    return table.growsNext ? table.size * this.costs.rehashEntryNs : 0;
  }

  /** Puts a new connection into the table, and on its list where there are lists. */
  insert(key: number, zone: number, tm: Tm, nowNs: number): number {
    const { conns } = this;
    if (this.find(key, zone) >= 0) {
      this.duplicates++;
      invariant(this.kernel.duplicateInsertRace, `P2: tuple ${key} is in the table twice`);
    }
    const conn = conns.add(key, zone);
    conns.tm[conn] = tm;
    conns.expirationNs[conn] = nowNs + this.policies.timeoutNs(zone, tm);
    const bucket = this.bucketOf(key, zone);
    this.tables[bucket]!.insert(hashOf(key, zone), conn);
    this.zoneCount[zone]!++;
    this.count++;
    this.inserted++;
    if (this.count > this.countMax) this.countMax = this.count;
    if (this.bytes > this.bytesMax) this.bytesMax = this.bytes;
    if (this.kernel.expiration === 'queues') {
      // One for the table, and one for the queue that it is about to enter.
      conns.refs[conn] = 2;
      return conn;
    }
    const list = this.listFor(conn, bucket);
    if (this.kernel.expiration === 'lists') this.lists.pushBack(list, conn);
    else this.lists.pushFront(list, conn);
    return conn;
  }

  /** conn_clean(): out of the table and off its list; freed after a grace period, when no queue has it either. */
  clean(conn: number): void {
    const { conns } = this;
    invariant(conns.isLive(conn), 'P2: a connection is removed twice');
    conns.state[conn] = ConnState.Cleaned;
    const zone = conns.zone[conn]!;
    const key = conns.key[conn]!;
    this.tables[this.bucketOf(key, zone)]!.remove(hashOf(key, zone), conn);
    invariant(--this.zoneCount[zone]! >= 0 && --this.count >= 0, 'P1: a count below 0');
    this.removed++;
    this.onClean?.(conn);
    if (this.kernel.expiration !== 'queues') this.lists.remove(this.listOf(conn), conn);
    this.unref(conn);
  }

  /**
   * conn_clean() of who found the connection expired.
   * @param expirationNs as it was read then; a packet that had it may have moved it since.
   */
  cleanExpired(conn: number, expirationNs: number): void {
    invariant(expirationNs <= this.machine.nowNs, 'P3: a connection is removed before it has expired');
    this.clean(conn);
  }

  unref(conn: number): void {
    const { conns } = this;
    invariant(conns.refs[conn]! > 0, 'P4: a reference too many is dropped');
    if (--conns.refs[conn]! === 0) this.rcu.postpone(conn);
  }

  /** ct_clean's look at the clock. */
  isExpired(conn: number): boolean {
    return this.conns.expirationNs[conn]! <= this.machine.nowNs;
  }

  get bytes(): number {
    let bytes = this.conns.allocated * CONN_BYTES[this.kernel.expiration];
    for (const table of this.tables) bytes += table.bytes;
    return bytes;
  }

  /** Connections that have expired and are in the table. Looks at all of them: for samples. */
  expiredBacklog(nowNs: number): { count: number; oldestNs: number } {
    const { state, expirationNs, slots } = this.conns;
    let count = 0;
    let oldestNs = 0;
    for (let conn = this.queues.length; conn < slots; conn++) {
      if (state[conn] !== ConnState.Live || expirationNs[conn]! > nowNs) continue;
      count++;
      // By force is not by age.
      if (expirationNs[conn]! > 0) oldestNs = Math.max(oldestNs, nowNs - expirationNs[conn]!);
    }
    return { count, oldestNs };
  }

  /** P1 at rest. */
  check(): void {
    invariant(this.count === this.inserted - this.removed, 'P1: inserted less removed is not what there is');
    const entries = this.tables.reduce((sum, table) => sum + table.size, 0);
    invariant(entries === this.count, `P1: ${entries} in the table, ${this.count} counted`);
    const zoned = this.zoneCount.reduce((sum, count) => sum + count, 0);
    invariant(zoned === this.count, 'P1: zones count others than the table');
    const { allocated, allocatedTotal, freedTotal } = this.conns;
    invariant(allocatedTotal - freedTotal === allocated, 'P4: freed is not what was removed');
  }

  private search(key: number, zone: number, accept: (conn: number) => boolean): number {
    const wanted = this.matchKey;
    wanted.key = key;
    wanted.zone = zone;
    wanted.nowNs = this.machine.nowNs;
    return this.tables[this.bucketOf(key, zone)]!.find(hashOf(key, zone), accept);
  }

  /** Where a new connection goes; RCU lists take turns. */
  private listFor(conn: number, bucket: number): number {
    if (this.kernel.expiration === 'lists') return this.conns.tm[conn]!;
    if (this.kernel.expiration === 'buckets') return bucket;
    const list = this.nextList;
    this.nextList = (list + 1) % RCU_LISTS;
    this.conns.list[conn] = list;
    return list;
  }

  private listOf(conn: number): number {
    if (this.kernel.expiration === 'lists') return this.conns.tm[conn]!;
    if (this.kernel.expiration === 'rculists') return this.conns.list[conn]!;
    return this.bucketOf(this.conns.key[conn]!, this.conns.zone[conn]!);
  }
}

export function hashOf(key: number, zone: number): number {
  return mix(key ^ Math.imul(zone, 0x9e3779b1));
}
