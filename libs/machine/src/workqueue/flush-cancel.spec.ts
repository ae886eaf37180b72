import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MS, testMachine } from '../testing/build.js';
import { Work } from './work.js';
import { type WorkqueueCosts, Workqueues } from './workqueues.js';

function testQueues(cpus = 1, costs: Partial<WorkqueueCosts> = {}) {
  const machine = testMachine(cpus);
  const workqueues = new Workqueues(machine, { workerCreateNs: 100_000, workerIdleTimeoutNs: 300e9, ...costs });
  const at = (ns: number, what: () => void): void => machine.schedule(ns, machine.addActor(what), 0);
  return { machine, workqueues, at, cpu: machine.cpus[0]! };
}

describe('flushing', () => {
  it('waits for everything that was queued before, and for nothing that was queued after', () => {
    const item = fc.record({
      atNs: fc.integer({ min: 0, max: 20 * MS }),
      cpu: fc.nat({ max: 1 }),
      runNs: fc.nat({ max: 3 * MS }),
      sleepNs: fc.nat({ max: 5 * MS }),
      requeued: fc.boolean(),
    });
    const flushes = fc.array(fc.integer({ min: 0, max: 30 * MS }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 20 }),
        flushes,
        fc.integer({ min: 1, max: 4 }),
        (items, times, active) => {
          const { machine, workqueues, at } = testQueues(2);
          const queues = [workqueues.alloc(active), workqueues.allocUnbound(active), workqueues.allocOrdered('o')];
          for (const queue of queues) {
            /** Executions that are owed, by the time at which they were queued. */
            const owed = new Set<object>();
            for (const { atNs, cpu, runNs, sleepNs, requeued } of items) {
              let execution = {};
              let again = requeued;
              const work: Work = new Work(function* () {
                const own = execution;
                if (again) {
                  again = false;
                  enqueue();
                }
                yield runNs;
                yield machine.sleep(sleepNs);
                owed.delete(own);
              });
              const enqueue = (): void => {
                execution = {};
                owed.add(execution);
                queue.queueOn(machine.cpus[cpu]!, work);
              };
              at(atNs, enqueue);
            }
            for (const atNs of times) {
              machine.spawn('flusher', function* () {
                yield machine.sleep(atNs);
                const before = [...owed];
                const inFlight = queue.colors.inFlight;
                const startNs = machine.nowNs;
                yield* queue.flush();
                expect(before.filter((execution) => owed.has(execution))).toEqual([]);
                expect(inFlight > 0 || machine.nowNs === startNs).toBe(true);
              });
            }
          }
          machine.run(Infinity);
          expect(queues.map(({ colors }) => colors.inFlight)).toEqual([0, 0, 0]);
          // Nobody waits any more: what lives is workers.
          expect(machine.scheduler.liveTasks).toBeLessThanOrEqual(workqueues.workers + 2);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('of one item waits for its execution, also one that was queued while it ran, and not for others', () => {
    const { machine, workqueues, at, cpu } = testQueues();
    const queue = workqueues.alloc(8);
    const work = new Work(function* () {
      yield machine.sleep(10 * MS);
    });
    const other = new Work(function* () {
      yield machine.sleep(500 * MS);
    });
    const ends: number[] = [];
    for (const startMs of [1, 6]) {
      machine.spawn('flusher', function* () {
        yield machine.sleep(startMs * MS);
        yield* workqueues.flushWork(work);
        ends.push(Math.round(machine.nowNs / MS));
      });
    }
    at(0, () => queue.queueOn(cpu, other));
    at(0, () => queue.queueOn(cpu, work));
    at(5 * MS, () => queue.queueOn(cpu, work));
    machine.run(Infinity);
    expect(ends).toEqual([10, 20]);
  });

  it('of delayed work does not wait for its timer; of plain work that only its timer holds it returns at once', () => {
    const { machine, workqueues, cpu } = testQueues();
    const queue = workqueues.alloc(8);
    const ran: number[] = [];
    const work = new Work(function* () {
      yield 1 * MS;
      ran.push(machine.nowNs / MS);
    });
    machine.spawn('flusher', function* () {
      queue.queueDelayedOn(cpu, work, 100);
      yield* workqueues.flushWork(work);
      ran.push(machine.nowNs / MS);
      yield* workqueues.flushDelayedWork(work);
      ran.push(machine.nowNs / MS);
    });
    machine.run(Infinity);
    expect(ran).toEqual([0, 1, 1]);
  });

  it('drain waits until the queue is empty, also for items that queue themselves again', () => {
    const { machine, workqueues, cpu } = testQueues();
    const queue = workqueues.alloc(8);
    let left = 5;
    const work: Work = new Work(function* () {
      yield 1 * MS;
      if (--left > 0) queue.queueOn(cpu, work);
    });
    let endMs = 0;
    machine.spawn('drainer', function* () {
      queue.queueOn(cpu, work);
      yield* queue.drain();
      endMs = machine.nowNs / MS;
    });
    machine.run(Infinity);
    expect([left, endMs]).toEqual([0, 5]);
  });

  it('of an item by itself is a bug', () => {
    const { machine, workqueues, cpu } = testQueues();
    const queue = workqueues.alloc(8);
    const work: Work = new Work(() => workqueues.flushWork(work));
    queue.queueOn(cpu, work);
    expect(() => machine.run(Infinity)).toThrow('waits for itself');
  });
});

describe('cancelling', () => {
  it('leaves an item neither pending nor running, and gives its place to the next', () => {
    const step = fc.record({ atNs: fc.integer({ min: 1, max: 40 * MS }), item: fc.nat({ max: 5 }) });
    const steps = fc.array(fc.tuple(step, fc.constantFrom('queue', 'queue', 'delay', 'mod', 'cancel', 'sync')), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 3 }), (all, active) => {
        const { machine, workqueues, at } = testQueues(2);
        const queues = [workqueues.alloc(active), workqueues.allocOrdered('o')];
        const inside = [0, 0, 0, 0, 0, 0];
        let violations = 0;
        const works = inside.map((_, i) => {
          return new Work(function* () {
            inside[i]!++;
            expect(inside[i]).toBe(1);
            yield 200_000 * i;
            yield machine.sleep(MS * i);
            inside[i]!--;
          });
        });
        for (const [{ atNs, item }, what] of all) {
          const work = works[item]!;
          const queue = queues[item % 2]!;
          const cpu = machine.cpus[item < 3 ? 0 : 1]!;
          if (what === 'sync') {
            machine.spawn('canceller', function* () {
              yield machine.sleep(atNs);
              // Two cancellers at once are the caller's business.
              const cancelling = work.pending && work.queue === undefined && work.timer?.pending !== true;
              if (!cancelling) yield* workqueues.cancelSync(work);
              if (!cancelling && (inside[item]! > 0 || work.pending)) violations++;
            });
            continue;
          }
          at(atNs, () => {
            const cancelling = work.pending && work.queue === undefined && work.timer?.pending !== true;
            if (what === 'queue') queue.queueOn(cpu, work);
            if (what === 'delay') queue.queueDelayedOn(cpu, work, item);
            if (what === 'mod' && !cancelling) queue.modDelayedOn(cpu, work, item);
            if (what === 'cancel' && !cancelling) workqueues.cancel(work);
          });
        }
        machine.run(Infinity);
        expect([violations, ...inside]).toEqual([0, 0, 0, 0, 0, 0, 0]);
        expect(works.some(({ pending }) => pending)).toBe(false);
        expect(queues.map(({ colors }) => colors.inFlight)).toEqual([0, 0]);
        // max_active items fit in again.
        let done = 0;
        for (const queue of queues) {
          const work = new Work(function* () {
            yield 1;
            done++;
          });
          queue.queueOn(machine.cpus[0]!, work);
        }
        machine.run(Infinity);
        expect(done).toBe(2);
      }),
    );
  });

  it.each([
    ['cancel', 'while its timer runs', 1, 0, true],
    ['cancel', 'while it runs', 19, 1, false],
    ['sync', 'while it runs', 19, 1, false],
    ['sync', 'after it ran', 60, 1, false],
  ])('by %s %s at %d ms lets it run %d times and says whether it was pending: %s', (how, _, atMs, runs, pending) => {
    const { machine, workqueues, cpu } = testQueues();
    const queue = workqueues.alloc(8);
    let begun = 0;
    let ended = 0;
    const work = new Work(function* () {
      begun++;
      yield machine.sleep(20 * MS);
      ended++;
    });
    // Three jiffies: the tick at 16 ms.
    queue.queueDelayedOn(cpu, work, 3);
    machine.spawn('canceller', function* () {
      yield machine.sleep(atMs * MS);
      const was = how === 'sync' ? yield* workqueues.cancelSync(work) : workqueues.cancel(work);
      expect([was, how === 'sync' ? ended : begun]).toEqual([pending, begun]);
    });
    machine.run(Infinity);
    expect([begun, ended]).toEqual([runs, runs]);
  });

  it('mod_delayed_work puts the time off, and brings it forward', () => {
    const { machine, workqueues, at, cpu } = testQueues();
    const queue = workqueues.alloc(8);
    const ran: number[] = [];
    const work = new Work(function* () {
      yield 0;
      ran.push(machine.nowNs / MS);
    });
    for (let ms = 0; ms < 40; ms += 4) at(ms * MS, () => queue.modDelayedOn(cpu, work, 10));
    at(1000 * MS, () => expect(queue.modDelayedOn(cpu, work, 1000)).toBe(false));
    at(1100 * MS, () => expect(queue.modDelayedOn(cpu, work, 0)).toBe(true));
    machine.run(Infinity);
    // The last one at 36 ms, ten jiffies and the edge.
    expect(ran).toEqual([80, 1100]);
  });
});
