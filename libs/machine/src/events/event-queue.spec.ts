import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from './event-queue.js';
import { InvariantViolation } from '../invariant.js';

interface Reference {
  readonly time: number;
  readonly sequence: number;
  readonly argument: number;
}

/** Few distinct delays, so that ties are common; 0 goes through the lane. */
const delay = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 2 ** 40 }));
const operation = fc.oneof({ arbitrary: delay, weight: 3 }, { arbitrary: fc.constant('pop' as const), weight: 2 });

function popReference(pending: Reference[]): Reference | undefined {
  pending.sort((a, b) => a.time - b.time || a.sequence - b.sequence);
  return pending.shift();
}

describe('EventQueue', () => {
  it('pops in the order of time and then of pushing, like a sorted list', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
        const queue = new EventQueue();
        const pending: Reference[] = [];
        let sequence = 0;
        const pop = (): void => {
          const expected = popReference(pending);
          expect(queue.nextTime).toBe(expected?.time ?? Infinity);
          expect(queue.pop()).toBe(expected !== undefined);
          const popped = expected === undefined ? undefined : { time: queue.now, argument: queue.argument };
          expect(popped).toEqual(expected && { time: expected.time, argument: expected.argument });
        };
        for (const op of operations) {
          if (op === 'pop') pop();
          else {
            queue.push(op, 7, sequence);
            pending.push({ time: queue.now + op, sequence, argument: sequence++ });
          }
          expect(queue.pending).toBe(pending.length);
        }
        while (pending.length > 0) pop();
        expect(queue.pop()).toBe(false);
        expect(queue.executed).toBe(sequence);
      }),
    );
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
