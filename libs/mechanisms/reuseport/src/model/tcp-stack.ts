// What the parts of the server share: groups, listeners, connections, counters, and the few operations that keep the
// books of requests.
import { invariant, type LockProbe, type Machine, SpinLock } from '@kworkbench/machine';
import { durationHistogram } from '@kworkbench/telemetry';
import type { ReuseportKernel } from '../kernel.js';
import type { ReuseportWorkload } from '../workloads.js';
import { ClientState, type Connection, ConnectionPool, type ConnectionTimers, Place } from './connection.js';
import type { ReuseportCosts } from './costs.js';
import { HoldProbe } from './hold-probe.js';
import { Listener, type ListenerOptions, SockState } from './listener.js';
import { Outcome, Outcomes } from './outcomes.js';
import { SockReuseport } from './sock-reuseport.js';

/** Where a request moved: at close, at its SYN+ACK timer, at a packet. */
export const enum Point {
  Close,
  SynackTimer,
  FinalAck,
}

/** Counters of struct linux_mib, and some that the kernel has not. */
export class Mib {
  /** TCPMigrateReqSuccess and TCPMigrateReqFailure, by {@link Point}. */
  readonly migrateSuccess = [0, 0, 0];
  readonly migrateFailure = [0, 0, 0];
  listenOverflows = 0;
  listenDrops = 0;
  /** SYNs dropped by listeners whose queue holds more than SYNs alone could have put there. */
  overLimitDrops = 0;
  /** RSTs sent. */
  resets = 0;
  cookiesSent = 0;
  synackRetransmits = 0;
  backlogDrops = 0;
}

export class TcpStack {
  /** The group that listeners join while one of its members listens. */
  group: SockReuseport<Listener>;
  groups = 1;
  /** Every listener that is not destroyed, in the order of their first listen(). */
  readonly listeners: Listener[] = [];
  listenersMade = 0;
  readonly pool: ConnectionPool;
  readonly outcomes = new Outcomes();
  readonly mib = new Mib();
  readonly bucketLock: SpinLock;
  readonly reuseportLock: SpinLock;
  readonly holds: { readonly rskq: HoldProbe; readonly fastopen: HoldProbe; readonly global: HoldProbe };
  /** Queued requests whose rsk_listener is not the owner of the queue (I2). */
  wrongListener = 0;
  wrongListenerMax = 0;
  depthMax = 0;
  overLimitMax = 0;
  /** Time that queued connections lay with a worker that slept and was not told (M0). */
  sleepingWithWorkNs = 0;
  readonly connectNs = durationHistogram('connect_latency_seconds', 'From the first SYN until connect() returns');
  readonly acceptNs = durationHistogram('accept_latency_seconds', 'From the first SYN until accept() returns');
  /** Migrations of connections that were accepted: sum, and how many had any. */
  hopsTotal = 0;
  migratedAccepted = 0;
  synRetried = 0;
  /** net.ipv4.tcp_migrate_req at this moment. */
  migrateReq: number;
  overflowDelayed = 0;
  synNotSaved = 0;

  constructor(
    readonly machine: Machine,
    readonly kernel: ReuseportKernel,
    readonly workload: ReuseportWorkload,
    readonly costs: ReuseportCosts,
    timers: ConnectionTimers,
    lockdep: LockProbe,
    private readonly changed: () => void,
  ) {
    this.migrateReq = kernel.migrateReq;
    this.pool = new ConnectionPool(machine, timers);
    this.group = new SockReuseport<Listener>(0, workload.maxSocks);
    this.holds = {
      rskq: new HoldProbe(machine, lockdep),
      fastopen: new HoldProbe(machine, lockdep),
      global: new HoldProbe(machine, lockdep),
    };
    this.bucketLock = new SpinLock(machine, 'listening_hash', { probe: this.holds.global.forLock() });
    this.reuseportLock = new SpinLock(machine, 'reuseport_lock', { probe: this.holds.global.forLock() });
  }

  /** inet_csk_listen_start() of a new socket. */
  listen(generation: number, options: ListenerOptions): Listener {
    const sk = new Listener(this.machine, this.listenersMade++, generation, options, this.holds);
    this.listeners.push(sk);
    this.join(sk);
    return sk;
  }

  /** reuseport_resurrect(): a socket that was shut down listens again, in its group if that has a live member. */
  relisten(sk: Listener): void {
    invariant(!sk.listening && !sk.released, 'reuseport: it cannot listen again');
    sk.reuseportCb?.detachClosed(sk);
    sk.reuseportCb = undefined;
    sk.state = SockState.Listen;
    this.join(sk);
  }

  /** Drops what a request is to its half-open queue. */
  leaveHalfOpen(connection: Connection): void {
    const { owner } = connection;
    invariant(connection.place === Place.HalfOpen && owner !== undefined, 'I1: it is not half-open');
    owner.qlen--;
    if (connection.numTimeout === 0) owner.young--;
    connection.place = Place.None;
    connection.owner = undefined;
    connection.synackTimer.cancel();
    connection.timerFired = false;
  }

  /** inet_csk_reqsk_queue_drop() */
  dropRequest(connection: Connection): void {
    this.leaveHalfOpen(connection);
    this.setListener(connection, undefined);
  }

  /** rsk_listener, with the reference that it is. */
  setListener(connection: Connection, sk: Listener | undefined): void {
    const old = connection.listener;
    if (old === sk) return;
    connection.listener = sk;
    if (sk !== undefined) sk.requests++;
    if (old === undefined) return;
    old.requests--;
    this.destroyIfUnused(old);
  }

  /** __inet_csk_reqsk_queue_add(): the caller has the lock of `sk` and saw that it listens. */
  enqueue(sk: Listener, connection: Connection, atHead = false): void {
    invariant(sk.listening, 'I8: a request is queued at a closed listener');
    invariant(connection.place === Place.None, 'I1: it is in another place');
    if (atHead) sk.prepend(connection);
    else sk.append(connection);
    connection.place = Place.Queued;
    connection.owner = sk;
    this.noteDepth(sk);
  }

  noteDepth(sk: Listener): void {
    if (sk.length > this.depthMax) this.depthMax = sk.length;
    const over = sk.length - sk.options.limit - 1;
    if (over > this.overLimitMax) this.overLimitMax = over;
  }

  /** After it left the queue of `sk`. */
  leftQueue(sk: Listener, connection: Connection): void {
    if (connection.listener !== sk) this.wrongListener--;
    connection.place = Place.None;
    connection.owner = undefined;
  }

  /** sk_data_ready(): one of those who wait. */
  dataReady(sk: Listener): void {
    const waiter = sk.waiters.shift();
    if (waiter !== undefined) this.machine.wake(waiter);
  }

  /** A worker looks at the queue. */
  noticed(sk: Listener): void {
    if (sk.unannouncedNs < 0) return;
    this.sleepingWithWorkNs += this.machine.nowNs - sk.unannouncedNs;
    sk.unannouncedNs = -1;
  }

  resolve(connection: Connection, outcome: Outcome): void {
    if (connection.outcome !== Outcome.Open) return;
    connection.outcome = outcome;
    this.outcomes.counts[outcome]!++;
    connection.clientTimer.cancel();
    connection.patienceTimer.cancel();
    this.changed();
  }

  /** The server resets what it has of it, or answers a packet that belongs to nothing. */
  reset(connection: Connection, outcome: Outcome): void {
    this.mib.resets++;
    this.resolve(connection, outcome);
  }

  hold(connection: Connection): void {
    connection.refs++;
  }

  /** The holder lets go. What nobody holds and nothing will happen to any more has ended. */
  put(connection: Connection): void {
    if (--connection.refs > 0 || connection.place !== Place.None) return;
    if (connection.outcome === Outcome.Open) {
      if (connection.client !== ClientState.Established || connection.clientTimer.pending) return;
      this.resolve(connection, Outcome.HalfOpenHang);
    }
    this.setListener(connection, undefined);
    this.pool.give(connection);
  }

  /** The file is closed. */
  release(sk: Listener): void {
    sk.released = true;
    this.destroyIfUnused(sk);
  }

  private destroyIfUnused(sk: Listener): void {
    if (!sk.released || sk.destroyed || sk.requests > 0 || sk.listening) return;
    sk.destroyed = true;
    sk.reuseportCb?.detachClosed(sk);
    sk.reuseportCb = undefined;
    this.listeners.splice(this.listeners.indexOf(sk), 1);
  }

  private join(sk: Listener): void {
    if (this.group.numSocks === 0 && (this.group.numClosedSocks > 0 || this.listenersMade > 1)) {
      this.group = new SockReuseport<Listener>(this.groups++, this.workload.maxSocks);
    }
    invariant(this.group.add(sk), 'reuseport: the group is full');
  }
}
