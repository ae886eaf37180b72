import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue, EXACT, NO_SLOT } from './event-queue.js';
import { InvariantViolation } from '../invariant.js';
import { RandomStream } from '../random.js';

interface Reference {
  readonly slot: number;
  readonly time: number;
  readonly sequence: number;
  readonly argument: number;
}

/** Few distinct delays, so that ties are common; 0 goes through the lane. */
const delay = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 2 ** 40 }));
/** Takes back one of those that can be, if there are any. */
const takeBack = fc.record({ takeBack: fc.nat() });
const operation = fc.oneof(
  { arbitrary: delay, weight: 3 },
  { arbitrary: fc.constant('pop' as const), weight: 1 },
  { arbitrary: takeBack, weight: 1 },
);

function popReference(pending: Reference[]): Reference | undefined {
  pending.sort((a, b) => a.time - b.time || a.sequence - b.sequence);
  return pending.shift();
}

describe('EventQueue', () => {
  /** From 4 slots it grows several times; with at most 30 pending, and as many dead, it counts its sequences anew every 64 pushes at the least. */
  it.each([
    ['with room for all', () => new EventQueue(), Infinity],
    ['while it grows', () => new EventQueue(4), Infinity],
    ['while it counts its sequences from 0 again', () => new EventQueue(4, 4096), 30],
    ['with most of them far away', () => new EventQueue(4, EXACT, 8), Infinity],
    ['with some of them far away', () => new EventQueue(64, EXACT, 64), Infinity],
    ['far away, while it counts its sequences from 0 again', () => new EventQueue(4, 4096, 4), 30],
  ])('pops in the order of time and then of pushing, like a sorted list: %s', (_, create, mostPending) => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300, size: 'max' }), (operations) => {
        const queue = create();
        const pending: Reference[] = [];
        let [sequence, takenBack] = [0, 0];
        const pop = (): void => {
          const expected = popReference(pending);
          expect(queue.nextTime).toBe(expected?.time ?? Infinity);
          expect(queue.pop()).toBe(expected !== undefined);
          const popped = expected === undefined ? undefined : { time: queue.now, argument: queue.argument };
          expect(popped).toEqual(expected && { time: expected.time, argument: expected.argument });
        };
        const takeOneBack = (choice: number): void => {
          const can = pending.filter(({ slot }) => slot !== NO_SLOT);
          const chosen = can[choice % can.length];
          if (chosen === undefined) return;
          queue.takeBack(chosen.slot);
          pending.splice(pending.indexOf(chosen), 1);
          takenBack++;
        };
        for (const op of operations) {
          if (op === 'pop' || pending.length >= mostPending) pop();
          else if (typeof op === 'object') takeOneBack(op.takeBack);
          else {
            const slot = queue.push(op, 7, sequence);
            pending.push({ slot, time: queue.now + op, sequence, argument: sequence++ });
          }
          expect(queue.pending).toBe(pending.length);
        }
        while (pending.length > 0) pop();
        expect(queue.pop()).toBe(false);
        expect(queue.executed).toBe(sequence - takenBack);
      }),
    );
  });

  it('takes nothing that is later than it may, whatever the state of the heap and the lane', () => {
    const queue = new EventQueue();
    const seen: [number, number][] = [];
    const takeUpTo = (limitNs: number): void => {
      queue.limitNs = limitNs;
      while (queue.popNext()) seen.push([queue.now, queue.argument]);
    };
    queue.push(5, 0, 1);
    queue.push(9, 0, 2);
    takeUpTo(4);
    expect([seen, queue.now]).toEqual([[], 0]);
    takeUpTo(5);
    takeUpTo(8);
    queue.push(0, 0, 3);
    takeUpTo(4);
    expect(seen).toEqual([[5, 1]]);
    takeUpTo(9);
    expect(seen).toEqual([
      [5, 1],
      [5, 3],
      [9, 2],
    ]);
  });

  it('puts what is due now behind what was due now before, and what is due later among the others', () => {
    const queue = new EventQueue();
    const due = (dueNs: number, argument: number): void => {
      queue.dueNs = dueNs;
      queue.pushDue(0, argument);
    };
    const seen: [number, number][] = [];
    due(7, 1);
    queue.push(5, 0, 2);
    due(5, 3);
    while (queue.pop()) {
      seen.push([queue.now, queue.argument]);
      if (queue.argument === 2) due(5, 4);
    }
    expect(seen).toEqual([
      [5, 2],
      [5, 3],
      [5, 4],
      [7, 1],
    ]);
  });

  it.each([6.5, 4, NaN, Infinity])('takes no event that is due at %s when it is 5', (dueNs) => {
    const queue = new EventQueue();
    queue.push(5, 0, 0);
    queue.pop();
    queue.dueNs = dueNs;
    expect(() => queue.pushDue(0, 0)).toThrow(InvariantViolation);
    expect(queue.pending).toBe(0);
  });

  it('keeps the order of more events than the caches hold, half of them of the same time as another', () => {
    const queue = new EventQueue();
    const random = new RandomStream(1, 'times');
    const pending: Reference[] = [];
    const push = (sequence: number): void => {
      const delayNs = 1 + random.below(20_000);
      const slot = queue.push(delayNs, 0, sequence);
      pending.push({ slot, time: queue.now + delayNs, sequence, argument: sequence });
    };
    for (let i = 0; i < 20_000; i++) push(i);
    const popped: number[] = [];
    for (let i = 20_000; queue.pop(); i++) {
      popped.push(queue.argument);
      if (i < 40_000) push(i);
    }
    pending.sort((a, b) => a.time - b.time || a.sequence - b.sequence);
    expect(popped).toEqual(pending.map(({ argument }) => argument));
  });

  const EXPONENTIAL = (random: RandomStream) => Math.ceil(-1e6 * Math.log(1 - random.uniform()));
  it.each<[string, (random: RandomStream) => number]>([
    ['exponential', EXPONENTIAL],
    ['of one length', () => 1000],
    ['of two lengths, a billion times apart', (random) => 1 + random.below(2) * 1e9],
    ['mostly short, some far away', (random) => (random.chance(0.01) ? 2 ** 42 : EXPONENTIAL(random))],
    ['in bursts at few instants', (random) => 1e6 * (1 + random.below(3))],
  ])('keeps the order of many far events whose delays are %s, also when half of them are taken back', (_, delayOf) => {
    const queue = new EventQueue();
    const random = new RandomStream(3, 'times');
    const expected: Reference[] = [];
    const popped: number[] = [];
    for (let sequence = 0; sequence < 60_000; sequence++) {
      const delayNs = delayOf(random);
      const slot = queue.push(delayNs, 0, sequence);
      if (random.chance(0.5)) queue.takeBack(slot);
      else expected.push({ slot, time: queue.now + delayNs, sequence, argument: sequence });
      if (sequence > 30_000 && queue.pop()) popped.push(queue.argument);
    }
    while (queue.pop()) popped.push(queue.argument);
    expected.sort((a, b) => a.time - b.time || a.sequence - b.sequence);
    expect(popped).toEqual(expected.map(({ argument }) => argument));
  });

  it('removes the dead once they are more than the living, and keeps the rest in order', () => {
    const queue = new EventQueue(4);
    const random = new RandomStream(2, 'times');
    const living: Reference[] = [];
    for (let round = 0; round < 50; round++) {
      const slots: number[] = [];
      for (let i = 0; i < 100; i++) slots.push(queue.push(1 + random.below(1000), 0, -1));
      const argument = round;
      const delayNs = 1 + random.below(1000);
      const slot = queue.push(delayNs, 0, argument);
      living.push({ slot, time: delayNs, sequence: round, argument });
      for (const dead of slots) queue.takeBack(dead);
    }
    expect(queue.pending).toBe(50);
    living.sort((a, b) => a.time - b.time || a.sequence - b.sequence);
    for (const { time, argument } of living) {
      queue.pop();
      expect([queue.now, queue.argument]).toEqual([time, argument]);
    }
    expect([queue.pop(), queue.executed]).toEqual([false, 50]);
  });

  it('does not let time stop at what was taken back', () => {
    const queue = new EventQueue();
    const slot = queue.push(5, 0, 1);
    queue.push(5, 0, 2);
    queue.push(9, 0, 3);
    queue.takeBack(slot);
    queue.pop();
    queue.takeBack(queue.push(1, 0, 4));
    queue.push(0, 0, 5);
    queue.pop();
    expect([queue.now, queue.argument, queue.nextTime]).toEqual([5, 5, 9]);
  });

  it('refuses more pending events than can be kept in order', () => {
    const queue = new EventQueue(4, 128);
    expect(() => {
      for (let i = 0; i < 100; i++) queue.push(1, 0, i);
    }).toThrow('too many are pending');
  });

  it('pops what was scheduled for now from earlier before what was scheduled for now just now', () => {
    const queue = new EventQueue();
    queue.push(5, 0, 1);
    queue.push(5, 0, 2);
    queue.pop();
    queue.push(0, 0, 3);
    queue.pop();
    expect(queue.argument).toBe(2);
    queue.pop();
    expect(queue.argument).toBe(3);
  });

  it.each([
    ['heap', 1],
    ['lane', 0],
  ])('keeps every event and its order when the %s grows with its head moved', (_, delayNs) => {
    const queue = new EventQueue();
    for (let i = 0; i < 500; i++) queue.push(delayNs, 1, -1);
    for (let i = 0; i < 400; i++) queue.pop();
    for (let i = 0; i < 5000; i++) queue.push(delayNs, 3, i);
    for (let i = 0; i < 100; i++) queue.pop();
    for (let i = 0; i < 5000; i++) {
      expect(queue.pop()).toBe(true);
      expect([queue.target, queue.argument]).toEqual([3, i]);
    }
    expect(queue.pending).toBe(0);
  });

  it.each([-1, 0.5, NaN, Infinity])('refuses a delay of %d', (delayNs) => {
    expect(() => new EventQueue().push(delayNs, 0, 0)).toThrow(InvariantViolation);
  });
});
