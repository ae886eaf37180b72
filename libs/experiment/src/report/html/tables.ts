// The sections of the page that are tables: everything that the charts show, in numbers.
import { formatGiB, formatNumber, metricLabel } from '../format.js';
import { failureRows } from '../failures.js';
import { thresholdRows } from '../render-thresholds.js';
import { named, publishedTexts, scalarText, show, unitOf } from '../words.js';
import type { Report } from '../schema.js';
import { publishedChart } from './charts.js';
import { htmlTable, Markup, markup } from './markup.js';

/** Rows of one table; a sweep of thousands of points is for the JSON. */
export const MAX_ROWS = 200;

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Markup;
}

export const more = (left: number) =>
  left > 0 ? markup`<p class="soft">${left} more rows are in report.json.</p>` : undefined;

export function variantSection(report: Report): Section {
  const groups = Map.groupBy(report.summary, ({ variant, point }) => named(variant, point));
  const metrics = report.headline;
  const paths = Object.keys(report.summary[0]?.point ?? {});
  const rows = [...groups.values()]
    .slice(0, MAX_ROWS)
    .map((entries) => [
      entries[0]!.variant,
      ...paths.map((path) => scalarText(entries[0]!.point[path]!)),
      ...metrics.map((metric) => medianCell(report, entries, metric)),
    ]);
  const n = report.summary[0]?.n ?? 0;
  const note =
    n < 3 ? 'medians; fewer than three replications give no interval' : `medians and their 95 % intervals, n=${n}`;
  const titles = report.variants.map(({ label, title }) => markup`<li><strong>${label}</strong>: ${title}</li>`);
  return {
    id: 'variants',
    title: 'Variants side by side',
    body: markup`<ul>
        ${titles}
      </ul>
      <p class="soft">${note}</p>
      ${htmlTable('Variants side by side', ['variant', ...paths, ...metrics.map((name) => metricLabel(name, unitOf(report, name)))], rows)}${more(groups.size - rows.length)}`,
  };
}

/** The median and, where it is not the same in the digits that are shown, its interval. */
function medianCell(report: Report, entries: Report['summary'], metric: string): string | Markup {
  const found = entries.find((entry) => entry.metric === metric);
  if (!found) return '';
  const [median, low, high] = [found.median, found.low, found.high].map((value) =>
    value === null ? undefined : show(report, metric, value),
  );
  if (low === undefined || (low === median && high === median)) return median!;
  return markup`${median}<span class="interval"> ${low} to ${high}</span>`;
}

export function findSection(report: Report): Section[] {
  if (report.find.length === 0) return [];
  const rows = report.find.map((entry) => [
    named(entry.variant, entry.point),
    entry.value === null ? '' : formatNumber(entry.value),
    entry.low === null ? '' : formatNumber(entry.low),
    entry.reason === undefined ? entry.outcome : `${entry.outcome}: ${entry.reason}`,
    `${entry.metric} ${entry.condition}`,
    entry.parameter,
  ]);
  const head_ = ['variant', 'holds from', 'does not hold at', 'outcome', 'condition', 'parameter'];
  return [{ id: 'find', title: 'Critical values', body: htmlTable('Critical values', head_, rows) }];
}

export function publishedSection(report: Report): Section[] {
  const compared = report.published.filter(({ ok }) => ok !== null);
  const others = report.published.filter(({ ok }) => ok === null);
  if (report.published.length === 0) return [];
  const rows = compared.map((entry) => {
    const { expected, here, error, accepted } = publishedTexts(report, entry);
    const ok = okWord(entry.ok === true, entry.gated);
    return [named(entry.title, entry.point), expected, here, error, accepted, entry.basis, ok, entry.source];
  });
  const title = ['figure', 'published', 'here', 'error', 'accepted', 'basis', '', 'source'];
  const table = rows.length > 0 && htmlTable('Published figures', title, rows);
  const body = markup`${publishedChart(report)}<br />${table}${elsewhere(report, others)}`;
  return [{ id: 'published', title: 'Published figures', body }];
}

/** The figures that are of another machine, workload or variant, folded: there may be hundreds. */
function elsewhere(report: Report, entries: Report['published']): Markup | undefined {
  if (entries.length === 0) return undefined;
  const rows = entries
    .slice(0, MAX_ROWS)
    .map((entry) => [
      entry.title,
      show(report, entry.metric, entry.expected),
      entry.reason ?? 'does not apply',
      entry.source,
    ]);
  const title = 'Published figures that do not apply here';
  return markup`<details>
    <summary>${entries.length} published ${entries.length === 1 ? 'figure does' : 'figures do'} not apply here</summary>
    ${htmlTable(title, ['figure', 'published', 'why', 'source'], rows)}${more(entries.length - rows.length)}
  </details>`;
}

function okWord(ok: boolean, gated = true): Markup {
  const note = gated ? '' : ', not gated';
  return ok
    ? markup`<span class="good">ok${note}</span>`
    : markup`<span class="${gated ? 'bad' : 'soft'}">missed${note}</span>`;
}

export function thresholdSection(report: Report): Section[] {
  const all = thresholdRows(report);
  if (all.length === 0) return [];
  const rows = all
    .slice(0, MAX_ROWS)
    .map(({ metric, where, condition, here, n, ok }) => [metric, where, condition, here, n, okWord(ok)]);
  const table = htmlTable('Thresholds', ['metric', 'variant', 'condition', 'here', 'n', ''], rows);
  return [{ id: 'thresholds', title: 'Thresholds', body: markup`${table}${more(all.length - rows.length)}` }];
}

export function failureSection(report: Report): Section[] {
  const all = failureRows(report);
  const rows = all
    .slice(0, MAX_ROWS)
    .map(({ kind, which, message }) => [markup`<span class="bad">${kind}</span>`, which, message]);
  if (rows.length === 0 && report.aborted === undefined) return [];
  const aborted = report.aborted !== undefined && markup`<p class="bad">Ended early: ${report.aborted}</p>`;
  const table = rows.length > 0 && htmlTable('Failed cells', ['kind', 'cells', 'message'], rows);
  return [{ id: 'failures', title: 'Failures', body: markup`${aborted}${table}${more(all.length - rows.length)}` }];
}

export function provenanceSection(report: Report): Section {
  const { provenance, mechanism, modelVersion, profiles } = report;
  const { host } = provenance;
  const facts: [string, string][] = [
    ['mechanism', `${mechanism}, model version ${modelVersion}`],
    ['version', provenance.version],
    ['commit', provenance.commit ?? 'unknown'],
    ['code', provenance.code ?? 'unknown'],
    ['cells taken over', String(provenance.reusedCells ?? 0)],
    ['host', `${host.cpu}, ${host.cpus} CPUs, ${formatGiB(host.memoryBytes)}, ${host.kernel}, ${host.arch}`],
    ['Node.js', provenance.node],
  ];
  const constants = profiles.map(
    ({ id, title, constants: all }) =>
      markup`<details>
        <summary>Constants of ${id}: ${title}</summary>
        ${htmlTable(
          `Constants of ${id}`,
          ['constant', 'value', 'unit', 'basis', 'source'],
          all.map(({ name, value, unit, basis, source }) => [name, String(value), unit, basis, source]),
        )}
      </details>`,
  );
  const digests = markup`<details>
    <summary>Digests of the cells</summary>
    ${htmlTable(
      'Digests of the cells',
      ['variant', 'replication', 'seed', 'digest'],
      report.cells
        .slice(0, MAX_ROWS)
        .map((cell) => [named(cell.variant, cell.point), String(cell.replication), String(cell.seed), cell.digest]),
    )}${more(report.cells.length - MAX_ROWS)}
  </details>`;
  const table = htmlTable('Provenance', ['what', 'value'], facts);
  return { id: 'provenance', title: 'Provenance', body: markup`${table}${constants}${digests}` };
}
