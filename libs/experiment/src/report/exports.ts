// A report in every form there is. The names are those of the files in a run directory and of `kwb export`.
import { toHdrLog, toPercentileText, type HistogramSnapshot } from '@kworkbench/telemetry';
import { toCellsCsv, toSummaryCsv } from './csv.js';
import type { GroupMaterial } from './html/material.js';
import { toHtml } from './html/page.js';
import { toJUnit } from './junit.js';
import { toPrometheus } from './prometheus.js';
import { pointText } from './words.js';
import type { Report } from './schema.js';

interface Format {
  /** In the run directory; null for what is made when it is asked for, because it takes long. */
  readonly file: string | null;
  readonly help: string;
  render(report: Report, material: readonly GroupMaterial[]): string;
}

export const EXPORT_FORMATS = {
  json: { file: 'report.json', help: 'the report', render: (report) => `${JSON.stringify(report, null, 2)}\n` },
  html: { file: 'report.html', help: 'one page with charts, which needs no network', render: toHtml },
  junit: { file: 'junit.xml', help: 'JUnit XML, for pipelines', render: toJUnit },
  csv: { file: 'summary.csv', help: 'medians with their intervals', render: toSummaryCsv },
  'cells-csv': { file: 'cells.csv', help: 'every cell with all its metrics', render: toCellsCsv },
  prom: { file: 'metrics.prom', help: "Prometheus' text format", render: toPrometheus },
  hlog: { file: 'histograms.hlog', help: 'HdrHistogram log, an interval per histogram', render: toGroupLog },
  hgrm: {
    file: null,
    help: 'HdrHistogram percentiles, one text after the other',
    render: toGroupPercentiles,
  },
} as const satisfies Readonly<Record<string, Format>>;

export type ExportFormat = keyof typeof EXPORT_FORMATS;

/** The histograms of all groups under names that are allowed as tags. */
function tagged(material: readonly GroupMaterial[]): HistogramSnapshot[] {
  return material.flatMap(({ variant, point, histograms }) =>
    histograms.map((snapshot) => {
      const group = [variant, pointText(point), snapshot.name].filter((part) => part !== '').join(':');
      return { ...snapshot, name: group.replaceAll(/[\s,]+/g, '_') };
    }),
  );
}

function toGroupLog(report: Report, material: readonly GroupMaterial[]): string {
  return toHdrLog(tagged(material), Math.max(0, ...report.cells.map(({ virtualSeconds }) => virtualSeconds)));
}

function toGroupPercentiles(_: Report, material: readonly GroupMaterial[]): string {
  return tagged(material).map(toPercentileText).join('\n');
}
