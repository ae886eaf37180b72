import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testMachine } from '../testing/build.js';
import type { HrTimer } from './hrtimer.js';

/** At `atNs` one of a few timers is armed with a delay (0 too), or cancelled. */
const action = fc.record({
  atNs: fc.nat({ max: 50 }),
  timer: fc.nat({ max: 3 }),
  delayNs: fc.option(fc.oneof(fc.constant(0), fc.nat({ max: 20 })), { nil: undefined }),
});

describe('HrTimer', () => {
  it('fires once per arming, when its time has come, unless it was cancelled or armed again', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (unsorted) => {
        const actions = unsorted.toSorted((a, b) => a.atNs - b.atNs);
        const machine = testMachine();
        const fired: [number, number][] = [];
        const expected: [number, number][] = [];
        const wrong: number[] = [];
        const expiresNs: (number | undefined)[] = [];
        const timers = [0, 1, 2, 3].map((timer) => machine.hrtimer(() => fired.push([machine.nowNs, timer])));
        const expire = (beforeNs: number): void => {
          expiresNs.forEach((atNs, timer) => {
            if (atNs === undefined || atNs >= beforeNs) return;
            expected.push([atNs, timer]);
            expiresNs[timer] = undefined;
          });
        };
        const act = machine.addActor((index) => {
          const { timer, delayNs } = actions[index]!;
          expire(machine.nowNs);
          // What comes due at this instant was armed for it before or after; both have been seen by the timers.
          if (expiresNs[timer] === machine.nowNs && !timers[timer]!.pending) {
            expected.push([machine.nowNs, timer]);
            expiresNs[timer] = undefined;
          }
          const wasPending = expiresNs[timer] !== undefined;
          if (timers[timer]!.pending !== wasPending) wrong.push(index);
          if (delayNs === undefined) {
            if (timers[timer]!.cancel() !== wasPending) wrong.push(index);
            expiresNs[timer] = undefined;
          } else {
            timers[timer]!.start(delayNs);
            expiresNs[timer] = machine.nowNs + delayNs;
          }
        });
        for (const [index, { atNs }] of actions.entries()) machine.schedule(atNs, act, index);
        machine.run(Infinity);
        expire(Infinity);
        expect(wrong).toEqual([]);
        const byTime = (a: [number, number], b: [number, number]): number => a[0] - b[0] || a[1] - b[1];
        expect(fired.toSorted(byTime)).toEqual(expected.toSorted(byTime));
      }),
    );
  });

  it('may be armed again by its callback, and is over then', () => {
    const machine = testMachine();
    const firedNs: number[] = [];
    const timer: HrTimer = machine.hrtimer(() => {
      firedNs.push(machine.nowNs);
      if (firedNs.length < 3) timer.start(10);
    });
    timer.start(10);
    machine.run(Infinity);
    expect([firedNs, timer.pending, timer.cancel()]).toEqual([[10, 20, 30], false, false]);
  });

  it('leaves nothing behind when it is cancelled: no event, no place, no time', () => {
    const machine = testMachine();
    let fired = 0;
    for (let i = 0; i < 100_000; i++) {
      const timer = machine.hrtimer(() => fired++);
      timer.start(1_000_000 + i);
      timer.cancel();
    }
    expect(machine.events.pending).toBe(0);
    machine.run(Infinity);
    expect([fired, machine.nowNs, machine.events.executed]).toEqual([0, 0, 0]);
  });
});
