// The report in Prometheus' text format, for a push gateway or a textfile collector. Names begin with `kwb_sim_`: these
// are quantities of virtual time and must not be taken for measurements of this host. Labels are bounded: no run, no seed.
import { Histogram } from '@kworkbench/telemetry';
import type { GroupMaterial } from './html/material.js';
import type { Report } from './schema.js';

const QUANTILES = [0.5, 0.9, 0.99, 0.999] as const;

export function toPrometheus(report: Report, material: readonly GroupMaterial[] = []): string {
  const families = [...metricFamilies(report), ...histogramFamilies(report, material), verdictFamily(report)];
  return families.map(({ head, samples }) => `${head}${samples.join('')}`).join('');
}

interface Family {
  readonly head: string;
  readonly samples: readonly string[];
}

const family = (name: string, type: string, help: string, samples: readonly string[]): Family => ({
  head: `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`,
  samples,
});

function metricFamilies(report: Report): Family[] {
  return report.metrics.map(({ name, help }) => {
    // A median is no counter.
    const exported = `kwb_sim_${name.replace(/_total$/, '')}`;
    const samples = report.summary
      .filter(({ metric }) => metric === name)
      .flatMap(({ variant, point, median, low, high }) =>
        Object.entries({ median, low, high }).flatMap(([stat, value]) =>
          value === null ? [] : [`${exported}${labels(report, variant, point, { stat })} ${value}\n`],
        ),
      );
    return family(exported, 'gauge', `${help} (median of replications and its 95 % interval)`, samples);
  });
}

function histogramFamilies(report: Report, material: readonly GroupMaterial[]): Family[] {
  const names = new Map(
    material.flatMap(({ histograms }) => histograms.map(({ name, help }) => [name, help] as const)),
  );
  return [...names].map(([name, help]) => {
    // Not the name of a metric: those are medians over replications.
    const exported = `kwb_sim_${name.replace(/(_seconds|_bytes)?$/, '_distribution$1')}`;
    const samples = material.flatMap(({ variant, point, histograms }) => {
      const snapshot = histograms.find((each) => each.name === name);
      if (!snapshot) return [];
      const histogram = Histogram.fromSnapshot(snapshot);
      const with_ = (more: Record<string, string>) => labels(report, variant, point, more);
      return [
        ...QUANTILES.map(
          (q) => `${exported}${with_({ quantile: String(q) })} ${histogram.quantile(q) * snapshot.scale}\n`,
        ),
        `${exported}_sum${with_({})} ${snapshot.sum * snapshot.scale}\n`,
        `${exported}_count${with_({})} ${snapshot.total}\n`,
      ];
    });
    return family(exported, 'summary', `${help} (all replications together)`, samples);
  });
}

const verdictFamily = (report: Report): Family =>
  family('kwb_sim_passed', 'gauge', 'Whether every threshold and gated figure held', [
    `kwb_sim_passed{scenario="${escape(report.scenario)}",mechanism="${escape(report.mechanism)}"} ${report.verdict === 'pass' ? 1 : 0}\n`,
  ]);

function labels(report: Report, variant: string, point: object, more: Readonly<Record<string, string>>): string {
  const swept = Object.entries(point).map(([path, value]) => [path.replaceAll(/\W/g, '_'), String(value)]);
  const all = [
    ['scenario', report.scenario],
    ['mechanism', report.mechanism],
    ['variant', variant],
    ...swept,
    ...Object.entries(more),
  ];
  return `{${all.map(([name, value]) => `${name}="${escape(value!)}"`).join(',')}}`;
}

const escape = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
