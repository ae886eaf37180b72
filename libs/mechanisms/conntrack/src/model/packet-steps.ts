// What the steps of a packet thread have in common: the packet that it is at, bursts, and the locks on its way.
//
// A step acts at one instant and returns what the thread yields, or 0 when it goes on at once in the state that it has set.
// Bursts end wherever another thread could see or change something shared.
import { type RandomStream, Routine, type UserMutex } from '@kworkbench/machine';
import type { Histogram } from '@kworkbench/telemetry';
import { Conntrack } from './conntrack.js';
import type { NatPorts } from './nat-ports.js';
import type { Traffic } from './traffic.js';

export const enum At {
  Batch,
  Arrived,
  Packet,
  Batched,
  Lookup,
  /** The tuple is known. */
  Test,
  State,
  PolicyLock,
  PolicyHold,
  PolicyEnd,
  Log,
  MoveLock,
  MoveHold,
  MoveEnd,
  Caller,
  /** The tuple is new. */
  Miss,
  CreateLock,
  TableLock,
  /** No port is free, which is known only at the end of the search. */
  Refused,
  Create,
  QueueInsert,
  QueueLink,
  Metadata,
  End,
}

export interface PacketThreadOptions {
  readonly ct: Conntrack;
  readonly traffic: Traffic;
  readonly random: RandomStream;
  readonly latencyNs: Histogram;
  /** Latency counts from the arrival; otherwise from when the packet's turn comes. */
  readonly paced: boolean;
  readonly nat: NatPorts | undefined;
  /** Whether nobody else uses conntrack for so many ns. */
  readonly alone: (forNs: number) => boolean;
  readonly ended: () => void;
}

export abstract class PacketSteps extends Routine {
  packets = 0;
  protected at: At = At.Batch;
  protected readonly ct: Conntrack;
  protected readonly traffic: Traffic;
  protected readonly lists: boolean;
  protected readonly queues: boolean;
  /** Where it runs now. */
  protected cpu = 0;
  /** Packets of the batch, and which one it is at. */
  protected count = 0;
  protected index = 0;
  protected startNs = 0;
  /** Of the present packet, or of the last one. */
  protected conn = -1;
  protected bucket = 0;
  protected lock: UserMutex;
  /** System calls, to be paid with the next burst. */
  protected debtNs = 0;
  /** A lock of a connection that is waited for. */
  private waiting: UserMutex | undefined = undefined;

  constructor(protected readonly options: PacketThreadOptions) {
    super();
    const { ct, traffic } = options;
    this.ct = ct;
    this.traffic = traffic;
    this.lists = ct.kernel.expiration === 'lists';
    this.queues = ct.kernel.expiration === 'queues';
    this.lock = ct.locks[0]!;
  }

  protected burst(then: At, ns: number): number {
    this.at = then;
    // Rounded, as the scheduler would do: what is returned with a fraction takes memory.
    const allNs = Math.round(ns + this.debtNs);
    this.debtNs = 0;
    return allNs < 1 ? 1 : allNs;
  }

  protected privateNs(): number {
    const { privateNs, jitterRatio, pairNs } = this.ct.costs;
    const work = privateNs * (1 + jitterRatio * (2 * this.options.random.uniform() - 1));
    return work + (this.lists ? 1.5 : 1) * pairNs;
  }

  /** The connection of the packet's tuple, or -1. Threads meet one flow many times: the last one is looked at first. */
  protected find(): number {
    const { ct, conn, traffic } = this;
    return conn >= 0 && ct.isFound(conn, traffic.key, traffic.zone) ? conn : ct.find(traffic.key, traffic.zone);
  }

  protected connWrite(conn: number): number {
    const { ct } = this;
    return ct.lines.write(ct.conns.line[conn]!, this.cpu);
  }

  protected acquire(then: At): number {
    const wait = this.lock.acquire();
    if (wait === 0) this.at = then;
    return wait;
  }

  /** Takes conn->lock, to be given back with {@link endSection}. */
  protected hold(): number {
    this.waiting ??= this.ct.connLocks.enter(this.conn);
    const wait = this.waiting.acquire();
    if (wait === 0) this.waiting = undefined;
    return wait;
  }

  /** Gives back conn->lock and ct_lock. */
  protected endSection(): void {
    this.debtNs += this.ct.connLocks.leave(this.conn) + this.lock.unlock();
  }

  /** A section of conn->lock that takes no time of its own. */
  protected touch(then: At): number {
    const { connLocks } = this.ct;
    if (this.waiting === undefined && connLocks.canPass(this.conn)) {
      connLocks.pass(this.conn);
      this.at = then;
      return 0;
    }
    const wait = this.hold();
    if (wait !== 0) return wait;
    this.debtNs += connLocks.leave(this.conn);
    this.at = then;
    return 0;
  }
}
