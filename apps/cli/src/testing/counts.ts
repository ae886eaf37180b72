// Counts of `kwb test`, summed from the JSON files that vitest writes, one per package. What failed is kept by name:
// of a long log often only the end is at hand.
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { ROOT } from '../paths.js';

export interface Counts {
  readonly passed: number;
  /** What failed, a line each: file, name of the test, first line of its error. */
  readonly failures: readonly string[];
  readonly skipped: number;
}

export const NOTHING: Counts = { passed: 0, failures: [], skipped: 0 };

interface VitestReport {
  readonly numPassedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
  readonly testResults: readonly TestFile[];
}

interface TestFile {
  readonly name: string;
  readonly status: string;
  /** The error of a file that broke at its top; empty otherwise. */
  readonly message: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly fullName: string;
    readonly failureMessages: readonly string[] | null;
  }[];
}

export function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failures: [...a.failures, ...b.failures], skipped: a.skipped + b.skipped };
}

/** `counts` with one failure more. */
export function withFailure(counts: Counts, failure: string): Counts {
  return add(counts, { ...NOTHING, failures: [failure] });
}

function firstLine(text: string): string {
  return stripVTControlCharacters(text).trim().split('\n', 1)[0] ?? '';
}

/** The failures of one file. One that broke before its first test, or in a hook, is a failure too, or it would count as nothing. */
function failuresOf(file: TestFile): string[] {
  const name = isAbsolute(file.name) ? relative(ROOT, file.name) : file.name;
  const failures = file.assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => `${name}: ${test.fullName}: ${firstLine(test.failureMessages?.[0] ?? '')}`);
  if (file.status !== 'failed' || failures.length > 0) return failures;
  // vitest keeps no message of a hook.
  return [`${name}: ${firstLine(file.message) || 'a hook of it, see above'}`];
}

/** Counts of one report. */
export function countsOf(report: VitestReport): Counts {
  const failures = report.testResults.flatMap(failuresOf);
  // An error outside any file (an unhandled rejection) fails the run without a failed test.
  if (failures.length === 0 && !report.success) failures.push('an error outside the tests, see above');
  return { passed: report.numPassedTests, failures, skipped: report.numPendingTests + report.numTodoTests };
}

/** Counts of the report file; undefined when the package wrote none, or half of one. */
export function readCounts(file: string): Counts | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return countsOf(JSON.parse(readFileSync(file, 'utf8')) as VitestReport);
  } catch {
    return undefined;
  }
}

/** The last line of `kwb test`. */
export function countsLine(counts: Counts): string {
  const line = `${counts.passed} passed, ${counts.failures.length} failed`;
  return counts.skipped > 0 ? `${line}, ${counts.skipped} skipped` : line;
}
