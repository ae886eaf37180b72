// What to run next. Pure: the same scenario and the same results give the same cells in any process, so the local
// runner and the coordinator plan alike, and a coordinator that restarts goes on where the other stopped.
import type { Cell } from '@kworkbench/mechanism';
import { cellId, type CellFailure, type CellResult, type PlannedCell } from './cell.js';
import { nextFindStep, type FindStep } from './find.js';
import { replicationSeed } from './random.js';
import { resolveCell } from './scenario/resolve.js';
import type { FindSpec, Point, Scenario, ScenarioVariant } from './scenario/scenario.js';
import { ScenarioError } from './scenario/problems.js';
import { formatPath } from './scenario/zod-problems.js';
import { aggregate, holds } from './thresholds.js';

export type Results = ReadonlyMap<string, CellResult | CellFailure>;

export const isFailure = (result: CellResult | CellFailure): result is CellFailure => 'kind' in result;

/** The replications of one variant at one point, in the order of replications. */
export interface PlannedGroup {
  readonly variant: string;
  readonly point: Point;
  readonly cells: readonly PlannedCell[];
}

/**
 * Cells that are not in `results` yet; empty when the experiment is finished. Equal cells are listed once.
 * The first replication of every variant and point comes before any second one: whoever stops early has the whole
 * sweep, and what each point costs is known as soon as can be.
 */
export function planRound(scenario: Scenario, results: Results): PlannedCell[] {
  const seen = new Set<string>();
  return plannedGroups(scenario, results)
    .flatMap((group) => group.cells)
    .toSorted((a, b) => a.replication - b.replication)
    .filter(({ id }) => !results.has(id) && !seen.has(id) && seen.add(id));
}

/** Every group that the experiment has reached, run or not, under every label it goes by. */
export function plannedGroups(scenario: Scenario, results: Results): PlannedGroup[] {
  const { find } = scenario;
  if (!find) {
    return scenario.points.flatMap((point) => scenario.variants.map((variant) => groupAt(scenario, variant, point)));
  }
  return findSearches(scenario, find).flatMap(({ variant, point }) => {
    const tried: PlannedGroup[] = [];
    const step = search(scenario, find, variant, point, results, tried);
    const next = step.kind === 'try' ? step.values : [];
    const reached = next.map((value) => groupAt(scenario, variant, { ...point, [find.parameter]: value }));
    // By value, not by round: that is how a person reads them.
    return [...tried, ...reached].toSorted((a, b) => Number(a.point[find.parameter]) - Number(b.point[find.parameter]));
  });
}

export interface FindState {
  readonly variant: string;
  /** The sweep point around the search. */
  readonly point: Point;
  readonly step: FindStep;
}

/** Where the searches of a scenario with `find` stand. */
export function findStates(scenario: Scenario, results: Results): FindState[] {
  const { find } = scenario;
  if (!find) return [];
  return findSearches(scenario, find).map(({ variant, point }) => ({
    variant: variant.label,
    point,
    step: search(scenario, find, variant, point, results, []),
  }));
}

function findSearches(scenario: Scenario, find: FindSpec): { variant: ScenarioVariant; point: Point }[] {
  const variants = scenario.variants.filter((variant) => find.variants.includes(variant.label));
  return scenario.points.flatMap((point) => variants.map((variant) => ({ variant, point })));
}

/** Walks one bisection through the results; `tried` receives the groups that have answered, in order. */
function search(
  scenario: Scenario,
  find: FindSpec,
  variant: ScenarioVariant,
  point: Point,
  results: Results,
  tried: PlannedGroup[],
): FindStep {
  const answers = new Map<number, boolean | null | undefined>();
  let reason: string | undefined;
  const step = nextFindStep(find, (value) => {
    if (answers.has(value)) return answers.get(value);
    let group: PlannedGroup;
    try {
      group = groupAt(scenario, variant, { ...point, [find.parameter]: value });
    } catch (error) {
      // Only the results could tell that the search comes here: it ends, and what has run keeps its report.
      if (!(error instanceof ScenarioError)) throw error;
      const lacks = error.problems.map(({ expected, got }) => `expected ${expected}, got ${got}`);
      reason = `${find.parameter} = ${value} cannot run: ${lacks.join('; ')}`;
      return null;
    }
    const answer = answerOf(find, group, results);
    answers.set(value, answer);
    if (answer !== undefined) tried.push(group);
    return answer;
  });
  return step.kind === 'no answer' && reason !== undefined ? { ...step, reason } : step;
}

function answerOf(find: FindSpec, group: PlannedGroup, results: Results): boolean | null | undefined {
  const values: number[] = [];
  let failed = false;
  for (const { id } of group.cells) {
    const result = results.get(id);
    if (!result) return undefined;
    if (isFailure(result)) failed = true;
    else values.push(result.metrics[find.metric]!);
  }
  return failed ? null : holds(find.condition, aggregate(find.condition, values));
}

/** Groups are hashed once: planning is asked again after every round. */
const groups = new WeakMap<Scenario, Map<string, PlannedGroup>>();

function groupAt(scenario: Scenario, variant: ScenarioVariant, point: Point): PlannedGroup {
  let known = groups.get(scenario);
  if (!known) groups.set(scenario, (known = new Map()));
  const key = JSON.stringify([variant.label, point]);
  let group = known.get(key);
  if (!group) known.set(key, (group = expandGroup(scenario, variant, point)));
  return group;
}

function expandGroup(scenario: Scenario, variant: ScenarioVariant, point: Point): PlannedGroup {
  const resolution = resolveCell(scenario.mechanism, scenario.spec, variant, point);
  if (!('cell' in resolution)) {
    // Only a value inside a bracket can come here; the ends were checked with the scenario.
    throw new ScenarioError(
      resolution.problems.map(({ path, expected, got }) => ({
        source: scenario.name,
        path: formatPath(['spec', ...path]),
        expected,
        got,
      })),
    );
  }
  const cells = Array.from({ length: scenario.replications }, (_, replication): PlannedCell => {
    const cell: Cell = { ...resolution.cell, seed: replicationSeed(scenario.seed, replication) };
    return { id: cellId(cell), cell, variant: variant.label, point, replication };
  });
  return { variant: variant.label, point, cells };
}
