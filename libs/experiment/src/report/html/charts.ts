// Which charts a report has: sweep curves, series over time, latency percentiles, published figures beside measured.
import { bucketValue, type HistogramSnapshot } from '@kworkbench/telemetry';
import { formatNumber, formatQuantity, formatSeconds, metricLabel } from '../format.js';
import { standOut } from '../stand-out.js';
import { pointText, unitOf } from '../words.js';
import type { Report } from '../schema.js';
import { lineChart, type Axis, type Line } from './line-chart.js';
import { markup, type Markup } from './markup.js';
import type { GroupMaterial, Series } from './material.js';
import { needsLog, wantsLog } from './scale.js';
import { untilSettled } from './settled.js';

type Summary = Report['summary'][number];

const lookOf = (report: Report, variant: string) =>
  Math.max(
    0,
    report.variants.findIndex(({ label }) => label === variant),
  );

/** The swept path with most numeric values; undefined when no number is swept. */
export function sweepAxis(report: Report): string | undefined {
  const values = new Map<string, Set<number>>();
  for (const { point } of report.summary) {
    for (const [path, value] of Object.entries(point)) {
      const number = typeof value === 'number' ? value : Number.parseFloat(String(value));
      if (Number.isFinite(number)) values.set(path, (values.get(path) ?? new Set()).add(number));
    }
  }
  const [longest] = [...values].filter(([, found]) => found.size > 1).toSorted((a, b) => b[1].size - a[1].size);
  return longest?.[0];
}

/** The headline metrics in the order of their charts, those that tell the variants apart first; without what is always 0. */
export function chartedMetrics(report: Report): string[] {
  const { loud, small, quiet } = standOut(report);
  const sorted = [...loud, ...small, ...quiet];
  const all = [...sorted, ...report.headline.filter((metric) => !sorted.includes(metric))];
  return all.filter((name) =>
    report.summary.some(({ metric, min, max }) => metric === name && (min !== 0 || max !== 0)),
  );
}

/** Each of these along the sweep, a line with its 95 % band per variant and per value of the other axes. */
export function sweepCharts(report: Report, axis: string, metrics: readonly string[]): Markup[] {
  return metrics.map((metric) => {
    const lines = new Map<string, Summary[]>();
    for (const entry of report.summary.filter((candidate) => candidate.metric === metric)) {
      const { [axis]: _, ...others } = entry.point;
      const name = [entry.variant, pointText(others)].filter((part) => part !== '').join(' ');
      lines.set(name, [...(lines.get(name) ?? []), entry]);
    }
    const unit = unitOf(report, metric);
    const intervals = [...lines.values()].some((entries) => entries.some(({ low }) => low !== null));
    const xs = [...new Set(report.summary.map(({ point }) => xOf(point[axis])))];
    const log = wantsLog(xs);
    const logY = needsLog(
      [...lines.values()].map((own) => own.flatMap(({ median, low, high }) => [median, low ?? median, high ?? median])),
    );
    const shown = intervals ? 'median and 95 % interval' : 'median';
    return lineChart({
      title: `${metricLabel(metric, unit)}, ${shown}${logY ? ', logarithmic' : ''}`,
      x: {
        title: axis,
        unit: 'count',
        log,
        format: formatNumber,
        ...(xs.length <= 8 && { ticks: xs.toSorted((a, b) => a - b).map((x) => [x, formatNumber(x)] as const) }),
      },
      y: {
        title: metricLabel(metric, unit),
        unit,
        log: logY,
        zero: !logY,
        format: (value) => formatQuantity(value, unit),
      },
      lines: [...lines].map(([name, entries]) => sweepLine(report, name, entries, axis, lines.size)),
    });
  });
}

const xOf = (value: unknown) => (typeof value === 'number' ? value : Number.parseFloat(String(value)));

function sweepLine(report: Report, name: string, entries: readonly Summary[], axis: string, lines: number): Line {
  const sorted = entries.toSorted((a, b) => xOf(a.point[axis]) - xOf(b.point[axis]));
  const own = lines <= report.variants.length;
  return {
    name,
    look: own ? lookOf(report, entries[0]!.variant) : hashOf(name),
    x: sorted.map(({ point }) => xOf(point[axis])),
    y: sorted.map(({ median }) => median),
    band: sorted.map(({ low, high }) => (low === null || high === null ? null : [low, high])),
    markers: true,
  };
}

const hashOf = (name: string) => [...name].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0);

/** Unit by the ending of a column's name. */
function unitOfColumn(name: string): string {
  return /_(bytes_per_second|per_second|bytes|seconds|ratio|total)$/.exec(name)?.[1] ?? 'count';
}

/** One chart per column, a line per variant; memory first. */
export function seriesCharts(report: Report, groups: readonly GroupMaterial[]): { title: string; chart: Markup }[] {
  const columns = new Map<string, { series: Series; variant: string }[]>();
  for (const { variant, series } of groups) {
    for (const each of series) {
      const key = `${each.table} ${each.column}`;
      columns.set(key, [...(columns.get(key) ?? []), { series: each, variant }]);
    }
  }
  const all = [...columns.values()].filter((lines) => lines.some(({ series }) => series.values.some((v) => v !== 0)));
  // The table with most samples describes the machine; the others are lists of events.
  const samplesOf = new Map<string, number>();
  for (const { series } of all.flat()) {
    samplesOf.set(series.table, Math.max(samplesOf.get(series.table) ?? 0, series.times.length));
  }
  const most = Math.max(0, ...samplesOf.values());
  const rank = (lines: (typeof all)[number]) => {
    const { column, table } = lines[0]!.series;
    return (samplesOf.get(table) === most ? 0 : 2) + (unitOfColumn(column) === 'bytes' ? 0 : 1);
  };
  const labelOf = (column: string) => metricLabel(column, unitOfColumn(column));
  // A number of things and their bytes: without the unit they would have one name.
  const named = Map.groupBy(new Set(all.map((lines) => lines[0]!.series.column)), labelOf);
  return all
    .toSorted((a, b) => rank(a) - rank(b))
    .map((lines) => {
      const { column } = lines[0]!.series;
      const unit = unitOfColumn(column);
      const title = named.get(labelOf(column))!.length > 1 ? column.replaceAll('_', ' ') : labelOf(column);
      const { shown, settledAt } = untilSettled(lines.map(({ series }) => series));
      const chart = lineChart({
        title: `${title} over time${settledAt === undefined ? '' : `, unchanged after ${formatSeconds(settledAt)}`}`,
        x: { title: 'virtual time', unit: 'seconds', format: formatSeconds },
        y: { title, unit, zero: column !== 'mem_available_bytes', format: (value) => formatQuantity(value, unit) },
        lines: lines.map(({ variant }, i) => ({
          name: variant,
          look: lookOf(report, variant),
          x: shown[i]!.times,
          y: shown[i]!.values,
        })),
      });
      return { title, chart };
    });
}

/** Percentiles that get a tick, as HdrHistogram's plots have them: equal distances per halving of what is above. */
const PERCENTILES = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999];
const positionOf = (quantile: number) => -Math.log10(1 - quantile);

export function percentileCharts(report: Report, groups: readonly GroupMaterial[]): Markup[] {
  const names = [...new Set(groups.flatMap(({ histograms }) => histograms.map(({ name }) => name)))];
  return names.flatMap((name) => {
    const found = groups.flatMap(({ variant, histograms }) => {
      const histogram = histograms.find((each) => each.name === name);
      return histogram && histogram.total > 0 && histogram.max > 0 ? [{ variant, histogram }] : [];
    });
    if (found.length === 0) return [];
    const { unit } = found[0]!.histogram;
    const most = Math.max(...found.map(({ histogram }) => histogram.total));
    const ticks = PERCENTILES.filter((quantile) => quantile === 0 || 1 - quantile >= 0.5 / most);
    const axis: Axis = { title: '', unit, log: true, format: (value) => formatQuantity(value, unit) };
    return lineChart({
      title: `${metricLabel(name, unit)} by percentile`,
      x: {
        title: 'percentile of all samples, the tail stretched',
        unit: 'decades',
        ticks: ticks.map((quantile) => [positionOf(quantile), `${Number((quantile * 100).toFixed(3))} %`] as const),
        format: (value) => `${Number((100 * (1 - 10 ** -value)).toPrecision(6))} %`,
      },
      y: { ...axis, title: metricLabel(name, unit) },
      lines: found.map(({ variant, histogram }) => ({
        name: variant,
        look: lookOf(report, variant),
        ...percentileLine(histogram),
      })),
    });
  });
}

/** The distribution function turned on its side: a step per bucket, up to the last sample but one. */
function percentileLine({ indexes, counts, total, scale, min, max }: HistogramSnapshot): { x: number[]; y: number[] } {
  const x: number[] = [];
  const y: number[] = [];
  let below = 0;
  for (const [i, index] of indexes.entries()) {
    const value = Math.min(max, Math.max(min, bucketValue(index))) * scale;
    const after = below + counts[i]!;
    x.push(positionOf(below / total), positionOf(Math.min(after / total, 1 - 0.5 / total)));
    y.push(value, value);
    below = after;
  }
  return { x, y };
}

const ROW = 34;
const LEFT = 330;
const RIGHT = 900;

/** Each figure relative to what was published: the accepted range as a bar, what was published as a line, ours as a dot. */
export function publishedChart(report: Report): Markup | undefined {
  const rows = report.published.filter(
    ({ ok, expected, measured }) => ok !== null && expected !== 0 && measured !== null,
  );
  if (rows.length === 0) return undefined;
  const most = Math.min(
    3,
    Math.max(1.5, ...rows.map(({ high, measured, expected }) => Math.max(high, measured!) / expected)),
  );
  const at = (ratio: number) => Math.round(LEFT + (Math.min(Math.max(ratio, 0), most) / most) * (RIGHT - LEFT));
  const height = rows.length * ROW + 40;
  const marks = Array.from({ length: Math.floor(most / 0.5) + 1 }, (_, i) => i * 0.5);
  return markup`<figure class="chart">
    <figcaption>Published against measured, relative to what was published</figcaption>
    <div class="scroll" tabindex="0" role="region" aria-label="Published against measured">
      <svg
        style="min-width:640px"
        viewBox="0 0 ${RIGHT + 30} ${height}"
        role="img"
        aria-label="The same values stand in the table below."
      >
        <g class="axis">
          ${marks.map(
            (ratio) =>
              markup`<line x1="${at(ratio)}" x2="${at(ratio)}" y1="4" y2="${height - 30}" /><text
                  class="x"
                  x="${at(ratio)}"
                  y="${height - 12}"
                  >${Math.round(ratio * 100)} %</text
                >`,
          )}
        </g>
        ${rows.map((row, i) => publishedRow(row, i * ROW + 22, at))}
      </svg>
    </div>
    <p class="soft">
      Bar: accepted range. Line: published. Dot: measured here (filled: accepted; ring:
      missed${most === 3 ? '; at the right edge: beyond 300 %' : ''}).
    </p>
  </figure>`;
}

function publishedRow(
  { title, low, high, expected, measured, ok }: Report['published'][number],
  y: number,
  at: (ratio: number) => number,
): Markup {
  const color = ok ? 'var(--good)' : 'var(--bad)';
  const dot = ok
    ? markup`<circle cx="${at(measured! / expected)}" cy="${y}" r="6" fill="${color}" />`
    : markup`<circle cx="${at(measured! / expected)}" cy="${y}" r="6" fill="none" stroke="${color}" stroke-width="3" />`;
  return markup`<g
    >${twoLines(title).map(
      (line, i, { length }) =>
        markup`<text
          x="${LEFT - 14}"
          y="${y + 4 + (length === 1 ? 0 : i * 15 - 8)}"
          text-anchor="end"
          fill="var(--text)"
          font-size="13"
          >${line}</text
        >`,
    )}<line class="range" x1="${at(low / expected)}" x2="${at(high / expected)}" y1="${y}" y2="${y}" /><line
      class="published"
      x1="${at(1)}"
      x2="${at(1)}"
      y1="${y - 10}"
      y2="${y + 10}"
    />${dot}</g
  > `;
}

/** Letters of a title that stand left of the bars. */
const LINE = 44;

function twoLines(title: string): readonly string[] {
  if (title.length <= LINE) return [title];
  const at = title.lastIndexOf(' ', LINE);
  if (at < 0) return [`${title.slice(0, LINE - 1)}…`];
  const rest = title.slice(at + 1);
  return [title.slice(0, at), rest.length <= LINE ? rest : `${rest.slice(0, LINE - 1)}…`];
}
