// reqsk_timer_handler(): sends SYN+ACK again, drops requests that are too old, and moves those whose listener closed.
import type { Machine } from '@kworkbench/machine';
import { type Connection, Place } from './connection.js';
import type { Listener } from './listener.js';
import type { ReuseportSelect } from './reuseport-select.js';
import { Point, type TcpStack } from './tcp-stack.js';
import { Packet, type Wire } from './wire.js';

/** TCP_TIMEOUT_INIT, TCP_RTO_MAX */
const TIMEOUT_INIT_NS = 1e9;
const TIMEOUT_MAX_NS = 120e9;
/** Pruning leaves every request this many. */
const LEAST_RETRIES = 2;
/** Queues up to that long are never pruned. */
const PRUNE_ABOVE = 8;

/** Retransmissions that are left to requests of a queue: the old ones go first when it is more than half full. */
export function synackRetries(configured: number, qlen: number, young: number, limit: number): number {
  let retries = configured;
  if (qlen * 2 <= Math.max(PRUNE_ABOVE, limit)) return retries;
  for (let most = young * 2; retries > LEAST_RETRIES && qlen >= most; most *= 2) retries--;
  return retries;
}

export class SynackTimer {
  /** What the client does when something of the connection stalled. */
  clientStalled!: (connection: Connection) => void;

  constructor(
    private readonly machine: Machine,
    private readonly stack: TcpStack,
    private readonly select: ReuseportSelect,
  ) {}

  /** A packet was lost or ignored: the timer of the request will come, and the client's. */
  stalled(connection: Connection): void {
    if (connection.place === Place.HalfOpen && !connection.synackTimer.pending && !connection.timerFired) {
      this.arm(connection, connection.requestNs + TIMEOUT_INIT_NS);
    }
    this.clientStalled(connection);
  }

  act(connection: Connection, wire: Wire): void {
    const { stack } = this;
    if (!connection.timerFired || connection.place !== Place.HalfOpen) return;
    connection.timerFired = false;
    const from = connection.owner!;
    let sk = from;
    if (!from.listening) {
      const target = this.select.migrate(from, connection, Point.SynackTimer, 0);
      if (target === undefined) {
        stack.dropRequest(connection);
        return;
      }
      sk = target;
    }
    if (this.expired(connection, sk, sk === from ? 0 : 1)) {
      if (sk !== from) stack.mib.migrateFailure[Point.SynackTimer]!++;
      stack.dropRequest(connection);
      return;
    }
    if (sk !== from) this.move(connection, from, sk);
    if (connection.numTimeout++ === 0) sk.young--;
    this.arm(connection, this.machine.nowNs + Math.min(TIMEOUT_INIT_NS * 2 ** connection.numTimeout, TIMEOUT_MAX_NS));
    const { deferAccept } = sk.options;
    if (deferAccept > 0 && connection.acked && connection.numTimeout < deferAccept) return;
    stack.mib.synackRetransmits++;
    wire.send(connection, Packet.SynAck);
  }

  /** syn_ack_recalc(); `arriving` counts the request itself where it has not been counted yet. */
  private expired(connection: Connection, sk: Listener, arriving: number): boolean {
    const young = sk.young + (connection.numTimeout === 0 ? arriving : 0);
    const retries = synackRetries(this.stack.kernel.synackRetries, sk.qlen + arriving, young, sk.options.limit);
    const { deferAccept } = sk.options;
    const tooOften = connection.numTimeout >= retries;
    if (deferAccept === 0) return tooOften;
    return tooOften && (!connection.acked || connection.numTimeout >= deferAccept);
  }

  /** reqsk_queue_migrated(), the clone into ehash, reqsk_queue_removed() */
  private move(connection: Connection, from: Listener, to: Listener): void {
    const { stack } = this;
    to.qlen++;
    from.qlen--;
    if (connection.numTimeout === 0) {
      to.young++;
      from.young--;
    }
    connection.owner = to;
    stack.setListener(connection, to);
    stack.mib.migrateSuccess[Point.SynackTimer]!++;
    connection.hops++;
  }

  private arm(connection: Connection, atNs: number): void {
    connection.synackTimer.start(Math.max(1, Math.round(atNs - this.machine.nowNs)));
  }
}

/** TCP_DEFER_ACCEPT in seconds as retransmissions (secs_to_retrans). */
export function secondsToRetransmissions(seconds: number): number {
  if (seconds <= 0) return 0;
  let retransmissions = 1;
  let timeoutNs = TIMEOUT_INIT_NS;
  for (let periodNs = timeoutNs; seconds * 1e9 > periodNs && retransmissions < 255; periodNs += timeoutNs) {
    retransmissions++;
    timeoutNs = Math.min(timeoutNs * 2, TIMEOUT_MAX_NS);
  }
  return retransmissions;
}
