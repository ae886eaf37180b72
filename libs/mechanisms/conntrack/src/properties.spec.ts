// Properties of the specification that need a spec beside the asserts of the model. P1 and P4 are asserts alone; P2, P6, P9
// and P10 are in expected-results.spec.ts, P7 beside the queue.
import type { Lock, LockProbe, Task } from '@kworkbench/machine';
import { describe, expect, it } from 'vitest';
import { TimeoutPolicies, Tm } from './model/timeouts.js';
import { type CellOptions, run, systemOf } from './testing/cells.js';

/** Which lock was taken inside which. */
class Orders implements LockProbe {
  readonly seen = new Set<string>();
  private readonly held = new Map<Task, Lock[]>();

  acquire(): void {}

  contended(): void {}

  acquired(lock: Lock, task: Task): void {
    const held = this.held.get(task) ?? [];
    for (const outer of held) this.seen.add(`${outer.name} > ${lock.name}`);
    this.held.set(task, [...held, lock]);
  }

  release(lock: Lock, task: Task): void {
    this.held.set(
      task,
      this.held.get(task)!.filter((other) => other !== lock),
    );
  }
}

describe('P3: what has expired is removed in time', () => {
  const CONNECTIONS = 3_000;
  const LIMIT = 5_000;
  const [REMOVED, VISITED] = [Math.floor(LIMIT / 10), Math.floor(LIMIT / 64)];
  // As late as can be: they expire right after a round has looked at them.
  it.each([
    ['before', 0.05, 5 + Math.ceil(CONNECTIONS / REMOVED) * 0.2],
    ['v3', 0.05, 5 + Math.ceil(CONNECTIONS / REMOVED) * 0.2],
    ['v4', 0.05, 5 + Math.ceil(CONNECTIONS / REMOVED) * 0.2],
    ['merged', 7, 20 + Math.ceil(CONNECTIONS / VISITED) * 0.2],
  ])('%s: 5 s, or 20 s, and 200 ms for each budget that the backlog needs', (variant, expireAfter, bound) => {
    const workload = {
      kind: 'massExpiry',
      threads: 1,
      connections: CONNECTIONS,
      packetRate: 100,
      duration: 40,
      expireAfter,
    };
    const { metrics } = run({ variant, kernel: { connLimit: LIMIT }, workload });
    expect(metrics['removed_total']).toBeGreaterThanOrEqual(CONNECTIONS);
    expect(metrics['expired_oldest_seconds']).toBeLessThan(bound);
    expect(metrics['expired_oldest_seconds']).toBeGreaterThan(0.9 * bound);
  });
});

describe('P5: the order of locks', () => {
  const small = {
    threads: 3,
    duration: 0.8,
    packetRate: 20_000,
    timeout: 0.3,
    zones: 4,
    connections: 300,
    flushAt: 0.5,
  };
  const buckets = (order: string): string[] => Array.from({ length: 16 }, (_, i) => order.replace('#', String(i)));
  it.each([
    ['before', ['ct_lock > conn->lock']],
    ['v3', ['conn->lock > ct_lock']],
    ['v4', ['conn->lock > ct_lock']],
    ['merged', ['conn->lock > ct_lock']],
    ['buckets', buckets('conn->lock > bucket lock #')],
  ])('%s: one lock inside the other in one order only', (variant, orders) => {
    const seen = new Set<string>();
    for (const kind of ['churn', 'flush', 'policies', 'zones']) {
      const kernel = { proveLocking: true, sweepIntervalSeconds: 0.2, connLimit: 5_000 };
      const system = systemOf({ variant, kernel, workload: { ...small, kind } });
      const watch = new Orders();
      for (const lock of system.ct.locks) lock.addProbe(watch);
      system.machine.lockProbe = watch;
      system.start();
      system.machine.run(Infinity);
      for (const order of watch.seen) seen.add(order);
    }
    expect([...seen].sort()).toEqual(orders.sort());
  });

  it.each(['before', 'v4', 'merged'])(
    '%s: proving the locking changes no result, also where packets go in bursts',
    (variant) => {
      for (const workload of [
        { packets: 3_000, threads: 1 },
        { packets: 1_000, threads: 3 },
      ]) {
        const proved = run({ variant, kernel: { proveLocking: true }, workload }).metrics;
        const plain = run({ variant, workload }).metrics;
        // A burst of 32 packets is rounded once, not 32 times 5.
        expect(Math.abs(proved['wall_seconds']! / plain['wall_seconds']! - 1)).toBeLessThan(2e-3);
        for (const count of [
          'ct_lock_acquisitions_per_packet',
          'conn_lock_acquisitions_per_packet',
          'inserted_total',
        ]) {
          expect(proved[count]).toBe(plain[count]);
        }
      }
    },
  );
});

describe('P8: a policy that was replaced', () => {
  it('holds from the next lookup on; between its removal and its insert lookups find the defaults', () => {
    const policies = new TimeoutPolicies(2);
    policies.takeAway(7);
    expect(policies.timeoutNs(7, Tm.OtherFirst)).toBe(60e9);
    expect(policies.timeoutNs(6, Tm.OtherFirst)).toBe(2e9);
    policies.set(7, 9);
    expect(policies.timeoutNs(7, Tm.OtherFirst)).toBe(9e9);
    expect(policies.readsOfNone).toBe(1);
  });

  it.each([
    ['before', false],
    ['v4', true],
    ['merged', true],
  ])('%s: packets meet the gap: %s', (variant, meets) => {
    const workload = { kind: 'policies', threads: 4, zones: 1, duration: 0.2, packetRate: 100_000, adminRate: 20_000 };
    const { metrics } = run({ variant, workload });
    expect(metrics['policy_default_reads_total']! > 0).toBe(meets);
  });
});

describe('ports that run out', () => {
  const PORTS = 500;
  const cell = (variant: string): CellOptions => ({
    variant,
    workload: { kind: 'synFlood', threads: 2, duration: 1, packetRate: 5_000, nat: true, natPorts: PORTS },
  });

  it.each([
    ['before', true],
    ['merged', true],
    ['v3', false],
    ['v4', false],
  ])('%s: refuse the packet after a search of all; under ct_lock: %s', (variant, underLock) => {
    const { metrics } = run(cell(variant));
    expect(metrics['connections_max']).toBe(PORTS);
    expect(metrics['drops_nat_total']).toBeGreaterThan(9_000);
    expect(metrics['drops_total']).toBe(metrics['drops_nat_total']);
    expect(metrics['ct_lock_hold_max_seconds']! > PORTS * 70e-9).toBe(underLock);
  });
});

describe('a node that goes back to the front', () => {
  it.each([
    ['its own queue', false, Tm.OtherFirst],
    ["the queue of its present kind (the series' quirk)", true, Tm.OtherMultiple],
  ])('goes to %s, when a packet has changed its kind during the sweep', (_, pushFrontToCurrentKind, queue) => {
    const system = systemOf({
      variant: 'v4',
      kernel: { pushFrontToCurrentKind },
      workload: { kind: 'churn', threads: 1 },
    });
    const { ct, machine } = system;
    const conn = ct.insert(1, 0, Tm.OtherFirst, 0);
    ct.queues[Tm.OtherFirst]!.insert(conn);
    ct.conns.reschedule[conn] = 1;
    // It has been put back by then, and comes again.
    const packet = machine.addActor(() => (ct.conns.tm[conn] = Tm.OtherMultiple));
    machine.spawn('ct_clean', () => system.cleaner);
    while (ct.queues[Tm.OtherFirst]!.length === 1 && system.cleaner.rounds === 0 && machine.nowNs < 1e6) {
      machine.run(machine.nowNs + 10);
      if (ct.conns.reschedule[conn] === 0) machine.schedule(0, packet, 0);
    }
    machine.run(1e6);
    expect(system.cleaner.rounds).toBe(1);
    expect([Tm.OtherFirst, Tm.OtherMultiple].map((tm) => ct.queues[tm]!.length)).toEqual(
      [Tm.OtherFirst, Tm.OtherMultiple].map((tm) => (tm === queue ? 1 : 0)),
    );
  });
});

describe('the sweep cursor of 3.0', () => {
  it('begins with the list at which the last round ended: a sweep of a full table takes twice as long', () => {
    const workload = { kind: 'established', threads: 1, connections: 18_000, duration: 45, packetRate: 500 };
    const oldest = (variant: string): number =>
      run({ variant, workload, kernel: { connLimit: 20_000, sweepIntervalSeconds: 1 } }).metrics[
        'expired_oldest_seconds'
      ]!;
    // 100 lists, two of which use up a budget: 50 rounds of 200 ms, or 100.
    expect(oldest('merged')).toBeLessThan(11.5);
    expect(oldest('merged_3_0_bug')).toBeGreaterThan(19);
  });

  it('does not show while a round has no need to end early', () => {
    const workload = { kind: 'churn', threads: 2, duration: 8, packetRate: 10_000, timeout: 1 };
    const [fixed, bug] = ['merged', 'merged_3_0_bug'].map((variant) => run({ variant, workload }).metrics);
    expect(bug).toEqual(fixed);
  });

  it('never leaves a list that is longer than the budget, and the table fills up with what has expired', () => {
    // Every hundredth flow is of one zone, and so on one list: zones with long timeouts make long lists.
    const workload = {
      kind: 'policies',
      threads: 1,
      zones: 100,
      duration: 90,
      packetRate: 2_000,
      timeout: 10,
      adminRate: 0.5,
    };
    const kernel = { connLimit: 7_500, sweepIntervalSeconds: 1 };
    const [fixed, bug] = ['merged', 'merged_3_0_bug'].map((variant) => run({ variant, workload, kernel }).metrics);
    expect(fixed!['drops_full_total']).toBe(0);
    expect(bug!['drops_full_total']).toBeGreaterThan(10_000);
  });
});
