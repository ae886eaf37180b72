// A connection: the client's end, and what the server keeps of it (struct request_sock, then its child).
//
// Invariant I1: it is in one place. `refs` counts who holds it besides: packets under way and code that works on it; it
// is used again for another connection when its outcome is known, it is in no place, and nobody holds it.
import type { HrTimer, Machine } from '@kworkbench/machine';
import type { Listener } from './listener.js';
import { Outcome } from './outcomes.js';

export const enum Place {
  None,
  /** In ehash, counted by the half-open queue of its listener. */
  HalfOpen,
  /** In an accept queue. */
  Queued,
}

/** States of the socket that stands for it, with the kernel's numbers. */
export const enum TcpState {
  Established = 1,
  SynRecv = 3,
  NewSynRecv = 12,
}

export const enum ClientState {
  SynSent,
  Established,
}

export class Connection {
  number = 0;
  hash = 0;
  /** Index of the CPU that its packets come to. */
  cpu = 0;
  startNs = 0;
  outcome: Outcome = Outcome.Open;
  refs = 0;
  /** Draws of packet loss so far. */
  draws = 0;

  client: ClientState = ClientState.SynSent;
  /** SYNs sent again so far. */
  synRetries = 0;
  /** Times that data was sent; 0: not yet. */
  dataSends = 0;
  connectedNs = 0;

  place: Place = Place.None;
  state: TcpState = TcpState.NewSynRecv;
  /** rsk_listener: who the request says it belongs to. Change it with `setListener()`. */
  listener: Listener | undefined;
  /** In whose queue, or half-open count, it is. */
  owner: Listener | undefined;
  /** The next one in the accept queue. */
  next: Connection | undefined;
  requestNs = 0;
  /** num_timeout */
  numTimeout = 0;
  acked = false;
  /** It was answered with a SYN cookie, and no request is kept. */
  cookie = false;
  /** The SYN was saved: its first listener had TCP_SAVE_SYN. */
  synSaved = false;
  /** The SYN+ACK timer fired, and its handler has not run yet. */
  timerFired = false;
  /** The accept queue was full when its handshake ended, or its SYN came. */
  overflowed = false;
  /** Why its request could not move, if it could not: told by the RST that follows. */
  refusedFor: Outcome = Outcome.Open;
  hops = 0;

  readonly synackTimer: HrTimer;
  readonly clientTimer: HrTimer;
  readonly patienceTimer: HrTimer;

  constructor(
    readonly slot: number,
    machine: Machine,
    timers: ConnectionTimers,
  ) {
    this.synackTimer = machine.hrtimer(() => timers.synackExpired(this));
    this.clientTimer = machine.hrtimer(() => timers.clientExpired(this));
    this.patienceTimer = machine.hrtimer(() => timers.patienceExpired(this));
  }

  /** As new, for connection `number`. */
  begin(number: number, hash: number, cpu: number, nowNs: number): void {
    this.number = number;
    this.hash = hash;
    this.cpu = cpu;
    this.startNs = nowNs;
    this.outcome = Outcome.Open;
    this.draws = 0;
    this.client = ClientState.SynSent;
    this.synRetries = 0;
    this.dataSends = 0;
    this.cookie = false;
    this.synSaved = false;
    this.overflowed = false;
    this.refusedFor = Outcome.Open;
    this.hops = 0;
  }
}

export interface ConnectionTimers {
  synackExpired(connection: Connection): void;
  clientExpired(connection: Connection): void;
  patienceExpired(connection: Connection): void;
}

/** Connections in use and those to use again. */
export class ConnectionPool {
  readonly all: Connection[] = [];
  private readonly free: Connection[] = [];

  constructor(
    private readonly machine: Machine,
    private readonly timers: ConnectionTimers,
  ) {}

  take(): Connection {
    const free = this.free.pop();
    if (free !== undefined) return free;
    const connection = new Connection(this.all.length, this.machine, this.timers);
    this.all.push(connection);
    return connection;
  }

  give(connection: Connection): void {
    this.free.push(connection);
  }
}
