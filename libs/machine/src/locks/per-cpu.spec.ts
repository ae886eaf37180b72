import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIGRATE } from '../sched/task.js';
import { testMachine } from '../testing/build.js';
import { PerCpu, PercpuCounter } from './per-cpu.js';

describe('PerCpu', () => {
  it('gives a task the copy of the CPU that it has, and the next one after it has moved', () => {
    const machine = testMachine(3);
    const counts = new PerCpu(machine, (cpu) => ({ cpu, hits: 0 }));
    machine.spawn('a', function* (task) {
      for (const cpu of machine.cpus) {
        task.cpu = cpu;
        yield MIGRATE;
        counts.mine.hits += 1 + cpu.index;
      }
    });
    machine.run(Infinity);
    expect([...counts]).toEqual([
      { cpu: 0, hits: 1 },
      { cpu: 1, hits: 2 },
      { cpu: 2, hits: 3 },
    ]);
    expect(counts.at(2).hits).toBe(3);
  });
});

describe('PercpuCounter', () => {
  it('is exact when summed, and off by less than a batch per CPU when read', () => {
    const move = fc.record({ cpu: fc.nat({ max: 2 }), amount: fc.integer({ min: -50, max: 50 }) });
    fc.assert(
      fc.property(fc.array(move), fc.integer({ min: 1, max: 64 }), (moves, batch) => {
        const machine = testMachine(3);
        const counter = new PercpuCounter(machine, batch);
        let expected = 0;
        machine.spawn('a', function* (task) {
          for (const { cpu, amount } of moves) {
            task.cpu = machine.cpus[cpu]!;
            yield MIGRATE;
            const before = counter.approximate;
            const toShared = counter.add(amount);
            expect(toShared || counter.approximate === before).toBe(true);
            expected += amount;
            expect(counter.sum()).toBe(expected);
            expect(Math.abs(counter.approximate - expected)).toBeLessThanOrEqual(3 * (batch - 1));
          }
        });
        machine.run(Infinity);
      }),
    );
  });

  it.each([
    [1, 32],
    [64, 128],
  ])("has the kernel's batch on %i CPUs: %i", (cpus, batch) => {
    expect(new PercpuCounter(testMachine(cpus)).batch).toBe(batch);
  });
});
