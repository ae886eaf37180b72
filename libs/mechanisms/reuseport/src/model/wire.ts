// Packets between clients and the machine: half a round trip each way, some lost. What arrives waits for its CPU.
//
// Timers are armed only when they will be needed: whoever loses or ignores a packet says so (`stalled`), and then the
// SYN+ACK timer and the client's own run out when they would have. That is exact because round trip and receive queue
// together stay below the first timeout, 1 s.
import type { Machine } from '@kworkbench/machine';
import type { Connection } from './connection.js';
import { mix32 } from './hash.js';
import type { TcpStack } from './tcp-stack.js';

export const enum Packet {
  Syn,
  /** A bare ACK. */
  Ack,
  /** An ACK, and data right behind it. */
  AckThenData,
  Data,
  SynAck,
  /** No packet: the SYN+ACK timer of the connection fired. */
  Timer,
}

const KIND_BITS = 3;
const KIND_MASK = 7;
const TWO_32 = 2 ** 32;

export const packed = (connection: Connection, packet: Packet): number => (connection.slot << KIND_BITS) | packet;
export const slotOf = (word: number): number => word >> KIND_BITS;
export const packetOf = (word: number): Packet => word & KIND_MASK;

export interface WireEnds {
  /** Into the receive queue of its CPU; false when that is full. */
  receive(connection: Connection, packet: Packet): boolean;
  synackReceived(connection: Connection): void;
  stalled(connection: Connection): void;
}

export class Wire {
  lost = 0;
  private readonly oneWayNs: number;
  private readonly lossBelow: number;
  private readonly dropAcksUntilNs: number;
  private readonly actor: number;

  constructor(
    private readonly machine: Machine,
    private readonly stack: TcpStack,
    private readonly secret: number,
    private readonly ends: WireEnds,
  ) {
    const { workload } = stack;
    this.oneWayNs = Math.round((workload.rtt / 2) * 1e9);
    this.lossBelow = workload.loss * TWO_32;
    this.dropAcksUntilNs = workload.dropAcksFor * 1e9;
    this.actor = machine.addActor((word) => this.arrive(stack.pool.all[slotOf(word)]!, packetOf(word)));
  }

  /** The sender holds the connection. */
  send(connection: Connection, packet: Packet): void {
    const lost = this.isLost(connection);
    if (packet === Packet.AckThenData) {
      const dataLost = this.isLost(connection);
      if (lost !== dataLost) {
        this.carry(connection, lost ? Packet.Data : Packet.Ack);
        return;
      }
    }
    if (!lost) {
      this.carry(connection, packet);
      return;
    }
    this.lost++;
    this.ends.stalled(connection);
  }

  private carry(connection: Connection, packet: Packet): void {
    this.stack.hold(connection);
    if (this.oneWayNs === 0) this.arrive(connection, packet);
    else this.machine.schedule(this.oneWayNs, this.actor, packed(connection, packet));
  }

  private arrive(connection: Connection, packet: Packet): void {
    if (packet === Packet.SynAck) {
      this.ends.synackReceived(connection);
      this.stack.put(connection);
      return;
    }
    const filtered = this.machine.nowNs < this.dropAcksUntilNs;
    if (filtered && packet === Packet.AckThenData) packet = Packet.Data;
    if (!(filtered && packet === Packet.Ack) && this.ends.receive(connection, packet)) return;
    this.ends.stalled(connection);
    this.stack.put(connection);
  }

  /** By the connection's own numbers, so that what happens to one shifts no other. */
  private isLost(connection: Connection): boolean {
    if (this.lossBelow === 0) return false;
    const draw = mix32(mix32(connection.number ^ this.secret) + Math.imul(++connection.draws, 0x9e3779b9));
    return draw < this.lossBelow;
  }
}
