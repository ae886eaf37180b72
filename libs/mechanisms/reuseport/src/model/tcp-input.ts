// What the server does with a packet: tcp_v4_rcv() down to tcp_conn_request() and tcp_check_req(). Every packet is begun,
// costs CPU time, and then acts on what it finds; another CPU may have closed the listener meanwhile.
import type { Machine } from '@kworkbench/machine';
import { type Connection, Place, TcpState } from './connection.js';
import type { Listener } from './listener.js';
import { Outcome } from './outcomes.js';
import type { ReuseportSelect } from './reuseport-select.js';
import { reciprocalScale } from './hash.js';
import { SynackTimer } from './synack-timer.js';
import { Point, type TcpStack } from './tcp-stack.js';
import { Packet, type Wire } from './wire.js';

/** A SYN and a bare ACK, as programs see them. */
const HEADER_BYTES = 40;
const DATA_BYTES = 140;
/** TCP_SYNCOOKIE_VALID */
const COOKIE_VALID_NS = 120e9;

const enum CookieUse {
  Never,
  WhenFull,
  Always,
}

/** A packet that is being worked on. */
export interface PacketWork {
  connection: Connection;
  packet: Packet;
  /** Whose queue its child goes to. */
  target: Listener | undefined;
  /** The target is not the listener that the request belongs to. */
  migrated: boolean;
}

export class TcpInput {
  wire!: Wire;
  readonly timer: SynackTimer;

  constructor(
    private readonly machine: Machine,
    private readonly stack: TcpStack,
    private readonly select: ReuseportSelect,
  ) {
    this.timer = new SynackTimer(machine, stack, select);
  }

  /** Looks the packet's socket up. @returns ns of CPU time until {@link act}. */
  begin(work: PacketWork): number {
    const { costs } = this.stack;
    const { connection, packet } = work;
    work.target = undefined;
    work.migrated = false;
    if (packet === Packet.Timer) return costs.synackTimerNs;
    if (connection.place === Place.HalfOpen) this.findListener(work);
    if (packet === Packet.Syn) return costs.synNs + costs.pickNs;
    if (connection.place === Place.HalfOpen) {
      return costs.ackNs + (work.migrated ? costs.pickNs + costs.cloneNs + this.select.programNs : 0);
    }
    return connection.cookie && connection.place === Place.None ? costs.ackNs : costs.strayNs;
  }

  /** @returns the listener whose accept queue gets the child; undefined when that was all. */
  act(work: PacketWork): Listener | undefined {
    const { connection } = work;
    switch (work.packet) {
      case Packet.Timer:
        this.timer.act(connection, this.wire);
        return undefined;
      case Packet.Syn:
        return this.syn(work);
      default:
        if (connection.place === Place.HalfOpen) return this.requestAck(work);
        if (connection.place === Place.Queued) connection.state = TcpState.Established;
        else if (connection.outcome !== Outcome.Open) break;
        else if (connection.cookie) return this.cookieAck(work);
        else this.stray(connection);
    }
    return undefined;
  }

  /** inet_csk_reqsk_queue_add(): under the lock of the target. True when the queue has it. */
  add(work: PacketWork): boolean {
    const { stack } = this;
    const { connection, migrated } = work;
    const target = work.target!;
    if (!target.listening) {
      // inet_child_forget(): it stopped listening between pick and append.
      if (migrated) stack.mib.migrateFailure[Point.FinalAck]!++;
      stack.setListener(connection, undefined);
      stack.reset(connection, Outcome.TargetClosed);
      return false;
    }
    stack.setListener(connection, target);
    stack.enqueue(target, connection);
    if (migrated) {
      stack.mib.migrateSuccess[Point.FinalAck]!++;
      connection.hops++;
    }
    if (work.packet === Packet.Syn) {
      connection.state = TcpState.SynRecv;
      this.wire.send(connection, Packet.SynAck);
    } else connection.state = TcpState.Established;
    return true;
  }

  /** A half-open request: its listener, or where it moves to if that has closed. */
  private findListener(work: PacketWork): void {
    const { connection } = work;
    const sk = connection.listener!;
    if (sk.listening) {
      work.target = sk;
      return;
    }
    const bytes = work.packet === Packet.Syn || work.packet === Packet.Ack ? HEADER_BYTES : DATA_BYTES;
    work.target = this.select.migrate(sk, connection, Point.FinalAck, bytes);
    if (work.target === undefined) this.stack.dropRequest(connection);
    else work.migrated = true;
  }

  private syn(work: PacketWork): Listener | undefined {
    const { connection } = work;
    if (connection.outcome !== Outcome.Open) return undefined;
    if (connection.place !== Place.None) {
      // tcp_check_req() of a SYN that came again: SYN+ACK again.
      this.wire.send(connection, Packet.SynAck);
      return undefined;
    }
    const { stack } = this;
    if (stack.group.numSocks === 0) {
      stack.reset(connection, Outcome.Refused);
      return undefined;
    }
    const sk = this.select.forSyn(stack.group, connection, HEADER_BYTES);
    if (sk === undefined) {
      stack.reset(connection, Outcome.PolicyDrop);
      return undefined;
    }
    return this.connRequest(work, sk);
  }

  /** tcp_conn_request() */
  private connRequest(work: PacketWork, sk: Listener): Listener | undefined {
    const { stack } = this;
    const { kernel, mib } = stack;
    const { connection } = work;
    const { limit } = sk.options;
    const halfOpenFull = kernel.halfOpenFullAt === 'above' ? sk.qlen > limit : sk.qlen >= limit;
    const wantCookie = kernel.syncookies === (CookieUse.Always as number) || halfOpenFull;
    if (wantCookie && kernel.syncookies === (CookieUse.Never as number)) return this.dropSyn(connection);
    if (sk.full) {
      mib.listenOverflows++;
      if (sk.length > limit + 1) mib.overLimitDrops++;
      connection.overflowed = true;
      return this.dropSyn(connection);
    }
    if (wantCookie) {
      stack.group.synqOverflowNs = this.machine.nowNs;
      mib.cookiesSent++;
      connection.cookie = true;
      this.wire.send(connection, Packet.SynAck);
      return undefined;
    }
    // Unproven peers get the first three quarters only.
    const left = kernel.maxSynBacklog - sk.qlen;
    if (kernel.syncookies === (CookieUse.Never as number) && left < kernel.maxSynBacklog >> 2) {
      return this.dropSyn(connection);
    }
    connection.synSaved = sk.options.saveSyn;
    connection.cookie = false;
    if (sk.options.fastOpen) {
      // tcp_try_fastopen(): the child is queued before the handshake ends.
      work.target = sk;
      return sk;
    }
    this.newRequest(connection, sk);
    this.wire.send(connection, Packet.SynAck);
    return undefined;
  }

  private newRequest(connection: Connection, sk: Listener): void {
    this.stack.setListener(connection, sk);
    connection.owner = sk;
    connection.place = Place.HalfOpen;
    connection.state = TcpState.NewSynRecv;
    connection.requestNs = this.machine.nowNs;
    connection.numTimeout = 0;
    connection.acked = false;
    connection.timerFired = false;
    sk.qlen++;
    sk.young++;
  }

  private dropSyn(connection: Connection): undefined {
    this.stack.mib.listenDrops++;
    this.timer.stalled(connection);
    return undefined;
  }

  /** tcp_check_req() of the final ACK, or of data that stands for it. */
  private requestAck(work: PacketWork): Listener | undefined {
    const { stack } = this;
    const { connection, target } = work;
    if (target === undefined) {
      // It was half-open when the packet was looked up, as another request.
      this.timer.stalled(connection);
      return undefined;
    }
    if (work.packet === Packet.Ack && connection.numTimeout < target.options.deferAccept) {
      connection.acked = true;
      this.timer.stalled(connection);
      return undefined;
    }
    if (target.full) return this.overflow(work, target);
    stack.leaveHalfOpen(connection);
    return target;
  }

  private overflow(work: PacketWork, target: Listener): undefined {
    const { stack } = this;
    const { connection } = work;
    stack.mib.listenOverflows++;
    stack.mib.listenDrops++;
    if (work.migrated) stack.mib.migrateFailure[Point.FinalAck]!++;
    if (target.length > target.options.limit + 1) stack.mib.overLimitDrops++;
    connection.overflowed = true;
    if (stack.kernel.abortOnOverflow) {
      if (connection.place === Place.HalfOpen) stack.dropRequest(connection);
      stack.reset(connection, Outcome.Overflow);
      return undefined;
    }
    connection.acked = true;
    this.timer.stalled(connection);
    return undefined;
  }

  /** cookie_v4_check(): any listener of the group can tell, as long as a cookie was sent for it lately. */
  private cookieAck(work: PacketWork): Listener | undefined {
    const { stack, machine } = this;
    const { connection } = work;
    const { group } = stack;
    const valid = group.numSocks > 0 && machine.nowNs - group.synqOverflowNs <= COOKIE_VALID_NS;
    if (!valid) {
      stack.reset(connection, Outcome.AckRst);
      return undefined;
    }
    const sk = group.socks[reciprocalScale(connection.hash, group.numSocks)]!;
    if (sk.full) return this.overflow(work, sk);
    connection.synSaved = false;
    work.target = sk;
    return sk;
  }

  private stray(connection: Connection): void {
    const cause =
      connection.refusedFor !== Outcome.Open
        ? connection.refusedFor
        : connection.overflowed
          ? Outcome.Overflow
          : Outcome.AckRst;
    this.stack.reset(connection, cause);
  }
}
