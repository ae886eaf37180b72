// A worker: accept(), some time for the connection, and again; sleeps in epoll_wait() (level-triggered) while its
// listener's queue is empty. One listener may have several workers.
import { DONE, type Machine, PARK, Routine, type Task } from '@kworkbench/machine';
import type { Connection } from './connection.js';
import type { Listener } from './listener.js';
import { Outcome } from './outcomes.js';
import type { TcpStack } from './tcp-stack.js';

const enum Stage {
  Poll,
  Lock,
  Remove,
}

/** A connection is accepted: inet_csk_accept() returns it. */
export function accepted(stack: TcpStack, sk: Listener, connection: Connection): void {
  const { nowNs } = stack.machine;
  stack.hold(connection);
  stack.leftQueue(sk, connection);
  stack.setListener(connection, undefined);
  sk.accepted++;
  if (connection.outcome === Outcome.Open) {
    stack.acceptNs.record(nowNs - connection.startNs);
    if (connection.hops > 0) {
      stack.hopsTotal += connection.hops;
      stack.migratedAccepted++;
    }
    if (connection.overflowed) stack.overflowDelayed++;
    if (sk.options.saveSyn && !connection.synSaved) stack.synNotSaved++;
    stack.resolve(connection, Outcome.Accepted);
  }
  stack.put(connection);
}

export class Worker extends Routine {
  stopped = false;
  readonly task: Task;
  private stage = Stage.Poll;
  private readonly serviceNs: number;
  private readonly computes: boolean;

  constructor(
    private readonly machine: Machine,
    private readonly stack: TcpStack,
    readonly listener: Listener,
    name: string,
    cpu: number,
  ) {
    super();
    const { workload } = stack;
    this.serviceNs = Math.round(workload.service * 1e9);
    this.computes = workload.serviceKind === 'cpu';
    this.task = machine.spawn(name, () => this, { near: machine.cpus[cpu]!, userMode: true });
  }

  /** It ends before its next accept(). */
  stop(): void {
    this.stopped = true;
    const { waiters } = this.listener;
    const at = waiters.indexOf(this.task);
    if (at < 0) return;
    waiters.splice(at, 1);
    this.machine.wake(this.task);
  }

  protected step(): number {
    const { listener, stack } = this;
    switch (this.stage) {
      case Stage.Poll:
        if (this.stopped) return DONE;
        if (listener.length === 0) {
          if (!listener.waiters.includes(this.task)) listener.waiters.push(this.task);
          return PARK;
        }
        stack.noticed(listener);
        this.stage = Stage.Lock;
        return stack.costs.acceptNs;
      case Stage.Lock: {
        const wait = listener.rskqLock.acquireBh();
        if (wait !== 0) return wait;
        this.stage = Stage.Remove;
        return stack.costs.queueLockNs;
      }
      case Stage.Remove: {
        const connection = listener.shift();
        listener.rskqLock.unlockBh();
        this.stage = Stage.Poll;
        // Another worker was faster: EAGAIN.
        if (connection === undefined) return 0;
        accepted(stack, listener, connection);
        return this.computes ? this.serviceNs : this.machine.sleep(this.serviceNs);
      }
    }
  }
}
