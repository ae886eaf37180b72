// The client: connect(), then data, or waiting for the server to speak. Retransmits as net/ipv4/tcp_timer.c does, and
// has no CPU on this machine.
import type { Machine } from '@kworkbench/machine';
import { ClientState, type Connection, Place } from './connection.js';
import { Outcome } from './outcomes.js';
import type { TcpStack } from './tcp-stack.js';
import { Packet, type Wire } from './wire.js';

/** SYNs are sent again then: 4 linear timeouts of 1 s, then 6 that double; ETIMEDOUT after the last. */
const SYN_RETRY_NS = [1, 2, 3, 4, 5, 7, 11, 19, 35, 67, 131].map((seconds) => seconds * 1e9);
/** TCP_RTO_MIN as the first timeout of data, and its ceiling TCP_RTO_MAX. */
const DATA_RTO_NS = 200e6;
const DATA_RTO_MAX_NS = 120e9;
/** net.ipv4.tcp_retries2 */
const DATA_RETRIES = 15;

/** From the first data to its n-th sending, n = 0, 1, ...: 0, 0.2, 0.6, 1.4 s, and so on. */
export const dataSendsNs: readonly number[] = Array.from({ length: DATA_RETRIES + 2 }, (_, n) => {
  let atNs = 0;
  for (let i = 0; i < n; i++) atNs += Math.min(DATA_RTO_NS * 2 ** i, DATA_RTO_MAX_NS);
  return atNs;
});

export class Client {
  wire!: Wire;
  private readonly talks: boolean;
  private readonly dataDelayNs: number;
  private readonly patienceNs: number;

  constructor(
    private readonly machine: Machine,
    private readonly stack: TcpStack,
  ) {
    const { workload } = stack;
    this.talks = workload.client === 'talks';
    this.dataDelayNs = Math.round(workload.dataDelay * 1e9);
    this.patienceNs = Math.round(workload.patience * 1e9);
  }

  connect(number: number, hash: number, cpu: number): Connection {
    const { stack } = this;
    const connection = stack.pool.take();
    connection.begin(number, hash, cpu, this.machine.nowNs);
    stack.outcomes.started++;
    stack.hold(connection);
    if (this.patienceNs > 0) connection.patienceTimer.start(this.patienceNs);
    this.wire.send(connection, Packet.Syn);
    stack.put(connection);
    return connection;
  }

  synackReceived(connection: Connection): void {
    if (connection.outcome !== Outcome.Open) return;
    if (connection.client === ClientState.SynSent) {
      connection.client = ClientState.Established;
      connection.clientTimer.cancel();
      connection.connectedNs = this.machine.nowNs;
      this.stack.connectNs.record(this.machine.nowNs - connection.startNs);
      if (connection.synRetries > 0) this.stack.synRetried++;
    }
    if (this.talks && this.dataDelayNs === 0 && connection.dataSends === 0) {
      connection.dataSends = 1;
      this.wire.send(connection, Packet.AckThenData);
    } else this.wire.send(connection, Packet.Ack);
  }

  /** Something of this connection was lost or ignored: whatever it does about that by itself comes in time. */
  stalled(connection: Connection): void {
    if (connection.outcome !== Outcome.Open || connection.clientTimer.pending) return;
    if (connection.client === ClientState.SynSent) {
      this.arm(connection, connection.startNs + SYN_RETRY_NS[connection.synRetries]!);
    } else if (this.talks && connection.place !== Place.Queued) {
      this.arm(connection, connection.connectedNs + this.dataDelayNs + dataSendsNs[connection.dataSends]!);
    }
  }

  expired(connection: Connection): void {
    const { stack } = this;
    stack.hold(connection);
    if (connection.client === ClientState.SynSent) {
      if (connection.synRetries === SYN_RETRY_NS.length - 1) stack.resolve(connection, Outcome.TimedOut);
      else {
        connection.synRetries++;
        this.wire.send(connection, Packet.Syn);
      }
    } else if (connection.dataSends > DATA_RETRIES) stack.resolve(connection, Outcome.TimedOut);
    else {
      connection.dataSends++;
      this.wire.send(connection, Packet.Data);
    }
    stack.put(connection);
  }

  /** The application closes its socket; the server learns of it only when it has accepted. */
  patienceExpired(connection: Connection): void {
    this.stack.hold(connection);
    this.stack.resolve(connection, Outcome.GaveUp);
    this.stack.put(connection);
  }

  private arm(connection: Connection, atNs: number): void {
    connection.clientTimer.start(Math.max(1, Math.round(atNs - this.machine.nowNs)));
  }
}
