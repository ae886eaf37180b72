// Why a run failed, in a line each: what a person wants to read before any table.
import { failureRows } from './failures.js';
import { thresholdRows } from './render-thresholds.js';
import type { Report } from './schema.js';
import { named, publishedTexts } from './words.js';

/** Empty when it passed. */
export function reasonsToFail(report: Report): string[] {
  const figures = report.published.filter(({ gated, ok }) => gated && ok === false);
  return [
    ...failureRows(report).map(({ kind, which, message }) => `${kind}: ${which}: ${message}`),
    ...(report.aborted === undefined ? [] : [`ended early: ${report.aborted}`]),
    ...(report.notRun > 0 ? [`${report.notRun} cells were not run`] : []),
    ...report.find.flatMap(({ variant, point, reason }) =>
      reason === undefined ? [] : [`${named(variant, point)}: ${reason}`],
    ),
    ...thresholdRows(report)
      .filter(({ ok }) => !ok)
      .map(({ metric, where, condition, here }) => `${metric} of ${where} is ${here}, expected ${condition}`),
    ...figures.map((figure) => {
      const { here, accepted } = publishedTexts(report, figure);
      return `${named(figure.title, figure.point)}: ${here || 'nothing'} here, accepted ${accepted}`;
    }),
  ];
}
