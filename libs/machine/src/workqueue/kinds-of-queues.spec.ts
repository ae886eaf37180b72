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

describe('kinds of queues', () => {
  it('a CPU-intensive item does not keep other items of its pool from running; a plain one does', () => {
    const lateMs = [false, true].map((cpuIntensive) => {
      const { machine, workqueues, cpu } = testQueues();
      const hog = workqueues.alloc(8, { cpuIntensive });
      let startMs = 0;
      hog.queueOn(
        cpu,
        new Work(function* () {
          yield 1000 * MS;
        }),
      );
      workqueues.alloc(8).queueOn(
        cpu,
        new Work(function* () {
          startMs = machine.nowNs / MS;
          yield 1;
        }),
      );
      machine.run(Infinity);
      return startMs;
    });
    expect(lateMs[0]).toBe(1000);
    expect(lateMs[1]).toBeLessThan(10);
  });

  it('an unbound queue runs as many items at once as there are CPUs, up to max_active, wherever they were queued', () => {
    const { machine, workqueues, cpu } = testQueues(4, { workerCreateNs: 0 });
    const queue = workqueues.allocUnbound(3);
    let done = 0;
    for (let i = 0; i < 6; i++) {
      queue.queueOn(
        cpu,
        new Work(function* () {
          yield 10 * MS;
          done++;
        }),
      );
    }
    machine.run(11 * MS);
    expect(done).toBe(3);
    machine.run(21 * MS);
    expect([done, queue.activeMax]).toEqual([6, 3]);
  });

  it('unbound queues have a pool per node, ordered ones one for the machine', () => {
    const { machine, workqueues } = testQueues(4, { nodeOf: ({ index }) => index >> 1 });
    const queue = workqueues.allocUnbound(8);
    const ordered = workqueues.allocOrdered('o');
    const item = (): Work =>
      new Work(function* () {
        yield 1;
      });
    for (const cpu of machine.cpus) {
      queue.queueOn(cpu, item());
      ordered.queueOn(cpu, item());
    }
    machine.run(Infinity);
    expect([...workqueues.pools()].length).toBe(3);
  });

  it('the workers of an unbound pool stay on their node', () => {
    const { machine, workqueues } = testQueues(4, { nodeOf: ({ index }) => index >> 1 });
    const queue = workqueues.allocUnbound(8);
    const seen = new Set<number>();
    for (let i = 0; i < 8; i++) {
      queue.queueOn(
        machine.cpus[2]!,
        new Work(function* () {
          yield 10 * MS;
          seen.add(machine.current.cpu.index);
        }),
      );
    }
    machine.run(Infinity);
    expect([...seen].sort()).toEqual([2, 3]);
  });

  it('a high-priority queue gets the CPU from a plain task as weights say: 88,761 to 1,024', () => {
    const { machine, workqueues, cpu } = testQueues();
    const endsMs: number[] = [];
    machine.spawn('user', function* () {
      yield 1000 * MS;
    });
    for (const highPri of [false, true]) {
      const queue = workqueues.alloc(8, { highPri });
      queue.queueOn(
        cpu,
        new Work(function* () {
          yield 300 * MS;
          endsMs.push(machine.nowNs / MS);
        }),
      );
    }
    machine.run(Infinity);
    expect(endsMs[0]).toBeGreaterThan(299);
    expect(endsMs[0]).toBeLessThan(320);
    expect(endsMs[1]).toBeGreaterThan(800);
  });

  it('a queue with a rescuer gets its items done while no worker can be made; one without waits', () => {
    const { machine, workqueues, cpu } = testQueues(1, { createStallNs: () => 5_000 * MS });
    const doneMs: Record<string, number> = {};
    const item = (name: string, sleepMs: number): Work =>
      new Work(function* () {
        yield machine.sleep(sleepMs * MS);
        doneMs[name] = machine.nowNs / MS;
      });
    const reclaim = workqueues.alloc(8, { name: 'reclaim', memReclaim: true });
    const plain = workqueues.alloc(8);
    // Uses up the worker that there is; the other has to make a third before it may begin.
    plain.queueOn(cpu, item('sleeper', 60_000));
    plain.queueOn(cpu, item('plain', 0));
    reclaim.queueOn(cpu, item('reclaim', 0));
    machine.run(Infinity);
    // MAYDAY_INITIAL_TIMEOUT: two jiffies at HZ 250.
    expect(doneMs['reclaim']).toBe(12);
    expect(doneMs['plain']).toBeGreaterThan(5_000);
    expect(reclaim.rescuer!.rescued).toBe(1);
  });
});
