import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../machine.js';
import { MS, testMachine } from '../testing/build.js';
import { MemoryPhase } from './memory-bandwidth.js';
import { HardwareRates, type RateSpec } from './rates.js';
import { Topology, type TopologyShape } from './topology.js';

function host(cpus: number, shape: TopologyShape, spec: RateSpec) {
  const machine = testMachine(cpus);
  return { machine, rates: new HardwareRates(machine, new Topology(cpus, shape), spec) };
}

/** A task on its CPU that does `workNs` from `startNs` on; its end goes into the list. */
function worker(machine: Machine, ends: number[], cpu: number, startNs: number, workNs: number) {
  const index = ends.push(NaN) - 1;
  return machine.spawn(
    `worker ${index}`,
    function* () {
      yield machine.sleep(startNs);
      yield workNs;
      ends[index] = machine.nowNs;
    },
    { on: machine.cpus[cpu]! },
  );
}

describe('SMT', () => {
  const smt = { smt: [1, 0.6] };

  it.each([
    ['one thread alone', [0], [10]],
    ['two cores', [0, 1], [10, 10]],
    ['both threads of a core', [0, 2], [10 / 0.6, 10 / 0.6]],
    ['a full machine', [0, 1, 2, 3], [10 / 0.6, 10 / 0.6, 10 / 0.6, 10 / 0.6]],
  ])('%s', (_, cpus, endsMs) => {
    const { machine } = host(4, { threadsPerCore: 2 }, smt);
    const ends: number[] = [];
    for (const cpu of cpus) worker(machine, ends, cpu, 0, 10 * MS);
    machine.run(Infinity);
    expect(ends.map((end) => Math.abs(end - endsMs[0]! * MS)).every((off) => off <= 1)).toBe(true);
  });

  it('slows a thread only while its sibling is busy', () => {
    const { machine } = host(2, { threadsPerCore: 2 }, smt);
    const ends: number[] = [];
    worker(machine, ends, 0, 0, 10 * MS);
    worker(machine, ends, 1, 5 * MS, 3 * MS);
    machine.run(Infinity);
    // The second takes 5 ms; the first does 5 + 0.6 * 5 in 10 ms, then the last 2 at full speed.
    expect(ends).toEqual([12 * MS, 10 * MS]);
    expect(machine.cpus[0]!.busyNs).toBe(12 * MS);
  });

  it('does not see a change of tasks on a CPU', () => {
    const { machine } = host(2, { threadsPerCore: 2 }, smt);
    const ends: number[] = [];
    const changes: [number, number][] = [];
    const setRate = machine.scheduler.setRate.bind(machine.scheduler);
    machine.scheduler.setRate = (cpu, rate) => {
      if (cpu.rate !== rate) changes.push([cpu.index, rate]);
      setRate(cpu, rate);
    };
    worker(machine, ends, 0, 0, 30 * MS);
    for (let i = 0; i < 4; i++) worker(machine, ends, 1, 0, 6 * MS);
    machine.run(Infinity);
    // The four take turns until 40 ms; the first has 6 ms of work left then.
    expect(ends[0]).toBe(46 * MS);
    expect(Math.max(...ends.slice(1))).toBe(40 * MS);
    expect(changes.filter(([cpu]) => cpu === 0)).toEqual([
      [0, 0.6],
      [0, 1],
    ]);
  });
});

describe('the shared frequency of a socket', () => {
  const frequency = [
    { cores: 1, speed: 1 },
    { cores: 3, speed: 0.8 },
    { cores: 4, speed: 0.5 },
  ];

  it.each([
    [1, 10],
    [2, 12.5],
    [3, 12.5],
    [4, 20],
  ])('with %d busy cores makes 10 ms of work take %d ms', (busy, endMs) => {
    const { machine } = host(8, { sockets: 2 }, { frequency });
    const ends: number[] = [];
    for (let cpu = 0; cpu < busy; cpu++) worker(machine, ends, cpu, 0, 10 * MS);
    machine.run(Infinity);
    expect(ends).toEqual(ends.map(() => endMs * MS));
  });

  it('is none of the other socket', () => {
    const { machine } = host(8, { sockets: 2 }, { frequency });
    const ends: number[] = [];
    for (const cpu of [0, 1, 2, 3, 4]) worker(machine, ends, cpu, 0, 10 * MS);
    machine.run(Infinity);
    expect(ends).toEqual([20, 20, 20, 20, 10].map((ms) => ms * MS));
  });

  it('counts cores, and goes with SMT', () => {
    const { machine } = host(8, { threadsPerCore: 2 }, { frequency, smt: [1, 0.5] });
    const ends: number[] = [];
    for (const cpu of [0, 4]) worker(machine, ends, cpu, 0, 10 * MS);
    machine.run(Infinity);
    expect(ends).toEqual([20 * MS, 20 * MS]); // one core: 1 x 0.5
    const both: number[] = [];
    const second = host(8, { threadsPerCore: 2 }, { frequency, smt: [1, 0.5] }).machine;
    for (const cpu of [0, 4, 1]) worker(second, both, cpu, 0, 8 * MS);
    second.run(Infinity);
    // Two cores at 0.8: the pair at 0.4, the single at 0.8 until it ends at 10 ms; then the pair at 0.5.
    expect(both).toEqual([18 * MS, 18 * MS, 10 * MS]);
  });
});

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

describe('rates', () => {
  it('conserve work whatever comes and goes: what a CPU was busy with is what it worked at its rates', () => {
    const job = fc.record({
      cpu: fc.nat(7),
      startNs: fc.nat(3 * MS),
      workNs: fc.integer({ min: 1, max: 2 * MS }),
      memory: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(job, { minLength: 1, maxLength: 16 }), (jobs) => {
        const { machine, rates } = host(
          8,
          { sockets: 2, threadsPerCore: 2 },
          {
            smt: [1, 0.7],
            frequency: [
              { cores: 1, speed: 1 },
              { cores: 2, speed: 0.9 },
            ],
            memoryBytesPerNs: 3,
          },
        );
        const phase = new MemoryPhase(0, 2);
        // The area under the rates of busy CPUs, from every change to the next.
        const last = machine.cpus.map(() => 0);
        const area = machine.cpus.map(() => 0);
        const setRate = machine.scheduler.setRate.bind(machine.scheduler);
        const settle = (cpu: number) => {
          const busyNs = machine.cpus[cpu]!.busyNs;
          area[cpu] = area[cpu]! + (busyNs - last[cpu]!) * machine.cpus[cpu]!.rate;
          last[cpu] = busyNs;
        };
        machine.scheduler.setRate = (cpu, rate) => {
          machine.scheduler.settle(cpu);
          settle(cpu.index);
          setRate(cpu, rate);
        };
        const done = machine.cpus.map(() => 0);
        let bursts = 0;
        for (const { cpu, startNs, workNs, memory } of jobs) {
          machine.spawn(
            'job',
            function* (task) {
              yield machine.sleep(startNs);
              if (memory) rates.enter(task, phase);
              yield workNs;
              if (memory) rates.leave(task);
              done[cpu] = done[cpu]! + workNs;
              bursts++;
            },
            { on: machine.cpus[cpu]! },
          );
        }
        machine.run(Infinity);
        expect(bursts).toBe(jobs.length);
        machine.cpus.forEach((_, cpu) => {
          settle(cpu);
          // A burst ends at a whole ns: less than one of it is lost, each time it ends.
          expect(area[cpu]! - done[cpu]!).toBeGreaterThan(-1e-3);
          expect(area[cpu]! - done[cpu]!).toBeLessThan(jobs.length + 1e-3);
        });
      }),
      { numRuns: 50 },
    );
  });

  it('of a machine without SMT, frequency table and streams are never worked out', () => {
    const { machine, rates } = host(4, { sockets: 2 }, { memoryBytesPerNs: 1 });
    const ends: number[] = [];
    for (let cpu = 0; cpu < 4; cpu++) worker(machine, ends, cpu, cpu, MS);
    machine.run(Infinity);
    expect(rates.settlements).toBe(0);
  });

  it.each([
    ['a speed above 1', { smt: [1.1] }, 'expected a speed in (0, 1], got 1.1'],
    ['an empty table', { frequency: [] }, 'expected at least one bin'],
    [
      'bins out of order',
      {
        frequency: [
          { cores: 2, speed: 1 },
          { cores: 1, speed: 1 },
        ],
      },
      'bins must ascend',
    ],
    ['no bandwidth', { memoryBytesPerNs: 0 }, 'expected more than 0 bytes'],
  ])('refuse %s', (_, spec, message) => {
    expect(() => host(2, {}, spec)).toThrow(message);
  });
});

describe('the slow-down that a benchmark saw for 1, 2, 4 and 8 threads', () => {
  // s(N) of an author's machine, without any shared writes: 1, 1.006, 1.280, 2.192. As four cores of two threads whose
  // clock goes down with the busy cores, and which a second thread slows.
  const spec: RateSpec = {
    frequency: [
      { cores: 1, speed: 1 },
      { cores: 2, speed: 1 / 1.006 },
      { cores: 4, speed: 1 / 1.28 },
    ],
    smt: [1, 1.28 / 2.192],
  };

  it.each([
    [1, 1],
    [2, 1.006],
    [4, 1.28],
    [8, 2.192],
  ])('is that of %d threads: %d', (threads, slowDown) => {
    const { machine } = host(8, { threadsPerCore: 2 }, spec);
    const ends: number[] = [];
    for (let cpu = 0; cpu < threads; cpu++) worker(machine, ends, cpu, 0, 1e9);
    machine.run(Infinity);
    for (const end of ends) expect(Math.abs(end / 1e9 - slowDown)).toBeLessThan(1e-8);
  });
});
