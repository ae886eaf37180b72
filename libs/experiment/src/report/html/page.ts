// The report as one page that needs nothing else: no server, no network, no script to be complete. Its script only reads
// values off the charts. The policy in its head forbids every load.
import { factsOf } from '../facts.js';
import { formatSeconds, metricLabel } from '../format.js';
import { readable, type Readable } from '../readable.js';
import { cellsText, pointText, unitOf } from '../words.js';
import { reasonsToFail } from '../reasons.js';
import type { Report } from '../schema.js';
import { chartedMetrics, percentileCharts, seriesCharts, sweepAxis, sweepCharts } from './charts.js';
import { differenceSection } from './differences.js';
import { Markup, markup } from './markup.js';
import { shownPoints, type GroupMaterial } from './material.js';
import { SCRIPT, STYLE } from './style.js';
import {
  failureSection,
  findSection,
  provenanceSection,
  publishedSection,
  thresholdSection,
  variantSection,
  type Section,
} from './tables.js';

/** More would push the charts off the first screen. */
const MAX_REASONS = 5;

export function toHtml(made: Report, material: readonly GroupMaterial[] = []): string {
  const shown = readable(made);
  const { report } = shown;
  const sections = [
    ...findSection(report),
    ...sweepSection(report),
    variantSection(report),
    ...differenceSection(report),
    ...chartSections(shown, made, material),
    ...publishedSection(report),
    ...thresholdSection(report),
    ...failureSection(report),
    provenanceSection(report),
  ];
  const page = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>${report.scenario}: ${report.verdict}</title><style>${new Markup(STYLE)}</style></head>
<body>${head(shown)}<nav class="wrap" aria-label="Sections">${sections.map(({ id, title }) => markup`<a href="#${id}">${title}</a>`)}</nav></header>
<main>${sections.map(
    ({ id, title, body }) =>
      markup`<section>
        <h2 id="${id}">${title}</h2>
        ${body}
      </section> `,
  )}</main>
<footer>kworkbench ${report.provenance.version}${report.provenance.startedAt ? `, ${report.provenance.startedAt}` : ''}. The same values are in report.json.</footer>
<script>${new Markup(SCRIPT)}</script></body></html>
`;
  return page.text;
}

function head(shown: Readable): Markup {
  const { report } = shown;
  const facts = [
    ...factsOf(shown),
    ...('machine.profile' in (report.summary[0]?.point ?? {}) ? [] : [`profile ${report.machine.profile}`]),
  ];
  return markup`<header>
    <h1>${report.title ?? report.scenario}</h1>
    <p class="soft">${report.scenario} · ${facts.join(' · ')}</p>
    <p><span class="badge ${report.verdict}">${report.verdict.toUpperCase()}</span>${counts(report)}</p>
    ${reasons(report)}`;
}

/** What failed comes before anything else; the sections below have all of it. */
function reasons(report: Report): Markup | undefined {
  const all = reasonsToFail(report);
  if (all.length === 0) return undefined;
  const left = all.length - MAX_REASONS;
  return markup`<ul class="reasons">
    ${all.slice(0, MAX_REASONS).map((reason) => markup`<li>${reason}</li>`)}${left > 0 && markup`<li>and ${left} more, below</li>`}
  </ul>`;
}

function counts(report: Report): string {
  const figures = report.published.filter(({ ok, gated }) => gated && ok !== null);
  const cancelled = report.failures.filter(({ kind }) => kind === 'cancelled').length;
  const failed = report.failures.length - cancelled;
  const parts = [
    figures.length > 0 && `${figures.filter(({ ok }) => ok).length} of ${figures.length} published figures`,
    report.thresholds.length > 0 &&
      `${report.thresholds.filter(({ ok }) => ok).length} of ${report.thresholds.length} thresholds`,
    cellsText(report),
    failed > 0 && `${failed} failed`,
    cancelled > 0 && `${cancelled} cancelled`,
    report.notRun > 0 && `${report.notRun} not run`,
    `${formatSeconds(report.cells.reduce((sum, cell) => sum + cell.virtualSeconds, 0))} of machine time in ${formatSeconds(report.wallSeconds)}`,
  ];
  return parts.filter((part) => part !== false).join(' · ');
}

function sweepSection(report: Report): Section[] {
  if (report.find.length > 0) return searchSection(report);
  const axis = sweepAxis(report);
  if (axis === undefined) return [];
  const charted = chartedMetrics(report);
  const zero = report.headline.filter((metric) => !charted.includes(metric));
  const names = zero.map((metric) => metricLabel(metric, unitOf(report, metric))).join(', ');
  const note = zero.length > 0 && markup`<p class="soft">0 at every point: ${names}.</p>`;
  const body = markup`<div class="grid">${sweepCharts(report, axis, charted)}</div>${note}`;
  return [{ id: 'sweep', title: `Along ${axis}`, body }];
}

/** What was searched for, along the values that were tried. */
function searchSection(report: Report): Section[] {
  const [first] = report.find;
  if (!first || first.tried.length < 2) return [];
  const { parameter, metric } = first;
  const body = markup`<div class="grid">${sweepCharts(report, parameter, [metric])}</div>`;
  return [{ id: 'sweep', title: `Along ${parameter}`, body }];
}

/** @param report with the points as the material has them. */
function chartSections({ shorten, byPoint }: Readable, report: Report, material: readonly GroupMaterial[]): Section[] {
  const shown = shownPoints(report);
  const all = [...new Set(material.toSorted(byPoint).map(({ point }) => JSON.stringify(point)))];
  const points = all.filter((point) => shown.has(point));
  const name = (point: string) => pointText(shorten(JSON.parse(point) as Report['cells'][number]['point']));
  const at = (point: string) => material.filter((group) => JSON.stringify(group.point) === point);
  const series = points
    .map((point) => ({ point, charts: seriesCharts(report, at(point)) }))
    .filter(({ charts }) => charts.length > 0);
  const percentiles = points
    .map((point) => ({ point, charts: percentileCharts(report, at(point)) }))
    .filter(({ charts }) => charts.length > 0);
  const left =
    all.length > points.length
      ? markup`<p class="soft">Charts of ${points.length} of ${all.length} points; all are in the run directory.</p>`
      : undefined;
  return [
    ...(series.length > 0
      ? [
          {
            id: 'time',
            title: 'Over time',
            body: markup`<p class="soft">The first replication.</p>
              ${left}${series.map(({ point, charts }, i) =>
                folded(
                  name(point),
                  points.length,
                  i === series.length - 1,
                  markup`<div class="grid">${charts.slice(0, 4).map(({ chart }) => chart)}</div>
                    ${
                      charts.length > 4 &&
                      markup`<details>
                        <summary>${charts.length - 4} more series</summary>
                        <div class="grid">${charts.slice(4).map(({ chart }) => chart)}</div>
                      </details>`
                    }`,
                ),
              )}`,
          },
        ]
      : []),
    ...(percentiles.length > 0
      ? [
          {
            id: 'latency',
            title: 'Latency percentiles',
            body: markup`<p class="soft">All replications together.</p>
              ${percentiles.map(({ point, charts }, i) =>
                folded(
                  name(point),
                  points.length,
                  i === percentiles.length - 1,
                  markup`<div class="grid">${charts}</div>`,
                ),
              )}`,
          },
        ]
      : []),
  ];
}

/** Charts of one sweep point; without a sweep they stand in the page itself. */
function folded(name: string, points: number, open: boolean, body: Markup): Markup {
  if (points === 1) return body;
  return markup`<details${new Markup(open ? ' open' : '')}><summary>${name}</summary>${body}</details>`;
}
