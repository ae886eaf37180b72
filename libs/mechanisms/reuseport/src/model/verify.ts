// The invariants of the specification that a look at the whole state can tell, between closes.
import { invariant } from '@kworkbench/machine';
import { Place } from './connection.js';
import { Outcome } from './outcomes.js';
import type { SockReuseport } from './sock-reuseport.js';
import type { Listener } from './listener.js';
import type { TcpStack } from './tcp-stack.js';

/** I1 to I4. Any time no packet is half-way through, which is whenever no CPU acts. */
export function verifyBooks(stack: TcpStack): void {
  const halfOpen = new Map<Listener, number>();
  let open = 0;
  let halfOpenCount = 0;
  for (const connection of stack.pool.all) {
    if (connection.outcome === Outcome.Open) open++;
    if (connection.place !== Place.HalfOpen) continue;
    halfOpenCount++;
    invariant(connection.owner === connection.listener, 'I2: a half-open request is counted by another listener');
    halfOpen.set(connection.owner!, (halfOpen.get(connection.owner!) ?? 0) + 1);
  }
  invariant(open === stack.outcomes.open, `I4: ${open} connections are open, the books say ${stack.outcomes.open}`);
  let wrong = 0;
  for (const sk of stack.listeners) {
    sk.check();
    invariant(sk.qlen === (halfOpen.get(sk) ?? 0), `I3: ${sk.name}: qlen ${sk.qlen} of ${halfOpen.get(sk) ?? 0}`);
    halfOpenCount -= sk.qlen;
    let queued = 0;
    for (let at = sk.head; at !== undefined; at = at.next) {
      queued++;
      invariant(at.place === Place.Queued && at.owner === sk, `I1: ${sk.name} has a connection that is elsewhere`);
      if (at.listener !== sk) wrong++;
    }
    invariant(queued === sk.length, `I3: ${sk.name}: ${queued} in the queue, length ${sk.length}`);
  }
  invariant(halfOpenCount === 0, 'I1: a half-open request of a listener that is gone');
  invariant(
    wrong === stack.wrongListener,
    `I2: ${wrong} requests name another listener, counted ${stack.wrongListener}`,
  );
  const exempt = stack.kernel.listenerFix === 'never' || stack.kernel.listenerFix === 'atAcceptTfoOnly';
  invariant(exempt || wrong === 0, 'I2: a request names another listener than the owner of its queue');
}

/** I5, while no close is under way. */
export function verifyGroup(group: SockReuseport<Listener>): void {
  const live = group.live();
  const closed = group.closed();
  invariant(group.numSocks + group.numClosedSocks <= group.maxSocks, 'I5: the sections of the group overlap');
  invariant(
    live.every((sk) => sk.listening && sk.reuseportCb === group),
    'I5: a member in front does not listen',
  );
  invariant(
    closed.every((sk) => !sk.listening && sk.reuseportCb === group),
    'I5: a member at the end listens',
  );
  invariant(new Set([...live, ...closed]).size === live.length + closed.length, 'I5: a socket is there twice');
}
