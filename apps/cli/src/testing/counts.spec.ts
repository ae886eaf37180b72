import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { countsLine, countsOf, readCounts } from './counts.js';

const folder = mkdtempSync(join(tmpdir(), 'kwb-counts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const report = (over: object) => ({
  numPassedTests: 3,
  numPendingTests: 0,
  numTodoTests: 0,
  success: true,
  testResults: [],
  ...over,
});

describe('the counts of a vitest report', () => {
  test('name each failed test with the first line of its error', () => {
    const failedTest = {
      status: 'failed',
      fullName: 'x is one',
      failureMessages: ['\u001b[31mAssertionError: 2\n  at'],
    };
    const testResults = [
      { name: 'a.spec.ts', status: 'failed', message: '', assertionResults: [failedTest, { status: 'passed' }] },
      { name: 'b.spec.ts', status: 'passed', message: '', assertionResults: [{ status: 'passed' }] },
    ];
    expect(countsOf(report({ testResults, numPendingTests: 2, numTodoTests: 1, success: false }))).toEqual({
      passed: 3,
      failures: ['a.spec.ts: x is one: AssertionError: 2'],
      skipped: 3,
    });
  });

  test.each([
    { message: 'top broke\n  at', said: 'a.spec.ts: top broke' },
    { message: '', said: 'a.spec.ts: a hook of it, see above' },
  ])('have one failure for a file that broke outside its tests: $said', ({ message, said }) => {
    const testResults = [{ name: 'a.spec.ts', status: 'failed', message, assertionResults: [{ status: 'skipped' }] }];
    expect(countsOf(report({ testResults, success: false })).failures).toEqual([said]);
  });

  test('have one failure for a run that failed outside its files', () => {
    expect(countsOf(report({ success: false })).failures).toHaveLength(1);
  });
});

test('a missing or broken file has no counts', () => {
  writeFileSync(join(folder, 'half.json'), '{"numPassedTests": 3,');
  expect(readCounts(join(folder, 'half.json'))).toBeUndefined();
  expect(readCounts(join(folder, 'none.json'))).toBeUndefined();
});

test('the last line names skipped tests only when there are any', () => {
  expect(countsLine({ passed: 3, failures: [], skipped: 0 })).toBe('3 passed, 0 failed');
  expect(countsLine({ passed: 3, failures: ['x'], skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
});
