import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testMachine } from '../testing/build.js';
import { ChangeSeries } from './change-series.js';
import { TimeWeighted } from './time-weighted.js';

const changes = fc.array(fc.record({ afterNs: fc.nat(50), value: fc.nat(3) }), { maxLength: 30 });

describe('a time-weighted level', () => {
  it('weighs each value by how long it lasted', () => {
    const clock = { nowNs: 100 };
    const level = new TimeWeighted(clock, 2);
    expect(level.mean).toBe(2);
    clock.nowNs = 110;
    level.set(10);
    clock.nowNs = 140;
    level.add(-10);
    clock.nowNs = 200;
    expect([level.integral, level.mean, level.min, level.max]).toEqual([2 * 10 + 10 * 30, 3.2, 0, 10]);
  });
});

describe('a series of changes', () => {
  it('is what an observer sees, without the samples that repeat the one before', () => {
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 40 }), (steps, periodNs) => {
        const machine = testMachine();
        const seen: [number, number][] = [];
        const observed: [number, number][] = [];
        let level = 0;
        const series = new ChangeSeries(machine, periodNs, 0, (timeNs, value) => seen.push([timeNs, value]));
        machine.observe(periodNs, (timeNs) => observed.push([timeNs, level]));
        const apply = machine.addActor((value) => {
          level = value;
          series.set(value);
        });
        let atNs = 0;
        for (const { afterNs, value } of steps) machine.schedule((atNs += afterNs), apply, value);
        machine.run(2000);
        series.end();
        const withoutRepeats = observed.filter(([, value], i) => i === 0 || value !== observed[i - 1]![1]);
        expect(seen).toEqual(withoutRepeats);
      }),
    );
  });
});
