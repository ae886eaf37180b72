import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskBody } from '../sched/task.js';
import { MS, testMachine } from '../testing/build.js';
import { Work } from './work.js';
import { Workqueues } from './workqueues.js';

const CREATE_NS = 100_000;
const IDLE_TIMEOUT_NS = 1000 * MS;

function testQueues(cpus = 1) {
  const machine = testMachine(cpus, { contextSwitchNs: 1000 });
  const workqueues = new Workqueues(machine, { workerCreateNs: CREATE_NS, workerIdleTimeoutNs: IDLE_TIMEOUT_NS });
  const at = (ns: number, what: () => void): void => machine.schedule(ns, machine.addActor(what), 0);
  return { machine, workqueues, at, cpu: machine.cpus[0]! };
}

describe('random work', () => {
  const CPUS = 3;
  const item = fc.record({
    /** When it is queued, and on which CPU each time. */
    queued: fc.array(fc.record({ atNs: fc.nat({ max: 20 * MS }), cpu: fc.nat({ max: CPUS - 1 }) }), { maxLength: 4 }),
    queue: fc.nat({ max: 4 }),
    runNs: fc.nat({ max: 2 * MS }),
    sleepNs: fc.nat({ max: 5 * MS }),
  });

  it('is never lost, never on two workers at once, and never more than max_active of it is under way', () => {
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 30 }),
        fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 20 })),
        (items, limits) => {
          const { machine, workqueues, at } = testQueues(CPUS);
          const queues = [
            workqueues.alloc(limits[0]),
            workqueues.alloc(limits[1]),
            workqueues.allocOrdered('ordered'),
            workqueues.allocUnbound(limits[1]),
            workqueues.alloc(limits[0], { cpuIntensive: true, highPri: true }),
          ];
          let owed = 0;
          for (const { queued, queue, runNs, sleepNs } of items) {
            let inside = false;
            let waiting = false;
            const work = new Work(function* () {
              expect(inside).toBe(false);
              inside = true;
              waiting = false;
              owed--;
              yield runNs;
              yield machine.sleep(sleepNs);
              yield runNs;
              inside = false;
            });
            for (const { atNs, cpu } of queued) {
              at(atNs, () => {
                // Queueing while pending does nothing; pending ends when the item starts.
                expect(queues[queue]!.queueOn(machine.cpus[cpu]!, work)).toBe(!waiting);
                if (!waiting) owed++;
                waiting = true;
              });
            }
          }
          let lowest = 0;
          machine.observe(99_991, () => {
            for (const pool of workqueues.pools()) {
              lowest = Math.min(lowest, pool.nrRunning, pool.blocked);
            }
          });
          machine.run(Infinity);
          expect([owed, lowest]).toEqual([0, 0]);
          for (const queue of queues) {
            expect(queue.activeMax).toBeLessThanOrEqual(queue.maxActive);
            expect(queue.colors.inFlight).toBe(0);
          }
          for (const pool of workqueues.pools())
            expect([pool.worklist.length, pool.nrRunning, pool.blocked]).toEqual([0, 0, 0]);
        },
      ),
    );
  });

  it('leaves every queue with nothing active, so that max_active items fit in again', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 12 }), (cpus) => {
        const { machine, workqueues } = testQueues(CPUS);
        const queue = workqueues.alloc(1);
        // One item, queued here and there while it runs: every time counts in the queue that it came by.
        const work = new Work(() => sleeper(2 * MS));
        function* sleeper(ns: number): TaskBody {
          yield machine.sleep(ns);
        }
        cpus.forEach((cpu, i) =>
          machine.schedule(
            i * 700_000,
            machine.addActor(() => queue.queueOn(machine.cpus[cpu]!, work)),
            0,
          ),
        );
        machine.run(Infinity);
        let done = 0;
        for (const cpu of machine.cpus) {
          queue.queueOn(
            cpu,
            new Work(function* () {
              yield 1;
              done++;
            }),
          );
        }
        machine.run(Infinity);
        expect(done).toBe(CPUS);
      }),
    );
  });
});

describe('a bound pool', () => {
  it('does not start an item while another worker of it runs, and starts one when that worker blocks', () => {
    const { machine, workqueues, cpu } = testQueues();
    const queue = workqueues.alloc(256);
    const log: string[] = [];
    const item = (name: string, sleepNs: number) =>
      new Work(function* () {
        log.push(`${name} starts`);
        yield 10 * MS;
        yield machine.sleep(sleepNs);
        yield 10 * MS;
        log.push(`${name} ends`);
      });
    queue.queueOn(cpu, item('a', 0));
    queue.queueOn(cpu, item('b', 50 * MS));
    queue.queueOn(cpu, item('c', 0));
    machine.run(Infinity);
    expect(log).toEqual(['a starts', 'a ends', 'b starts', 'c starts', 'c ends', 'b ends']);
    // One for b, one for c, and the one that the second made to stand by.
    expect(workqueues.workersMax).toBe(3);
  });

  it('lets a worker that ends its item while another runs take no further one', () => {
    const { machine, workqueues, cpu } = testQueues();
    const queue = workqueues.alloc(256);
    const log: string[] = [];
    const item = (name: string, sleepNs: number, runNs: number) =>
      new Work(function* () {
        log.push(`${name} starts`);
        yield machine.sleep(sleepNs);
        yield runNs;
        log.push(`${name} ends`);
      });
    // a sleeps, so b starts; a wakes and shares the CPU with b, and is done long before it.
    queue.queueOn(cpu, item('a', 5 * MS, 1 * MS));
    queue.queueOn(cpu, item('b', 0, 50 * MS));
    queue.queueOn(cpu, item('c', 0, 1 * MS));
    machine.run(Infinity);
    expect(log).toEqual(['a starts', 'b starts', 'a ends', 'b ends', 'c starts', 'c ends']);
  });

  it('goes from item to item on one worker as long as none blocks', () => {
    const { machine, workqueues, cpu } = testQueues();
    const queue = workqueues.alloc(256);
    let done = 0;
    for (let i = 0; i < 1000; i++) {
      queue.queueOn(
        cpu,
        new Work(function* () {
          yield 1000;
          done++;
        }),
      );
    }
    machine.run(Infinity);
    expect([done, workqueues.workersMax]).toEqual([1000, 2]);
    // A switch, 1000 items back to back.
    expect(machine.nowNs).toBe(1000 + 1000 * 1000);
  });

  it('has a worker for each item that sleeps, up to max_active, and starts the rest as they end, in order', () => {
    const { machine, workqueues, cpu } = testQueues();
    const queue = workqueues.alloc(8);
    const started: number[] = [];
    for (let i = 0; i < 20; i++) {
      queue.queueOn(
        cpu,
        new Work(function* () {
          started.push(i);
          yield machine.sleep(100 * MS);
        }),
      );
    }
    machine.run(50 * MS);
    expect([started.length, workqueues.blocked, workqueues.running]).toEqual([8, 8, 0]);
    machine.run(Infinity);
    expect(started).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(queue.activeMax).toBe(8);
  });

  it('is shared by all bound queues, each with its own max_active', () => {
    const { machine, workqueues, cpu } = testQueues();
    const queues = [workqueues.alloc(1), workqueues.alloc(2)];
    const item = () =>
      new Work(function* () {
        yield machine.sleep(100 * MS);
      });
    for (const queue of queues) for (let i = 0; i < 5; i++) queue.queueOn(cpu, item());
    machine.run(50 * MS);
    expect([workqueues.blocked, [...workqueues.pools()].length]).toEqual([3, 1]);
    machine.run(Infinity);
    expect(queues.map(({ activeMax }) => activeMax)).toEqual([1, 2]);
  });

  it('wakes an idle worker rather than create one', () => {
    const { machine, workqueues, at, cpu } = testQueues();
    const queue = workqueues.alloc(256);
    const starts: number[] = [];
    const item = () =>
      new Work(function* () {
        starts.push(machine.nowNs);
        yield 1000;
      });
    queue.queueOn(cpu, item());
    at(10 * MS, () => queue.queueOn(cpu, item()));
    machine.run(Infinity);
    expect(starts).toEqual([1000, 10 * MS + 1000]);
    expect(workqueues.workersMax).toBe(2);
  });

  it('ends surplus workers after the idle time-out, and still does what is queued afterwards', () => {
    const { machine, workqueues, at, cpu } = testQueues();
    const queue = workqueues.alloc(256);
    let done = 0;
    const item = () =>
      new Work(function* () {
        yield machine.sleep(10 * MS);
        done++;
      });
    const burst = (count: number) => () => {
      for (let i = 0; i < count; i++) queue.queueOn(cpu, item());
    };
    burst(20)();
    at(2 * IDLE_TIMEOUT_NS, burst(1));
    at(2 * IDLE_TIMEOUT_NS + 100 * MS, burst(20));
    machine.run(2 * IDLE_TIMEOUT_NS + 50 * MS);
    // A worker for each item and one more to stand by; of idle ones two are left, one of which then sleeps in an item.
    expect([workqueues.workersMax, workqueues.workers]).toEqual([21, 2]);
    // A worker that ended must not count as running: nobody would be woken for the next item.
    expect(workqueues.running).toBe(0);
    machine.run(Infinity);
    expect(done).toBe(41);
  });
});

describe('a work item', () => {
  it('that is queued on another CPU while it runs, runs again after, on the worker that it is on', () => {
    const { machine, workqueues, at } = testQueues(2);
    const queue = workqueues.alloc(256);
    const runs: [number, number][] = [];
    const work = new Work(function* () {
      const startNs = machine.nowNs;
      const { index } = machine.current.cpu;
      yield 10 * MS;
      runs.push([startNs, index]);
    });
    const results: boolean[] = [];
    queue.queueOn(machine.cpus[0]!, work);
    for (const atNs of [5 * MS, 6 * MS]) at(atNs, () => results.push(queue.queueOn(machine.cpus[1]!, work)));
    machine.run(Infinity);
    expect(results).toEqual([true, false]);
    const startNs = 1000;
    expect(runs).toEqual([
      [startNs, 0],
      [startNs + 10 * MS, 0],
    ]);
  });
});

describe('an ordered queue', () => {
  it('runs one item at a time in the order of queueing, whatever CPU they come from', () => {
    const { machine, workqueues, at } = testQueues(4);
    const queue = workqueues.allocOrdered('o');
    const order: number[] = [];
    let inside = 0;
    for (let i = 0; i < 40; i++) {
      at(i * 1000, () => {
        queue.queueOn(
          machine.cpus[i % 4]!,
          new Work(function* () {
            expect(++inside).toBe(1);
            yield machine.sleep(1 + ((i * 7919) % 5000));
            yield (i * 104729) % 3000;
            order.push(i);
            inside--;
          }),
        );
      });
    }
    machine.run(Infinity);
    expect(order).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(workqueues.workersMax).toBe(2);
  });
});

describe('delayed work', () => {
  it.each([
    ['0 at once', 0, 0],
    ['1 ns later at the second tick', 1, 8 * MS],
    ['a jiffy later at the second tick', 4 * MS, 8 * MS],
    ['10 ms later at the fourth', 10 * MS, 16 * MS],
    ['1 s later at the next multiple of eight jiffies', 1000 * MS, 1024 * MS],
  ])('is queued %s, by the timer wheel', (_, delayNs, expectedNs) => {
    const { machine, workqueues, cpu } = testQueues();
    const queue = workqueues.alloc(1);
    let startNs = -1;
    const work = new Work(function* () {
      startNs = machine.nowNs;
      yield 1;
    });
    expect(workqueues.queueDelayed(queue, cpu, work, delayNs)).toBe(true);
    expect(workqueues.queueDelayed(queue, cpu, work, delayNs)).toBe(false);
    expect(queue.queueOn(cpu, work)).toBe(false);
    machine.run(Infinity);
    expect(startNs).toBe(expectedNs + 1000);
  });

  it('keeps its timers apart', () => {
    const { machine, workqueues, cpu } = testQueues();
    const queue = workqueues.alloc(256);
    const order: number[] = [];
    for (let i = 0; i < 10; i++) {
      const work = new Work(function* () {
        order.push(i);
        yield 1;
      });
      workqueues.queueDelayed(queue, cpu, work, (10 - i) * 100 * MS);
    }
    machine.run(Infinity);
    expect(order).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });
});
