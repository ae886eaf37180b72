import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { countsLine, countsOf, readCounts } from './counts.js';

const folder = mkdtempSync(join(tmpdir(), 'kwb-counts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const report = (over: object) => ({
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  success: true,
  testResults: [],
  ...over,
});

describe('the counts of a vitest report', () => {
  test('are its own when every file ran', () => {
    expect(countsOf(report({ numFailedTests: 1, numPendingTests: 2, numTodoTests: 1, success: false }))).toEqual({
      passed: 3,
      failed: 1,
      skipped: 3,
    });
  });

  test('have one failure for a file that broke before its first test', () => {
    const testResults = [{ status: 'failed', assertionResults: [] }];
    expect(countsOf(report({ testResults, success: false })).failed).toBe(1);
  });

  test('have one failure for a run that failed outside its tests', () => {
    expect(countsOf(report({ success: false })).failed).toBe(1);
  });
});

test('a missing or broken file has no counts', () => {
  writeFileSync(join(folder, 'half.json'), '{"numPassedTests": 3,');
  expect(readCounts(join(folder, 'half.json'))).toBeUndefined();
  expect(readCounts(join(folder, 'none.json'))).toBeUndefined();
});

test('the last line names skipped tests only when there are any', () => {
  expect(countsLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  expect(countsLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
});
