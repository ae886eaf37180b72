import { describe, expect, it } from 'vitest';
import { MALFORMED_WINDOW_MS, MAX_MALFORMED_ADDRESSES } from '../limits.js';
import { fromCursor, toCursor } from './cursor.js';
import { MalformedRate } from './malformed-rate.js';
import { BadRequest, checked } from './request.js';
import { listQuery, seriesQuery } from './schemas.js';

const refusal = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    if (error instanceof BadRequest) return error.problems;
    throw error;
  }
  return 'accepted';
};

describe('a query', () => {
  it('is read', () => {
    expect(checked(listQuery, { limit: '7', state: 'failed' })).toEqual({ limit: 7, state: 'failed' });
    expect(checked(seriesQuery, { from: '-1.5e3', maxPoints: '10' })).toEqual({ from: -1500, maxPoints: 10 });
  });

  it.each([
    [{ limit: '0' }, 'limit: expected an integer from 1 to 500, got "0"'],
    [{ limit: '501' }, 'limit: expected an integer from 1 to 500, got "501"'],
    [{ limit: '1e2' }, 'limit: expected an integer from 1 to 500, got "1e2"'],
    [{ limit: ['1', '2'] }, 'limit: Invalid input: expected string, received array, got ["1","2"]'],
    [{ state: 'done' }, 'state: expected one of running, completed, failed, cancelled, got "done"'],
    [{ limt: '1' }, '"limt": expected no such parameter'],
    [{ cursor: '../..' }, 'cursor: expected the nextCursor of a page, got "../.."'],
    [{ scenario: 'a\0b' }, 'scenario: expected text without control characters, got "a\\u0000b"'],
  ])('%j is refused with its parameter', (query, detail) => {
    expect(refusal(() => checked(listQuery, query))).toEqual([{ detail, parameter: Object.keys(query)[0] }]);
  });
});

describe('a cursor', () => {
  it('gives back its place', () => {
    expect(fromCursor(toCursor(['2026', 'e1']), 'string', 'string')).toEqual(['2026', 'e1']);
    expect(fromCursor(toCursor([7]), 'number')).toEqual([7]);
  });

  it.each([
    ['of another list', toCursor([7])],
    ['that is no JSON', 'AAAA'],
    ['with a NUL', toCursor(['a\0', 'b'])],
    ['that is empty', ''],
  ])('%s is refused', (_what, cursor) => {
    expect(refusal(() => fromCursor(cursor, 'string', 'string'))).toEqual([
      { detail: 'cursor: expected the nextCursor of a page', parameter: 'cursor' },
    ]);
  });
});

describe('the rate of wrong requests', () => {
  it('refuses an address that made too many, for the rest of the window, and no other', () => {
    let nowMs = 0;
    const rate = new MalformedRate(3, () => nowMs);
    for (let count = 0; count < 3; count++) {
      expect(rate.refusedForSeconds('a')).toBe(0);
      rate.count('a');
    }
    nowMs = 4_000;
    expect(rate.refusedForSeconds('a')).toBe((MALFORMED_WINDOW_MS - 4_000) / 1000);
    expect(rate.refusedForSeconds('b')).toBe(0);
    nowMs = MALFORMED_WINDOW_MS;
    expect(rate.refusedForSeconds('a')).toBe(0);
    rate.count('a');
    expect(rate.refusedForSeconds('a')).toBe(0);
  });

  it('remembers a bounded number of addresses', () => {
    const rate = new MalformedRate(1, () => 0);
    for (let address = 0; address <= MAX_MALFORMED_ADDRESSES; address++) rate.count(String(address));
    expect(rate.refusedForSeconds('0')).toBe(0);
    expect(rate.refusedForSeconds('1')).toBeGreaterThan(0);
  });
});
