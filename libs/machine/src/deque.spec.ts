import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deque } from './deque.js';

const operation = fc.record({
  name: fc.constantFrom('push', 'push', 'unshift', 'unshift', 'shift', 'pop', 'remove'),
  value: fc.nat({ max: 9 }),
});

function applyToArray(array: number[], name: string, value: number): unknown {
  if (name === 'push') return void array.push(value);
  if (name === 'unshift') return void array.unshift(value);
  if (name === 'shift') return array.shift();
  if (name === 'pop') return array.pop();
  const at = array.indexOf(value);
  if (at >= 0) array.splice(at, 1);
  return at >= 0;
}

describe('Deque', () => {
  it('does what an array does', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const deque = new Deque<number>();
        const array: number[] = [];
        for (const { name, value } of operations) {
          const result = deque[name as 'push'](value) as unknown;
          expect(result).toBe(applyToArray(array, name, value));
          expect(deque.length).toBe(array.length);
          expect(Array.from({ length: deque.length }, (_, i) => deque.at(i))).toEqual(array);
          expect([deque.peek(), deque.last()]).toEqual([array[0], array.at(-1)]);
        }
      }),
    );
  });

  it('keeps its order when it grows with its head in the middle', () => {
    const deque = new Deque<number>();
    for (let i = 0; i < 10; i++) deque.push(-1);
    for (let i = 0; i < 10; i++) deque.shift();
    for (let i = 0; i < 100; i++) deque.push(i);
    expect(Array.from({ length: 100 }, () => deque.shift())).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});
