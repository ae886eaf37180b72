// Results to report. Pure: the same scenario and results give the same report, whoever ran the cells.
import type { Cell } from '@kworkbench/mechanism';
import { brokenThreshold } from '../early-abort.js';
import { ExitCode } from '../exit-codes.js';
import type { PlannedCell } from '../cell.js';
import { findStates, isFailure, type Results } from '../plan.js';
import { API_VERSION } from '../scenario/schema.js';
import type { Scenario } from '../scenario/scenario.js';
import { median, medianInterval } from '../statistics.js';
import { aggregate, holds } from '../thresholds.js';
import { compareVariants } from './compare.js';
import { groupsOf, samePoint, valuesOf, type Group } from './groups.js';
import { comparePublished } from './published.js';
import { checkThresholds } from './thresholds.js';
import type { Provenance, Report } from './schema.js';

/** Columns of the summary when the mechanism names none: as many as fit an 80 column terminal. */
const DEFAULT_HEADLINE = 6;

export interface ReportInput {
  readonly scenario: Scenario;
  /** What was planned; a cell without a result counts as not run. */
  readonly planned: readonly PlannedCell[];
  readonly results: Results;
  /** From start to end of the experiment. */
  readonly wallSeconds: number;
  readonly provenance: Provenance;
}

export function buildReport({ scenario, planned, results, wallSeconds, provenance }: ReportInput): Report {
  const { mechanism } = scenario;
  const groups = groupsOf(scenario, results);
  const first = groups[0]!.planned[0]!.cell;
  const { profile, cpus, memoryBytes, hz } = first.machine;
  const failures = groups.flatMap((group) => failuresOf(group, results));
  const published = comparePublished(scenario, groups);
  const thresholds = checkThresholds(scenario, groups);
  const notRun = planned.filter(({ id }) => !results.has(id)).length;
  const aborted = notRun > 0 ? brokenThreshold(scenario, results) : undefined;
  const find = findResults(scenario, groups, results);
  const failed =
    failures.length > 0 ||
    find.some(({ reason }) => reason !== undefined) ||
    notRun > 0 ||
    published.some(({ ok, gated }) => gated && ok === false) ||
    thresholds.some(({ ok }) => !ok);
  return {
    apiVersion: API_VERSION,
    kind: 'Report',
    scenario: scenario.name,
    title: scenario.title ?? null,
    mechanism: mechanism.name,
    modelVersion: mechanism.modelVersion,
    verdict: failed ? 'fail' : 'pass',
    workload: workloadOf(scenario, groups),
    machine: { profile, cpus, memoryBytes, hz },
    seed: scenario.seed,
    replications: scenario.replications,
    wallSeconds,
    variants: scenario.variants.map(({ label, id, title }) => ({ label, id, title })),
    metrics: mechanism.metrics.map(({ name, unit, help, better }) => ({ name, unit, help, better })),
    headline: [...(mechanism.headline ?? mechanism.metrics.slice(0, DEFAULT_HEADLINE).map(({ name }) => name))],
    cells: groups.flatMap(cellsOf),
    failures,
    notRun,
    ...(aborted !== undefined && { aborted }),
    summary: groups.flatMap((group) => summaryOf(scenario, group)),
    // A search tries other values for each variant: there is nothing to pair.
    comparisons: scenario.find ? [] : compareVariants(scenario, groups),
    published,
    thresholds,
    find,
    profiles: profilesOf(scenario, groups),
    provenance,
  };
}

/** Parts of a workload's description, as mechanisms write it. */
const PARTS = ' · ';

/** What was injected, in one line: of a sweep, the parts that all points share. */
export function workloadOf(
  { mechanism }: Scenario,
  groups: readonly { readonly planned: readonly PlannedCell[] }[],
): string {
  const [first, ...others] = [...new Set(groups.map(({ planned }) => mechanism.describeWorkload(planned[0]!.cell)))];
  const left = others.map((text) => new Set(text.split(PARTS)));
  return first!
    .split(PARTS)
    .filter((part) => left.every((parts) => parts.has(part)))
    .join(PARTS);
}

/** The exit code that a report stands for; the gravest failure decides. */
export function exitCodeOf(report: Report): ExitCode {
  const failed = (kind: Report['failures'][number]['kind']) => report.failures.some((failure) => failure.kind === kind);
  if (failed('invariant')) return ExitCode.InvariantViolated;
  // The model did not throw, but it is the model that asked for so much.
  if (failed('model') || failed('memory')) return ExitCode.ModelFailed;
  if (failed('timeout')) return ExitCode.TimedOut;
  // A search that came to a value that cannot run: the scenario asks for what there is not.
  if (report.find.some(({ reason }) => reason !== undefined)) return ExitCode.BadScenario;
  if (report.aborted !== undefined) return ExitCode.ThresholdFailed;
  if (failed('cancelled') || report.notRun > 0) return ExitCode.Cancelled;
  return report.verdict === 'pass' ? ExitCode.Passed : ExitCode.ThresholdFailed;
}

function cellsOf(group: Group): Report['cells'] {
  return group.finished.map(({ planned, result }) => ({
    id: planned.id,
    variant: group.variant,
    point: group.point,
    replication: planned.replication,
    seed: planned.cell.seed,
    metrics: { ...result.metrics },
    virtualSeconds: result.virtualSeconds,
    wallSeconds: result.wallSeconds,
    events: result.events,
    digest: result.digest,
  }));
}

function failuresOf({ variant, point, planned }: Group, results: Results): Report['failures'] {
  return planned.flatMap(({ id, replication }) => {
    const result = results.get(id);
    if (!result || !isFailure(result)) return [];
    return [{ id, variant, point, replication, kind: result.kind, message: result.message }];
  });
}

function summaryOf(scenario: Scenario, group: Group): Report['summary'] {
  if (group.finished.length === 0) return [];
  return scenario.mechanism.metrics.map(({ name }) => {
    const values = valuesOf(group, name);
    const interval = medianInterval(values);
    return {
      variant: group.variant,
      point: group.point,
      metric: name,
      median: median(values),
      low: interval?.low ?? null,
      high: interval?.high ?? null,
      min: Math.min(...values),
      max: Math.max(...values),
      n: values.length,
    };
  });
}

function findResults(scenario: Scenario, groups: readonly Group[], results: Results): Report['find'] {
  const { find } = scenario;
  if (!find) return [];
  return findStates(scenario, results).map(({ variant, point, step }) => {
    const tried = groups
      .filter((group) => group.variant === variant && samePoint({ ...group.point, ...point }, group.point))
      .filter((group) => group.finished.length > 0)
      .map((group) => {
        const measured = aggregate(find.condition, valuesOf(group, find.metric));
        const n = group.finished.length;
        return { value: Number(group.point[find.parameter]), measured, holds: holds(find.condition, measured), n };
      });
    const found = step.kind === 'found' ? step : undefined;
    return {
      parameter: find.parameter,
      metric: find.metric,
      condition: find.condition.text,
      variant,
      point,
      outcome: step.kind === 'try' ? 'not finished' : step.kind,
      ...(step.kind === 'no answer' && step.reason !== undefined && { reason: step.reason }),
      value: found?.high ?? (step.kind === 'holds at from' ? find.from : null),
      low: found?.low ?? null,
      high: found?.high ?? null,
      tried,
    };
  });
}

/** Each profile once per set of constants that cells ran with; a sweep over a constant gives several. */
function profilesOf(scenario: Scenario, groups: readonly Group[]): Report['profiles'] {
  const bySettings = new Map<string, Cell>();
  for (const { planned } of groups) {
    const { cell } = planned[0]!;
    bySettings.set(JSON.stringify([cell.machine.profile, cell.machine.constants]), cell);
  }
  return [...bySettings.values()].map(({ machine }) => {
    const { id, title, constants } = scenario.mechanism.profiles.find((profile) => profile.id === machine.profile)!;
    return {
      id,
      title,
      constants: constants.map(({ name, value, unit, basis, source }) => {
        const used = machine.constants[name]!;
        if (used === value) return { name, value, unit, basis, source };
        return { name, value: used, unit, basis: 'override' as const, source: `scenario; the profile has ${value}` };
      }),
    };
  });
}
