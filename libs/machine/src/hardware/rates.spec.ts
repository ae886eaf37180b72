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
