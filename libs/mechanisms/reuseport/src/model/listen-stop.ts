// close() and shutdown() of a listener: out of the group (reuseport_stop_listen_sock), TCP_CLOSE, then its accept queue
// is emptied (inet_csk_listen_stop): each child moves to another listener, or is reset.
//
// Two locks of the queue at once are held by the designs that splice (when: unhash); the others take one at a time.
import { type Machine, type TaskBody, YIELD } from '@kworkbench/machine';
import { type Connection, Place } from './connection.js';
import { type Listener, SockState } from './listener.js';
import { Outcome } from './outcomes.js';
import type { ReuseportSelect } from './reuseport-select.js';
import { Point, type TcpStack } from './tcp-stack.js';

/** SINGLE_DEPTH_NESTING */
const NESTED = 1;

export interface CloseRecord {
  readonly listener: Listener;
  readonly startNs: number;
  readonly endNs: number;
  /** Queued when it began. */
  readonly depth: number;
  readonly migrated: number;
  readonly reset: number;
}

export class ListenStop {
  closeMaxNs = 0;
  /** The longest time that bottom halves were off. */
  bhOffMaxNs = 0;
  private migrated = 0;

  constructor(
    private readonly machine: Machine,
    private readonly stack: TcpStack,
    private readonly select: ReuseportSelect,
    private readonly closed: (record: CloseRecord) => void,
  ) {}

  /** @param shutdown keeps the file, so that the socket may listen again. */
  *close(sk: Listener, shutdown: boolean): TaskBody {
    const { machine, stack } = this;
    const startNs = machine.nowNs;
    const depth = sk.length;
    const before = stack.mib.resets;
    const migratedBefore = this.migrated;
    yield stack.costs.closeNs;
    const capable = this.select.capable;
    yield* this.unhash(sk, capable);
    yield stack.costs.setStateNs;
    sk.state = SockState.Close;
    yield* this.emptyQueue(sk, capable && stack.kernel.when === 'listenStop');
    for (const waiter of sk.waiters.splice(0)) machine.wake(waiter);
    if (!shutdown) stack.release(sk);
    const endNs = machine.nowNs;
    this.closeMaxNs = Math.max(this.closeMaxNs, endNs - startNs);
    this.closed({
      listener: sk,
      startNs,
      endNs,
      depth,
      migrated: this.migrated - migratedBefore,
      reset: stack.mib.resets - before,
    });
  }

  /** inet_unhash() and, within it, reuseport_stop_listen_sock(). */
  private *unhash(sk: Listener, capable: boolean): TaskBody {
    const { stack, machine } = this;
    const { bucketLock, reuseportLock, costs } = stack;
    const bhOffNs = machine.nowNs;
    for (let wait; (wait = bucketLock.acquireBh()) !== 0;) yield wait;
    for (let wait; (wait = reuseportLock.acquireBh()) !== 0;) yield wait;
    const group = sk.reuseportCb!;
    yield costs.detachNs(group.socks.indexOf(sk) + 1);
    sk.leftSlot = group.detach(sk);
    if (capable) group.addClosed(sk);
    else sk.reuseportCb = undefined;
    if (capable && stack.kernel.when === 'unhash' && stack.kernel.select !== 'none') {
      const target = this.select.atUnhash(group, sk, sk.leftSlot);
      if (target !== undefined) yield* this.splice(sk, target);
    }
    reuseportLock.unlockBh();
    bucketLock.unlockBh();
    this.noteBhOff(bhOffNs);
  }

  /** inet_csk_reqsk_queue_migrate() of the seed patch. */
  private *splice(from: Listener, to: Listener): TaskBody {
    const { stack } = this;
    const { kernel, costs } = stack;
    const ordered = kernel.nestedLocks === 'addressOrdered';
    // The number of a listener stands for its address.
    const [first, second] = !ordered || from.number < to.number ? [from, to] : [to, from];
    const subclass = ordered ? NESTED : 0;
    for (let wait; (wait = first.rskqLock.acquire()) !== 0;) yield wait;
    for (let wait; (wait = second.rskqLock.acquire(subclass)) !== 0;) yield wait;
    for (let wait; (wait = first.fastopenLock.acquire()) !== 0;) yield wait;
    for (let wait; (wait = second.fastopenLock.acquire(subclass)) !== 0;) yield wait;
    const fixes = kernel.listenerFix === 'loopUnderLock';
    const count = from.length;
    yield costs.spliceNs + 4 * costs.queueLockNs + (fixes ? costs.rewriteListenerNs * count : 0);
    const moved = from.head;
    to.splice(from, kernel.transfer === 'spliceHead');
    let at: Connection | undefined = moved;
    for (let i = 0; i < count; i++, at = at!.next) {
      at!.hops++;
      if (at!.listener === to) stack.wrongListener--;
      else if (fixes) stack.setListener(at!, to);
      else if (at!.listener === from) stack.wrongListener++;
    }
    stack.wrongListenerMax = Math.max(stack.wrongListenerMax, stack.wrongListener);
    stack.mib.migrateSuccess[Point.Close]! += count;
    this.migrated += count;
    stack.noteDepth(to);
    second.fastopenLock.unlock();
    first.fastopenLock.unlock();
    second.rskqLock.unlock();
    first.rskqLock.unlock();
    if (count > 0) this.announce(to);
  }

  /** inet_csk_listen_stop() */
  private *emptyQueue(sk: Listener, migrates: boolean): TaskBody {
    const { machine, stack } = this;
    const { costs } = stack;
    const depth = sk.length;
    const migrateNs = costs.migrateNs(depth);
    const resetNs = costs.resetNs(depth);
    let last: Listener | undefined;
    for (;;) {
      for (let wait; (wait = sk.rskqLock.acquireBh()) !== 0;) yield wait;
      yield costs.queueLockNs;
      const connection = sk.shift();
      if (connection !== undefined) {
        stack.hold(connection);
        stack.leftQueue(sk, connection);
      }
      sk.rskqLock.unlockBh();
      if (connection === undefined) return;
      machine.localBhDisable();
      const bhOffNs = machine.nowNs;
      const target = migrates ? this.select.migrate(sk, connection, Point.Close, 0) : undefined;
      if (target !== undefined) {
        const otherNs = last !== undefined && last !== target ? costs.otherTargetNs : 0;
        yield migrateNs + otherNs + this.select.programNs;
        let contendedNs = 0;
        for (let wait; (wait = target.rskqLock.acquire()) !== 0;) {
          contendedNs = costs.queueLockContendedNs;
          yield wait;
        }
        yield costs.queueLockNs + contendedNs;
        this.append(connection, target);
        target.rskqLock.unlock();
        if (connection.place === Place.Queued) this.announce(target);
        last = target;
      } else {
        yield resetNs + this.select.programNs;
        stack.setListener(connection, undefined);
        const refused = connection.refusedFor === Outcome.PolicyDrop;
        stack.reset(connection, refused ? Outcome.PolicyDrop : Outcome.QueueRst);
      }
      machine.localBhEnable();
      this.noteBhOff(bhOffNs);
      stack.put(connection);
      yield YIELD;
    }
  }

  /** inet_csk_reqsk_queue_add() of a clone; the caller has the lock of the target. */
  private append(connection: Connection, target: Listener): void {
    const { stack } = this;
    const { kernel, mib } = stack;
    if (!target.listening) {
      // It stopped listening between pick and append; nobody tries again.
      mib.migrateFailure[Point.Close]!++;
      stack.setListener(connection, undefined);
      stack.reset(connection, Outcome.TargetClosed);
      return;
    }
    const fixed = kernel.listenerFix === 'clone' || kernel.listenerFix === 'loopUnderLock';
    if (fixed) stack.setListener(connection, target);
    stack.enqueue(target, connection, kernel.transfer === 'spliceHead');
    if (connection.listener !== target) {
      stack.wrongListener++;
      stack.wrongListenerMax = Math.max(stack.wrongListenerMax, stack.wrongListener);
    }
    connection.hops++;
    this.migrated++;
    mib.migrateSuccess[Point.Close]!++;
  }

  /** Tells a waiter of the target, in kernels that do. */
  private announce(target: Listener): void {
    if (this.stack.kernel.wakeTarget) this.stack.dataReady(target);
    else if (target.waiters.length > 0 && target.unannouncedNs < 0) target.unannouncedNs = this.machine.nowNs;
  }

  private noteBhOff(sinceNs: number): void {
    this.bhOffMaxNs = Math.max(this.bhOffMaxNs, this.machine.nowNs - sinceNs);
  }
}
