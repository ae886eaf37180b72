import { describe, expect, it } from 'vitest';
import { untilSettled } from './settled.js';

const line = (...points: readonly (readonly [time: number, value: number])[]) => ({
  times: Float64Array.from(points, ([time]) => time),
  values: Float64Array.from(points, ([, value]) => value),
});
const pairs = ({ times, values }: { times: Float64Array; values: Float64Array }) =>
  Array.from(times, (time, i) => [time, values[i]]);

describe('a series that has come to rest', () => {
  it('is shown until shortly after the last change of any line', () => {
    const fast = line([0, 9], [1, 5], [2, 9], [4, 9]);
    const slow = line([0, 0], [10, 7], [20, 0], [50, 0], [100, 0]);
    const { shown, settledAt } = untilSettled([fast, slow]);
    expect(settledAt).toBe(20);
    expect(shown.map(pairs)).toEqual([
      pairs(fast),
      [
        [0, 0],
        [10, 7],
        [20, 0],
        [22, 0],
      ],
    ]);
  });

  it('counts a change that nobody sees as none', () => {
    const drifting = line([0, 1000], [10, 0], [20, 1], [30, 2], [100, 3]);
    expect(untilSettled([drifting]).settledAt).toBe(10);
  });

  it.each([
    ['changes to its end', line([0, 0], [50, 1], [100, 2])],
    ['changes until after the middle', line([0, 0], [60, 1], [100, 1])],
    ['never changes', line([0, 3], [50, 3], [100, 3])],
    ['has one sample', line([5, 1])],
  ])('is shown whole when it %s', (_, whole) => {
    const { shown, settledAt } = untilSettled([whole]);
    expect(settledAt).toBeUndefined();
    expect(shown.map(pairs)).toEqual([pairs(whole)]);
  });
});
