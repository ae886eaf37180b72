// A listening socket: its accept queue (request_sock_queue), its half-open counters, and who waits for it.
//
// I3: `ackBacklog` is the length of the queue, `qlen` the number of half-open requests, `young` at most `qlen`.
import { invariant, type Machine, SpinLock, type Task } from '@kworkbench/machine';
import type { Connection } from './connection.js';
import type { HoldProbe } from './hold-probe.js';
import { listenerName } from './names.js';
import type { SockReuseport } from './sock-reuseport.js';

export const enum SockState {
  Listen,
  Close,
}

export interface ListenerOptions {
  readonly limit: number;
  readonly saveSyn: boolean;
  readonly fastOpen: boolean;
  /** TCP_DEFER_ACCEPT in retransmissions; 0 is off. */
  readonly deferAccept: number;
}

export class Listener {
  readonly name: string;
  state: SockState = SockState.Listen;
  reuseportCb: SockReuseport<Listener> | undefined;
  /** User space sends it no more SYNs. */
  draining = false;
  /** The file is closed: it goes when the last request goes. */
  released = false;
  destroyed = false;
  /** Requests whose rsk_listener it is. */
  requests = 0;

  /** rskq_accept_head .. rskq_accept_tail */
  head: Connection | undefined;
  tail: Connection | undefined;
  length = 0;
  /** sk_ack_backlog */
  ackBacklog = 0;
  qlen = 0;
  young = 0;
  /** Everything that was ever queued here, migrants included. */
  received = 0;
  accepted = 0;

  readonly rskqLock: SpinLock;
  readonly fastopenLock: SpinLock;
  /** Workers that sleep in accept() or epoll_wait(), the first to be woken first. */
  readonly waiters: Task[] = [];
  /** Slot that it had in its group when it left. */
  leftSlot = 0;
  /** Since when work lies here that no waiter was told of; -1: there is none. */
  unannouncedNs = -1;

  constructor(
    machine: Machine,
    readonly number: number,
    readonly generation: number,
    readonly options: ListenerOptions,
    locks: { readonly rskq: HoldProbe; readonly fastopen: HoldProbe },
  ) {
    this.name = listenerName(number);
    this.rskqLock = new SpinLock(machine, 'rskq_lock', { probe: locks.rskq.forLock() });
    this.fastopenLock = new SpinLock(machine, 'fastopenq_lock', { probe: locks.fastopen.forLock() });
  }

  get listening(): boolean {
    return this.state === SockState.Listen;
  }

  /** sk_acceptq_is_full(): one more than the limit fits. */
  get full(): boolean {
    return this.ackBacklog > this.options.limit;
  }

  /** To the tail, as __inet_csk_reqsk_queue_add(); the caller has the lock. */
  append(connection: Connection): void {
    connection.next = undefined;
    if (this.tail === undefined) this.head = connection;
    else this.tail.next = connection;
    this.tail = connection;
    this.length++;
    this.ackBacklog++;
    this.received++;
  }

  /** To the head: one by one, that reverses their order. */
  prepend(connection: Connection): void {
    connection.next = this.head;
    this.head = connection;
    this.tail ??= connection;
    this.length++;
    this.ackBacklog++;
    this.received++;
  }

  /** reqsk_queue_remove() */
  shift(): Connection | undefined {
    const connection = this.head;
    if (connection === undefined) return undefined;
    this.head = connection.next;
    if (this.head === undefined) this.tail = undefined;
    connection.next = undefined;
    this.length--;
    this.ackBacklog--;
    return connection;
  }

  /** The whole queue of `from` before or behind the own entries, in the order that it has; nothing is left there. */
  splice(from: Listener, atHead: boolean): void {
    const { head, tail, length } = from;
    if (head === undefined || tail === undefined) return;
    for (let at: Connection | undefined = head; at !== undefined; at = at.next) at.owner = this;
    if (this.tail === undefined || this.head === undefined) {
      this.head = head;
      this.tail = tail;
    } else if (atHead) {
      tail.next = this.head;
      this.head = head;
    } else {
      this.tail.next = head;
      this.tail = tail;
    }
    this.length += length;
    this.ackBacklog += from.ackBacklog;
    this.received += length;
    from.head = undefined;
    from.tail = undefined;
    from.length = 0;
    from.ackBacklog = 0;
  }

  /** I3, for what can be seen in the listener itself. */
  check(): void {
    invariant(
      this.ackBacklog === this.length,
      `I3: ${this.name}: ackBacklog ${this.ackBacklog}, ${this.length} queued`,
    );
    invariant(this.young >= 0 && this.young <= this.qlen, `I3: ${this.name}: ${this.young} young of ${this.qlen}`);
  }
}
