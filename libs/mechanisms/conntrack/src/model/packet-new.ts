// A packet whose tuple is not in the table: the limits, the NAT search and the insert, under ct_lock as far as the design
// has it so.
import { hashOf } from './conntrack.js';
import { EstablishedPacket } from './packet-established.js';
import { At } from './packet-steps.js';

export abstract class NewPacket extends EstablishedPacket {
  private port = -1;
  private queue = 0;
  private linkAfter = -1;

  protected miss(): number {
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

  /** ct_lock across the second lookup, the limits, the NAT search and the insert. */
  protected createUnderLock(): number {
    const { ct, traffic } = this;
    const { costs } = ct;
    let ns = costs.insertNs + ct.growthNs(this.bucket) + ct.headLine.write(this.cpu);
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

  protected refused(): number {
    this.debtNs += this.lock.unlock();
    this.at = At.End;
    return 0;
  }

  /** The series: the tuple may have come meanwhile. The loser frees what it has made. */
  protected insertAgain(): number {
    const { ct, traffic } = this;
    const other = ct.kernel.duplicateInsertRace ? -1 : ct.find(traffic.key, traffic.zone);
    if (other < 0) return this.burst(At.Create, ct.costs.tableInsertNs + ct.growthNs(this.bucket));
    if (this.port >= 0) this.options.nat!.putBack(this.port);
    this.debtNs += this.lock.unlock() + ct.costs.freeNs;
    this.conn = other;
    this.at = At.State;
    return 0;
  }

  protected create(): number {
    const { ct, traffic } = this;
    this.conn = ct.insert(traffic.key, traffic.zone, traffic.tm, ct.machine.nowNs);
    if (this.port >= 0) this.options.nat!.keep(this.conn, this.port);
    this.debtNs += this.lock.unlock() + this.connWrite(this.conn);
    this.at = this.queues ? At.QueueInsert : At.Metadata;
    return 0;
  }

  protected queueInsert(): number {
    const { ct, conn } = this;
    this.queue = ct.conns.tm[conn]!;
    this.linkAfter = ct.queues[this.queue]!.insertBegin(conn);
    return this.burst(At.QueueLink, ct.costs.queuePushNs + ct.headLine.write(this.cpu));
  }

  protected queueLink(): number {
    this.ct.queues[this.queue]!.insertEnd(this.linkAfter, this.conn);
    this.at = At.Metadata;
    return 0;
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

  private removeExpired(): number {
    const { ct, traffic } = this;
    const expired = ct.findExpired(traffic.key, traffic.zone);
    if (expired < 0) return 0;
    ct.cleanExpired(expired, ct.conns.expirationNs[expired]!);
    return ct.costs.cleanNs;
  }
}
