import { describe, expect, test } from 'vitest';
import { durationSeconds, parseQuantity, ratePerSecond, sizeBytes } from './quantity.js';

describe('a quantity in a scenario file', () => {
  test.each([
    ['4ms', 0.004],
    ['1.5s', 1.5],
    ['10min', 600],
    ['2m', 120],
    ['250us', 0.00025],
    ['1h', 3600],
    [3, 3],
    ['3', 3],
    ['0s', 0],
  ])('duration %j is %d seconds', (input, seconds) => expect(durationSeconds().parse(input)).toBeCloseTo(seconds, 12));

  test.each([
    ['70GiB', 70 * 2 ** 30],
    ['400MB', 400e6],
    ['1 KiB', 1024],
    ['1_000_000B', 1e6],
    ['1,024', 1024],
    [4096, 4096],
  ])('size %j is %d bytes', (input, bytes) => expect(sizeBytes().parse(input)).toBe(bytes));

  test.each([
    ['1000/s', 1000],
    ['60/min', 1],
    [12, 12],
  ])('rate %j is %d per second', (input, rate) => expect(ratePerSecond().parse(input)).toBe(rate));
});

describe('what is no quantity is refused with what was expected', () => {
  test.each([
    ['a unit of another kind', durationSeconds(), '70GiB', 'expected a duration such as 4ms, 1.5s or 10min'],
    ['a misspelt unit', sizeBytes(), '70gib', 'expected a size such as 70GiB or 400MB'],
    ['a word', sizeBytes(), 'much', 'expected a size such as 70GiB or 400MB'],
    ['nothing', durationSeconds(), '', 'expected a duration such as 4ms, 1.5s or 10min'],
    ['less than nothing', ratePerSecond(), -1, 'expected a rate such as 1000/s'],
    ['infinity', ratePerSecond(), '1e999/s', 'expected a rate such as 1000/s'],
    ['true', durationSeconds(), true, 'expected a duration such as 4ms, 1.5s or 10min'],
    ['a list', sizeBytes(), [1], 'expected a size such as 70GiB or 400MB'],
  ])('%s', (_, schema, input, message) => {
    const parsed = schema.safeParse(input);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues[0]?.message).toBe(message);
  });
});

describe('a threshold value', () => {
  test.each([
    ['400MiB', 400 * 2 ** 20],
    ['250ms', 0.25],
    ['0.99', 0.99],
    ['1000/s', 1000],
    ['-5', -5],
    ['5 apples', undefined],
  ])('%j is %s', (text, value) => expect(parseQuantity(text)).toBe(value));
});
