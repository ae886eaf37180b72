// Tasks that share the bandwidth of a node, against shared processing worked out in reals.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MS, testMachine } from '../testing/build.js';
import { MemoryPhase } from './memory-bandwidth.js';
import { HardwareRates, type RateSpec } from './rates.js';
import { Topology, type TopologyShape } from './topology.js';

function host(cpus: number, shape: TopologyShape, spec: RateSpec) {
  const machine = testMachine(cpus);
  return { machine, rates: new HardwareRates(machine, new Topology(cpus, shape), spec) };
}

interface Job {
  readonly startNs: number;
  readonly workNs: number;
  readonly demand: number;
  readonly limit: number;
}

/** Max-min shared processing on one node, worked out in reals from event to event: when each job ends. */
function sharedEnds(jobs: readonly Job[], capacity: number): number[] {
  const left = jobs.map((job) => job.workNs);
  const ends = jobs.map(() => NaN);
  let nowNs = 0;
  while (ends.some(Number.isNaN)) {
    const active = jobs.map((_, i) => i).filter((i) => Number.isNaN(ends[i]!) && jobs[i]!.startNs <= nowNs);
    const speeds = waterFill(
      active.map((i) => jobs[i]!),
      capacity,
    );
    const nextStart = Math.min(...jobs.map((job) => job.startNs).filter((startNs) => startNs > nowNs));
    const nextEnd = Math.min(...active.map((i, k) => nowNs + left[i]! / speeds[k]!));
    const untilNs = Math.min(nextStart, nextEnd);
    active.forEach((i, k) => {
      left[i] = left[i]! - (untilNs - nowNs) * speeds[k]!;
      if (left[i]! < 1e-6) ends[i] = untilNs;
    });
    nowNs = untilNs;
  }
  return ends;
}

/** Raises all speeds together until each is at its limit or the capacity is used up. */
function waterFill(jobs: readonly Job[], capacity: number): number[] {
  const wants = jobs.map((job) => job.demand * job.limit);
  const got = jobs.map(() => 0);
  let left = capacity;
  let hungry = jobs.map((_, i) => i);
  while (hungry.length > 0 && left > 1e-12) {
    const step = Math.min(left / hungry.length, ...hungry.map((i) => wants[i]! - got[i]!));
    for (const i of hungry) got[i] = got[i]! + step;
    left -= step * hungry.length;
    hungry = hungry.filter((i) => wants[i]! - got[i]! > 1e-12);
  }
  return got.map((bytes, i) => bytes / jobs[i]!.demand);
}

describe('memory bandwidth', () => {
  function run(jobs: readonly Job[], capacity: number) {
    const { machine, rates } = host(Math.max(1, jobs.length), {}, { memoryBytesPerNs: capacity });
    const ends = jobs.map(() => NaN);
    jobs.forEach(({ startNs, workNs, demand, limit }, i) => {
      const phase = new MemoryPhase(0, demand, limit);
      machine.spawn(
        `job ${i}`,
        function* (task) {
          yield machine.sleep(startNs);
          rates.enter(task, phase);
          yield workNs;
          rates.leave(task);
          ends[i] = machine.nowNs;
        },
        { on: machine.cpus[i]! },
      );
    });
    machine.run(Infinity);
    return ends;
  }

  it('runs n equal streams at min(1, S / n)', () => {
    const job = { startNs: 0, workNs: 10 * MS, demand: 4, limit: 1 };
    for (const [n, ms] of [
      [1, 10],
      [5, 10],
      [8, 16],
      [20, 40],
    ] as const) {
      const ends = run(
        Array.from({ length: n }, () => job),
        20,
      );
      expect(ends.every((end) => Math.abs(end - ms * MS) <= 1)).toBe(true);
    }
  });

  it('gives back what a stream leaves over, at once', () => {
    const ends = run(
      [
        { startNs: 0, workNs: 10 * MS, demand: 10, limit: 1 },
        { startNs: 4 * MS, workNs: 3 * MS, demand: 10, limit: 1 },
      ],
      10,
    );
    // Alone 4 ms; both at half speed for 6 ms; the first has 3 ms of work left.
    expect(ends).toEqual([13 * MS, 10 * MS]);
  });

  it('agrees with shared processing worked out in reals, whatever comes when', () => {
    const job = fc.record({
      startNs: fc.integer({ min: 0, max: 5 * MS }),
      workNs: fc.integer({ min: 1, max: 5 * MS }),
      demand: fc.integer({ min: 1, max: 20 }),
      limit: fc.constantFrom(1, 0.9, 0.5),
    });
    fc.assert(
      fc.property(fc.array(job, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 40 }), (jobs, capacity) => {
        const ends = run(jobs, capacity);
        const expected = sharedEnds(jobs, capacity);
        // Each end is rounded up to a ns, and an end moves those after it by a part of that.
        ends.forEach((end, i) => expect(Math.abs(end - expected[i]!)).toBeLessThanOrEqual(2 * jobs.length + 1));
      }),
    );
  });

  it('is taken only while the task runs, and only in its phase', () => {
    const { machine, rates } = host(2, {}, { memoryBytesPerNs: 1 });
    const phase = new MemoryPhase(0, 1);
    const ends: number[] = [];
    const stream = (cpu: number, pauseNs: number) =>
      machine.spawn(
        'stream',
        function* (task) {
          rates.enter(task, phase);
          yield 2 * MS;
          if (pauseNs > 0) yield machine.sleep(pauseNs);
          yield 2 * MS;
          rates.leave(task);
          yield 2 * MS;
          ends.push(machine.nowNs);
        },
        { on: machine.cpus[cpu]! },
      );
    stream(0, 0);
    stream(1, 10 * MS);
    machine.run(Infinity);
    // Both at half speed until 4 ms; the first ends its phase at 6 ms. The second sleeps from 4 to 14 ms.
    expect(ends).toEqual([8 * MS, 18 * MS]);
    expect([rates.memory.streams(0), machine.cpus[0]!.rate, machine.cpus[1]!.rate]).toEqual([0, 1, 1]);
  });

  it('is that of the node where the memory is', () => {
    const { machine, rates } = host(4, { sockets: 2 }, { memoryBytesPerNs: 1 });
    const ends: number[] = [];
    for (const [cpu, node] of [
      [0, 1],
      [2, 1],
      [1, 0],
    ] as const) {
      const index = ends.push(NaN) - 1;
      machine.spawn(
        'stream',
        function* (task) {
          rates.enter(task, new MemoryPhase(node, 1));
          yield 5 * MS;
          ends[index] = machine.nowNs;
        },
        { on: machine.cpus[cpu]! },
      );
    }
    machine.run(Infinity);
    expect(ends).toEqual([10 * MS, 10 * MS, 5 * MS]);
  });
});
