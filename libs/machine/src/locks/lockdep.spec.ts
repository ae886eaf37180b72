import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../machine.js';
import { SchedClass, type TaskBody } from '../sched/task.js';
import { testMachine } from '../testing/build.js';
import { LockClass } from './lock-class.js';
import { LockGraph } from './lock-graph.js';
import { LockMap } from './lock-map.js';
import { Lockdep, type LockdepOptions } from './lockdep.js';
import { Mutex } from './mutex.js';
import { Rwsem } from './rwsem.js';
import { SpinLock } from './spinlock.js';

function setup(options: LockdepOptions = {}) {
  const machine = testMachine(2);
  const lockdep = new Lockdep(machine, options);
  const mutex = (name: string, lockClass?: LockClass) =>
    new Mutex(machine, name, { probe: lockdep, ...(lockClass === undefined ? {} : { lockClass }) });
  const spin = (name: string) => new SpinLock(machine, name, { probe: lockdep });
  return { machine, lockdep, mutex, spin };
}

/** Takes the mutexes one inside the other, and gives them back. */
function* nest(mutexes: readonly Mutex[]): TaskBody {
  for (const mutex of mutexes) yield* mutex.lock();
  yield 10;
  for (const mutex of [...mutexes].reverse()) mutex.unlock();
}

/** One task after the other, so that nothing can hang. */
function inTurn(machine: Machine, orders: readonly (readonly Mutex[])[]): void {
  for (const order of orders) {
    machine.spawn('task', () => nest(order));
    machine.run(Infinity);
  }
}

describe('Lockdep', () => {
  it('reports an inversion of two locks that never hung, once, with both orders', () => {
    const { machine, lockdep, mutex } = setup();
    const [a, b] = [mutex('a'), mutex('b')];
    inTurn(machine, [
      [a, b],
      [b, a],
      [b, a],
      [a, b],
    ]);
    expect(lockdep.reports).toEqual([
      { kind: 'circular', timeNs: 10, task: 'task', taking: 'a', holding: ['b'], cycle: ['a', 'b'] },
    ]);
    expect([lockdep.classCount, lockdep.dependencyCount]).toEqual([2, 2]);
  });

  it('reports an inversion that does hang before it hangs', () => {
    const { machine, lockdep, mutex } = setup();
    const [a, b] = [mutex('a'), mutex('b')];
    for (const [i, order] of [
      [a, b],
      [b, a],
    ].entries()) {
      machine.spawn(
        `task ${i}`,
        function* () {
          yield* order[0]!.lock();
          yield machine.sleep(100);
          yield* order[1]!.lock();
        },
        { on: machine.cpus[i]! },
      );
    }
    machine.run(Infinity);
    expect(machine.scheduler.liveTasks).toBe(2);
    expect(lockdep.reports.map(({ kind, cycle }) => [kind, cycle])).toEqual([['circular', ['a', 'b']]]);
  });

  it('reports a cycle of three, although no two of them are inverted', () => {
    const { machine, lockdep, mutex } = setup();
    const [a, b, c] = [mutex('a'), mutex('b'), mutex('c')];
    inTurn(machine, [
      [a, b],
      [b, c],
      [c, a],
    ]);
    expect(lockdep.reports.map(({ cycle }) => cycle)).toEqual([['a', 'b', 'c']]);
  });

  it.each([
    ['are different classes, although their names are alike', new LockClass('list'), new LockClass('list'), 0],
    ['are one class', new LockClass('list'), undefined, 1],
  ])('locks of two call sites %s', (_, first, other, reports) => {
    const { machine, lockdep, mutex } = setup();
    const [outer, inner] = [mutex('x', first), mutex('y', other ?? first)];
    const middle = mutex('middle');
    inTurn(machine, [
      [outer, middle],
      [middle, inner],
    ]);
    expect(lockdep.reports.length).toBe(reports);
  });

  it('takes locks of one name for one class', () => {
    const { machine, lockdep, mutex } = setup();
    const [a, b, middle] = [mutex('conn'), mutex('conn'), mutex('table')];
    inTurn(machine, [
      [a, middle],
      [middle, b],
    ]);
    expect(lockdep.reports.map(({ kind }) => kind)).toEqual(['circular']);
  });

  it.each([
    [0, ['recursive']],
    [1, []],
  ])('two locks of one class inside each other, subclass %i: %j', (subclass, kinds) => {
    const { machine, lockdep, mutex } = setup({ instances: true });
    const [a, b] = [mutex('queue'), mutex('queue')];
    const body = function* (): TaskBody {
      yield* a.lock();
      yield* b.lock(subclass);
      b.unlock();
      a.unlock();
    };
    for (let i = 0; i < 3; i++) machine.spawn('task', body);
    machine.run(Infinity);
    expect(lockdep.reports.map(({ kind }) => kind)).toEqual(kinds);
    expect(lockdep.reports[0]?.taking ?? 'queue').toBe('queue');
  });

  it('tells an inversion of the very locks from a warning about their class', () => {
    const { machine, lockdep, mutex } = setup({ instances: true });
    const [a, b, c] = [mutex('queue'), mutex('queue'), mutex('queue')];
    inTurn(machine, [
      [a, b],
      [b, c],
    ]);
    expect([lockdep.count('recursive'), lockdep.count('instance')]).toEqual([1, 0]);
    inTurn(machine, [[c, a]]);
    expect([lockdep.count('recursive'), lockdep.count('instance')]).toEqual([1, 1]);
  });

  it('does not mind a trylock against the order, but what is taken after it', () => {
    const { machine, lockdep, mutex } = setup();
    const [a, b, c] = [mutex('a'), mutex('b'), mutex('c')];
    inTurn(machine, [
      [a, b],
      [c, b],
    ]);
    machine.spawn('try', function* () {
      yield* b.lock();
      expect(a.tryLock()).toBe(true);
      yield* c.lock();
      c.unlock();
      a.unlock();
      b.unlock();
    });
    machine.run(Infinity);
    // b -> c closes a cycle; b -> a is not even an edge.
    expect(lockdep.reports.map(({ cycle }) => cycle)).toEqual([['c', 'b']]);
  });

  it('follows locks that are not given back in reverse order', () => {
    const { machine, lockdep, mutex } = setup();
    const [a, b, c] = [mutex('a'), mutex('b'), mutex('c')];
    machine.spawn('hand over hand', function* (task) {
      yield* a.lock();
      yield* b.lock();
      a.unlock();
      yield* c.lock();
      expect([a, b, c].map((lock) => lockdep.isHeld(lock, task))).toEqual([false, true, true]);
      b.unlock();
      c.unlock();
    });
    machine.run(Infinity);
    inTurn(machine, [[c, a]]);
    expect(lockdep.reports.map(({ cycle }) => cycle)).toEqual([['a', 'b', 'c']]);
  });

  it.each<[string, (machine: Machine, mutex: Mutex, rwsem: Rwsem, spin: SpinLock) => TaskBody, number]>([
    [
      'inside a spinlock',
      function* (_, mutex, __, spin) {
        yield* spin.lock();
        yield* mutex.lock();
        mutex.unlock();
        spin.unlock();
      },
      1,
    ],
    [
      'with bottom halves off',
      function* (machine, _, rwsem) {
        machine.localBhDisable();
        yield* rwsem.lockRead();
        rwsem.upRead();
        machine.localBhEnable();
      },
      1,
    ],
    [
      'where it may sleep',
      function* (_, mutex, rwsem) {
        yield* mutex.lock();
        yield* rwsem.lockWrite();
        rwsem.upWrite();
        mutex.unlock();
      },
      0,
    ],
    [
      'as a trylock inside a spinlock',
      function* (_, mutex, __, spin) {
        yield* spin.lock();
        if (mutex.tryLock()) mutex.unlock();
        spin.unlock();
      },
      0,
    ],
  ])('reports a sleeping lock that is taken where nobody may sleep, although it was free: %s', (_, body, reports) => {
    const { machine, lockdep, mutex, spin } = setup();
    const rwsem = new Rwsem(machine, 'rwsem', { probe: lockdep });
    const locks = [mutex('mutex'), rwsem, spin('spin')] as const;
    for (let i = 0; i < 2; i++) machine.spawn('task', () => body(machine, ...locks));
    machine.run(Infinity);
    expect([lockdep.reports.length, lockdep.count('atomic')]).toEqual([reports, reports]);
  });

  it('reports a sleeping lock in a softirq', () => {
    const { machine, lockdep, mutex } = setup();
    const lock = mutex('m');
    machine.spawn('softirq', () => nest([lock]), { schedClass: SchedClass.Softirq });
    machine.run(Infinity);
    expect(lockdep.reports.map(({ kind }) => kind)).toEqual(['atomic']);
  });

  it.each([
    ['is reported when tasks take it with softirqs on', false, 1],
    ['is fine when tasks take it with bottom halves off', true, 0],
  ])('a spinlock that a softirq takes %s', (_, bh, reports) => {
    const { machine, lockdep, spin } = setup();
    const lock = spin('est_lock');
    machine.spawn(
      'softirq',
      function* () {
        yield* lock.lock();
        lock.unlock();
      },
      { schedClass: SchedClass.Softirq },
    );
    machine.run(Infinity);
    machine.spawn('task', function* () {
      if (bh) yield* lock.lockBh();
      else yield* lock.lock();
      if (bh) lock.unlockBh();
      else lock.unlock();
    });
    machine.run(Infinity);
    expect(lockdep.count('softirq')).toBe(reports);
  });

  it('knows by maps what waiting for other tasks means: a job is part of the order', () => {
    const { machine, lockdep, mutex } = setup();
    const site = (name: string) => new LockMap(machine, name, { lockClass: new LockClass(name), probe: lockdep });
    const [jobA, jobB] = [site('job'), site('job')];
    const lock = mutex('mmap_lock');
    const main = (job: LockMap, inside: boolean) =>
      function* (): TaskBody {
        if (inside) yield* lock.lock();
        job.acquire();
        job.release();
        if (inside) lock.unlock();
      };
    const worker = (job: LockMap) =>
      function* (): TaskBody {
        job.acquire();
        yield* lock.lock();
        lock.unlock();
        job.release();
      };
    // The workers of site A take the lock, and main waits for those of site B inside it: no cycle, the sites differ.
    for (const body of [main(jobA, false), worker(jobA), main(jobB, true)]) machine.spawn('padata', body);
    machine.run(Infinity);
    expect(lockdep.reports).toEqual([]);
    machine.spawn('padata', worker(jobB));
    machine.run(Infinity);
    expect(lockdep.reports.map(({ taking, holding }) => [taking, holding])).toEqual([['mmap_lock', ['job']]]);
  });
});

describe('LockGraph', () => {
  it('finds a cycle with the edge that closes it, and only then', () => {
    const edge = fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 6 })).filter(([from, to]) => from !== to);
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 30 }), (edges) => {
        const graph = new LockGraph();
        // By the book: who reaches whom.
        const reaches = Array.from({ length: 7 }, (_, i) => new Set([i]));
        for (const [from, to] of edges) {
          const isNew = !graph.has(from, to);
          const path = graph.add(from, to);
          expect(path !== undefined).toBe(isNew && reaches[to]!.has(from));
          const cycle = path ?? [to, from];
          expect([cycle[0], cycle.at(-1), new Set(cycle).size]).toEqual([to, from, cycle.length]);
          expect(path?.every((node, i) => i === 0 || graph.has(path[i - 1]!, node)) ?? true).toBe(true);
          for (const set of reaches) if (set.has(from)) for (const node of reaches[to]!) set.add(node);
        }
        expect(graph.edgeCount).toBe(new Set(edges.map(([from, to]) => from * 7 + to)).size);
      }),
    );
  });

  it('never reports tasks that keep to one order', () => {
    const order = fc.uniqueArray(fc.nat({ max: 5 }), { maxLength: 4 }).map((locks) => locks.sort((a, b) => a - b));
    fc.assert(
      fc.property(fc.array(order, { maxLength: 10 }), (orders) => {
        const { machine, lockdep, mutex } = setup({ instances: true });
        const mutexes = Array.from({ length: 6 }, (_, i) => mutex(`m${i}`));
        for (const locks of orders) machine.spawn('task', () => nest(locks.map((i) => mutexes[i]!)));
        machine.run(Infinity);
        expect([lockdep.reports, machine.scheduler.liveTasks]).toEqual([[], 0]);
      }),
      { numRuns: 50 },
    );
  });
});
