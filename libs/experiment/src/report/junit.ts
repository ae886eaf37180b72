// The report as JUnit XML, for pipelines: a test case per threshold, published figure and failed cell.
import { formatNumber } from './format.js';
import { thresholdSubject } from './words.js';
import type { Report } from './schema.js';

interface Case {
  readonly suite: string;
  readonly name: string;
  readonly failure?: string;
  readonly skipped?: string;
}

export function toJUnit(report: Report): string {
  const cases = [...thresholdCases(report), ...publishedCases(report), ...cellCases(report)];
  const failed = cases.filter(({ failure }) => failure !== undefined).length;
  const skipped = cases.filter((each) => each.skipped !== undefined).length;
  const totals = `tests="${cases.length}" failures="${failed}" errors="0" skipped="${skipped}" time="${report.wallSeconds.toFixed(3)}"`;
  const body = cases.map((each) => caseXml(report.scenario, each)).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${totals}>\n  <testsuite name="${escape(report.scenario)}" ${totals}>\n${body}  </testsuite>\n</testsuites>\n`;
}

function caseXml(scenario: string, { suite, name, failure, skipped }: Case): string {
  const open = `    <testcase classname="${escape(`${scenario}.${suite}`)}" name="${escape(name)}"`;
  if (failure !== undefined) return `${open}><failure message="${escape(failure)}"/></testcase>\n`;
  if (skipped !== undefined) return `${open}><skipped message="${escape(skipped)}"/></testcase>\n`;
  return `${open}/>\n`;
}

const at = (entry: { variant: string; point: object }) =>
  Object.keys(entry.point).length === 0 ? entry.variant : `${entry.variant} ${JSON.stringify(entry.point)}`;

function thresholdCases(report: Report): Case[] {
  return report.thresholds.map((entry) => ({
    suite: 'thresholds',
    name: `${at({ ...entry, variant: thresholdSubject(entry) })}: ${entry.metric} ${entry.condition}`,
    ...(entry.ok
      ? {}
      : { failure: `got ${entry.value === null ? 'nothing' : formatNumber(entry.value)} (n=${entry.n})` }),
  }));
}

function publishedCases(report: Report): Case[] {
  return report.published.map((entry) => {
    const name = `${at(entry)}: ${entry.title} (${entry.id})`;
    if (entry.ok === null) return { suite: 'published', name, skipped: entry.reason ?? 'does not apply' };
    if (entry.ok) return { suite: 'published', name };
    const got = entry.measured === null ? 'nothing' : formatNumber(entry.measured);
    const missed = `expected from ${formatNumber(entry.low)} to ${formatNumber(entry.high)}, got ${got} (n=${entry.n})`;
    return { suite: 'published', name, ...(entry.gated ? { failure: missed } : { skipped: `not gated: ${missed}` }) };
  });
}

function cellCases(report: Report): Case[] {
  const failures = report.failures.map((entry) => ({
    suite: 'cells',
    name: `${at(entry)}, replication ${entry.replication}`,
    failure: `${entry.kind}: ${entry.message}`,
  }));
  const done = report.cells.map((entry) => ({
    suite: 'cells',
    name: `${at(entry)}, replication ${entry.replication}`,
  }));
  return [...done, ...failures];
}

function escape(text: string): string {
  return (
    text
      // Control characters have no place in XML 1.0.
      .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '?')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll('\n', ' ')
  );
}
