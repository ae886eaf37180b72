// A packet of a connection that is in the table.
//
// Sections of conn->lock in the order of the sources before the series: 1 test of the expiration, 2 protocol state, 3 with
// ct_lock the policy, 4 the log test, 5 with ct_lock the list, 6 the caller again, 7 metadata. After: 1 state, 2 metadata.
import { At, PacketSteps } from './packet-steps.js';

export abstract class EstablishedPacket extends PacketSteps {
  protected lookup(): number {
    const { ct, cpu } = this;
    const { costs } = ct;
    this.conn = this.find();
    const linesNs = ct.lockLines[this.bucket]!.read(cpu) + (this.conn < 0 ? 0 : this.connWrite(this.conn));
    return this.burst(
      this.conn < 0 ? At.Miss : this.lists ? At.Test : At.State,
      costs.lookupNs + (this.lists ? 2 : 1) * costs.pairNs + linesNs,
    );
  }

  /** The test of the expiration is a section of its own only before the series. */
  protected test(): number {
    return this.touch(At.State) || this.protocolState();
  }

  protected protocolState(): number {
    if (this.lists) return this.touch(At.PolicyLock) || this.acquire(At.PolicyHold) || this.policy();
    const wait = this.touch(At.Metadata);
    if (wait === 0) this.touchExpiration();
    return wait;
  }

  protected policy(): number {
    return this.hold() || this.burst(At.PolicyEnd, this.ct.costs.policySectionNs + this.connWrite(this.conn));
  }

  protected policyEnd(): number {
    this.endSection();
    this.at = At.Log;
    return this.log();
  }

  protected log(): number {
    return this.touch(At.MoveLock) || this.burst(At.MoveLock, this.ct.costs.gapNs);
  }

  protected moveHold(): number {
    return this.hold() || this.burst(At.MoveEnd, this.ct.costs.moveSectionNs + this.move());
  }

  protected moveEnd(): number {
    this.endSection();
    this.at = At.Caller;
    return this.touch(At.Metadata) || this.touch(At.End);
  }

  /** conn_update_expiration() since the series: stores, no list. */
  protected touchExpiration(): void {
    const { ct, conn, traffic } = this;
    const { conns } = ct;
    conns.mustExist(conn);
    if (!conns.isLive(conn)) return;
    conns.expirationNs[conn] = ct.machine.nowNs + ct.policies.timeoutNs(traffic.zone, traffic.tm);
    conns.tm[conn] = traffic.tm;
    conns.reschedule[conn] = 1;
  }

  /** conn_update_expiration() before: to the tail of its list. @returns ns for the lines of the list and its members. */
  protected move(): number {
    const { ct, conn, traffic } = this;
    const { conns, lists } = ct;
    conns.mustExist(conn);
    if (!conns.isLive(conn)) return 0;
    let ns = ct.headLine.write(this.cpu) + this.connWrite(conn);
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
}
