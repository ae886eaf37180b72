// A packet thread (PMD): takes what has arrived, up to a batch, and sends each packet through conntrack. A state machine
// without allocation, as the benchmark wants tens of millions of packets.
//
// Sections of conn->lock in the order of the sources before the series: 1 test of the expiration, 2 protocol state, 3 with
// ct_lock the policy, 4 the log test, 5 with ct_lock the list, 6 the caller again, 7 metadata. After: 1 state, 2 metadata.
//
// Bursts end wherever another thread could see or change something shared. A batch of packets of one connection is one
// burst when its lines are here and either no packet takes ct_lock or no other thread can run meanwhile (`alone`): then
// nothing that it leaves out can be seen. Every lock is taken all the same, so that acquisitions are counted, not known.
import { DONE, invariant, type RandomStream, Routine, SPIN, type Task, type UserMutex } from '@kworkbench/machine';
import type { Histogram } from '@kworkbench/telemetry';
import { Conntrack, hashOf } from './conntrack.js';
import type { NatPorts } from './nat-ports.js';
import type { Traffic } from './traffic.js';

const enum At {
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

export class PacketThread extends Routine {
  packets = 0;
  /** Time from its first packet to its last. */
  busyNs = 0;
  private at: At = At.Batch;
  private readonly ct: Conntrack;
  private readonly traffic: Traffic;
  private readonly lists: boolean;
  private readonly queues: boolean;
  private readonly rcuThread: number;
  private readonly waker: number;
  private task!: Task;
  private count = 0;
  private index = 0;
  private startNs = 0;
  private conn = -1;
  private lock: UserMutex;
  private bucket = 0;
  private port = -1;
  private queue = 0;
  private linkAfter = -1;
  /** A lock of a connection that is waited for. */
  private waiting: UserMutex | undefined;
  /** System calls, to be paid with the next burst. */
  private debtNs = 0;
  private readonly batchNs: Float64Array;
  private batchSumNs = 0;

  constructor(private readonly options: PacketThreadOptions) {
    super();
    const { ct, traffic } = options;
    this.ct = ct;
    this.traffic = traffic;
    this.lists = ct.kernel.expiration === 'lists';
    this.queues = ct.kernel.expiration === 'queues';
    this.lock = ct.locks[0]!;
    this.rcuThread = ct.rcu.register();
    this.batchNs = new Float64Array(traffic.arrivalNs.length);
    this.waker = ct.machine.addActor(() => ct.machine.scheduler.endSpin(this.task));
  }

  protected step(): number {
    for (;;) {
      const ns = this.go();
      if (ns !== 0) return ns;
    }
  }

  /** One state: what to yield, or 0. */
  private go(): number {
    const { ct } = this;
    const { costs } = ct;
    switch (this.at) {
      case At.Batch:
        return this.nextBatch();
      case At.Arrived:
        return this.arrived();
      case At.Packet:
        return this.nextPacket();
      case At.Batched:
        return this.endBatched();
      case At.Lookup:
        return this.lookup();
      case At.Test:
        return this.touch(At.State);
      case At.State:
        return this.protocolState();
      case At.PolicyLock:
        return this.acquire(At.PolicyHold);
      case At.PolicyHold:
        return this.hold() || this.burst(At.PolicyEnd, costs.policySectionNs + this.connWrite(this.conn));
      case At.PolicyEnd:
        this.endSection();
        this.at = At.Log;
        return 0;
      case At.Log:
        return this.touch(At.MoveLock) || this.burst(At.MoveLock, costs.gapNs);
      case At.MoveLock:
        return this.acquire(At.MoveHold);
      case At.MoveHold:
        return this.hold() || this.burst(At.MoveEnd, costs.moveSectionNs + this.move());
      case At.MoveEnd:
        this.endSection();
        this.at = At.Caller;
        return 0;
      case At.Caller:
        return this.touch(At.Metadata);
      case At.Miss:
        return this.miss();
      case At.CreateLock:
        return this.acquire(At.Create) || this.createUnderLock();
      case At.TableLock:
        return this.acquire(At.Create) || this.insertAgain();
      case At.Refused:
        this.debtNs += this.lock.unlock();
        this.at = At.End;
        return 0;
      case At.Create:
        return this.create();
      case At.QueueInsert:
        return this.queueInsert();
      case At.QueueLink:
        ct.queues[this.queue]!.insertEnd(this.linkAfter, this.conn);
        this.at = At.Metadata;
        return 0;
      case At.Metadata:
        return this.touch(At.End);
      case At.End:
        return this.endPacket();
    }
  }

  // --- batches

  private nextBatch(): number {
    const { ct, traffic } = this;
    const { rcu, machine } = ct;
    rcu.quiesce(this.rcuThread);
    if (traffic.over) {
      rcu.sleep(this.rcuThread);
      this.busyNs = machine.nowNs;
      this.options.ended();
      return DONE;
    }
    this.at = At.Arrived;
    const waitNs = traffic.nextArrivalNs - machine.nowNs;
    if (waitNs <= 0) return 0;
    // It polls its queues, without a pointer to anything.
    rcu.sleep(this.rcuThread);
    this.task = machine.current;
    machine.schedule(waitNs, this.waker, 0);
    return SPIN;
  }

  private arrived(): number {
    const { ct } = this;
    ct.rcu.wake(this.rcuThread);
    this.count = this.traffic.take(ct.machine.nowNs);
    this.index = 0;
    this.at = At.Packet;
    return 0;
  }

  private nextPacket(): number {
    if (this.index === this.count) {
      this.at = At.Batch;
      return 0;
    }
    const { ct, traffic } = this;
    traffic.pick();
    this.startNs = ct.machine.nowNs;
    this.bucket = ct.bucketOf(traffic.key, traffic.zone);
    this.lock = ct.locks[this.bucket]!;
    if (traffic.uniform && this.batchable()) return this.batched(this.count - this.index);
    return this.burst(At.Lookup, this.privateNs());
  }

  private privateNs(): number {
    const { privateNs, jitterRatio, pairNs } = this.ct.costs;
    const work = privateNs * (1 + jitterRatio * (2 * this.options.random.uniform() - 1));
    return work + (this.lists ? 1.5 : 1) * pairNs;
  }

  // --- several packets of one connection in one burst

  private batchable(): boolean {
    const { ct, traffic } = this;
    const { conns, lines, costs } = ct;
    const conn = (this.conn = ct.find(traffic.key, traffic.zone));
    if (conn < 0 || conns.tm[conn] !== traffic.tm || ct.connLocks.isHeld(conn)) return false;
    const cpu = ct.machine.current.cpu.index;
    if (!lines.owns(conns.line[conn]!, cpu)) return false;
    const { index } = ct.lockLines[this.bucket]!;
    if (!this.lists) return lines.has(index, cpu);
    if (!lines.owns(index, cpu) || !lines.owns(ct.headLine.index, cpu) || this.lock.owner !== undefined) return false;
    return this.options.alone(4 * this.count * (costs.privateNs + 1000));
  }

  private batched(packets: number): number {
    this.batchSumNs = 0;
    for (let i = 0; i < packets; i++) {
      const ns = this.lists ? this.packetBefore() : this.packetAfter();
      this.batchNs[i] = ns;
      this.batchSumNs += ns;
    }
    this.traffic.skip(packets - 1);
    return this.burst(At.Batched, this.batchSumNs);
  }

  private packetBefore(): number {
    const { ct, conn } = this;
    const { costs, connLocks } = ct;
    connLocks.pass(conn);
    connLocks.pass(conn);
    this.section(costs.policySectionNs);
    connLocks.pass(conn);
    this.section(costs.moveSectionNs);
    this.move();
    connLocks.pass(conn);
    connLocks.pass(conn);
    const { lookupNs, pairNs, policySectionNs, gapNs, moveSectionNs } = costs;
    return this.privateNs() + lookupNs + 2 * pairNs + policySectionNs + gapNs + moveSectionNs;
  }

  private section(ns: number): void {
    const { ct } = this;
    invariant(this.lock.acquire() === 0, 'ct_lock: not alone');
    ct.connLocks.pass(this.conn);
    ct.watch.sectionNs = ns;
    this.lock.unlock();
  }

  private packetAfter(): number {
    const { ct, conn } = this;
    ct.connLocks.pass(conn);
    this.touchExpiration();
    ct.connLocks.pass(conn);
    return this.privateNs() + ct.costs.lookupNs + ct.costs.pairNs;
  }

  /** Each packet took its share of the time; what a preemption took is the last one's. */
  private endBatched(): number {
    const { latencyNs, paced } = this.options;
    const { nowNs } = this.ct.machine;
    const packets = this.count - this.index;
    const tookNs = nowNs - this.startNs;
    const slow = tookNs / this.batchSumNs;
    const even = slow < 8;
    let atNs = this.startNs;
    for (let i = 0; i < packets; i++) {
      const ns = this.batchNs[i]! * (even ? slow : 1);
      const endNs = i === packets - 1 ? nowNs : atNs + ns;
      latencyNs.record(Math.round(endNs - (paced ? this.traffic.arrivalNs[this.index + i]! : atNs)));
      atNs = endNs;
    }
    this.packets += packets;
    this.index = this.count;
    this.at = At.Packet;
    return 0;
  }

  // --- one packet

  private lookup(): number {
    const { ct, traffic } = this;
    const { costs } = ct;
    const cpu = ct.machine.current.cpu.index;
    this.conn = ct.find(traffic.key, traffic.zone);
    const linesNs = ct.lockLines[this.bucket]!.read(cpu) + (this.conn < 0 ? 0 : this.connWrite(this.conn));
    return this.burst(
      this.conn < 0 ? At.Miss : this.lists ? At.Test : At.State,
      costs.lookupNs + (this.lists ? 2 : 1) * costs.pairNs + linesNs,
    );
  }

  private protocolState(): number {
    const wait = this.touch(this.lists ? At.PolicyLock : At.Metadata);
    if (wait === 0 && !this.lists) this.touchExpiration();
    return wait;
  }

  /** conn_update_expiration() since the series: stores, no list. */
  private touchExpiration(): void {
    const { ct, conn, traffic } = this;
    const { conns } = ct;
    if (!conns.isLive(conn)) return;
    conns.expirationNs[conn] = ct.machine.nowNs + ct.policies.timeoutNs(traffic.zone, traffic.tm);
    conns.tm[conn] = traffic.tm;
    conns.reschedule[conn] = 1;
  }

  /** conn_update_expiration() before: to the tail of its list. @returns ns for the lines of the list and its members. */
  private move(): number {
    const { ct, conn, traffic } = this;
    const { conns, lists } = ct;
    if (!conns.isLive(conn)) return 0;
    const cpu = ct.machine.current.cpu.index;
    let ns = ct.headLine.write(cpu) + this.connWrite(conn);
    const before = conns.previous[conn]!;
    const after = conns.next[conn]!;
    if (before >= 0) ns += this.connWrite(before);
    if (after >= 0) ns += this.connWrite(after);
    lists.remove(conns.tm[conn]!, conn);
    const tail = lists.last[traffic.tm]!;
    if (tail >= 0) ns += this.connWrite(tail);
    conns.expirationNs[conn] = ct.machine.nowNs + ct.policies.timeoutNs(traffic.zone, traffic.tm);
    conns.tm[conn] = traffic.tm;
    lists.pushBack(traffic.tm, conn);
    return ns;
  }

  private endPacket(): number {
    const fromNs = this.options.paced ? this.traffic.arrivalNs[this.index]! : this.startNs;
    this.options.latencyNs.record(Math.round(this.ct.machine.nowNs - fromNs));
    this.packets++;
    this.index++;
    this.at = At.Packet;
    return 0;
  }

  // --- a new connection

  private miss(): number {
    const { ct, traffic } = this;
    if (!this.queues) {
      this.at = At.CreateLock;
      return 0;
    }
    if (ct.refused(traffic.zone)) {
      this.at = At.End;
      return 0;
    }
    const searchNs = this.searchPort();
    if (this.noPort) return this.burst(At.End, searchNs);
    return this.burst(At.TableLock, Math.max(1, ct.costs.insertNs - ct.costs.tableInsertNs) + searchNs);
  }

  /** @returns ns of the NAT search; {@link noPort} says that it was in vain and the packet is dropped. */
  private searchPort(): number {
    const { ct, traffic } = this;
    const { nat } = this.options;
    this.port = -1;
    if (nat === undefined) return 0;
    this.port = nat.take(hashOf(traffic.key, traffic.zone));
    if (this.port < 0) ct.dropsNat++;
    return nat.probes * ct.costs.natProbeNs;
  }

  private get noPort(): boolean {
    return this.port < 0 && this.options.nat !== undefined;
  }

  /** ct_lock across the second lookup, the limits, the NAT search and the insert. */
  private createUnderLock(): number {
    const { ct, traffic } = this;
    const { costs } = ct;
    let ns = costs.insertNs + ct.growthNs(this.bucket) + ct.headLine.write(ct.machine.current.cpu.index);
    if (ct.kernel.expiration === 'buckets') ns += this.removeExpired();
    this.conn = ct.find(traffic.key, traffic.zone);
    if (this.conn >= 0) {
      this.debtNs += this.lock.unlock();
      this.at = this.lists ? At.Test : At.State;
      return 0;
    }
    if (ct.refused(traffic.zone)) {
      this.debtNs += this.lock.unlock() + costs.lookupNs;
      this.at = At.End;
      return 0;
    }
    const searchNs = this.searchPort();
    return this.noPort ? this.burst(At.Refused, searchNs) : this.burst(At.Create, ns + searchNs);
  }

  private removeExpired(): number {
    const { ct, traffic } = this;
    const expired = ct.findExpired(traffic.key, traffic.zone);
    if (expired < 0) return 0;
    ct.clean(expired);
    return ct.costs.cleanNs;
  }

  /** The series: the tuple may have come meanwhile. The loser frees what it has made. */
  private insertAgain(): number {
    const { ct, traffic } = this;
    const other = ct.kernel.duplicateInsertRace ? -1 : ct.find(traffic.key, traffic.zone);
    if (other < 0) return this.burst(At.Create, ct.costs.tableInsertNs + ct.growthNs(this.bucket));
    if (this.port >= 0) this.options.nat!.putBack(this.port);
    this.debtNs += this.lock.unlock() + ct.costs.freeNs;
    this.conn = other;
    this.at = At.State;
    return 0;
  }

  private create(): number {
    const { ct, traffic } = this;
    this.conn = ct.insert(traffic.key, traffic.zone, traffic.tm, ct.machine.nowNs);
    if (this.port >= 0) this.options.nat!.keep(this.conn, this.port);
    this.debtNs += this.lock.unlock() + this.connWrite(this.conn);
    this.at = this.queues ? At.QueueInsert : At.Metadata;
    return 0;
  }

  private queueInsert(): number {
    const { ct, conn } = this;
    this.queue = ct.conns.tm[conn]!;
    this.linkAfter = ct.queues[this.queue]!.insertBegin(conn);
    return this.burst(At.QueueLink, ct.costs.queuePushNs + ct.headLine.write(ct.machine.current.cpu.index));
  }

  // --- locks and bursts

  private connWrite(conn: number): number {
    const { ct } = this;
    return ct.lines.write(ct.conns.line[conn]!, ct.machine.current.cpu.index);
  }

  private burst(then: At, ns: number): number {
    this.at = then;
    const allNs = ns + this.debtNs;
    this.debtNs = 0;
    return allNs < 1 ? 1 : allNs;
  }

  private acquire(then: At): number {
    const wait = this.lock.acquire();
    if (wait === 0) this.at = then;
    return wait;
  }

  private endSection(): void {
    this.debtNs += this.ct.connLocks.leave(this.conn) + this.lock.unlock();
  }

  /** A section of conn->lock that takes no time of its own. */
  private touch(then: At): number {
    const { connLocks } = this.ct;
    if (this.waiting === undefined && !connLocks.isHeld(this.conn)) {
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

  /** Takes conn->lock, to be given back with {@link endSection}. */
  private hold(): number {
    this.waiting ??= this.ct.connLocks.enter(this.conn);
    const wait = this.waiting.acquire();
    if (wait === 0) this.waiting = undefined;
    return wait;
  }
}
