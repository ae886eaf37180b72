// One cell out of a scenario. The order in which kernel options are decided, weakest first: defaults of the
// mechanism's schema, `spec.kernel`, the preset of the variant, the variant's entry in the scenario, the sweep point.
import { type Cell, type CostProfile, machineOf, type MachineSpec, type Mechanism } from '@kworkbench/mechanism';
import { canonicalJson, type Scalar } from '../cell.js';
import { formatGot, oneOf } from './problems.js';
import { resolveBeside } from './resolve-beside.js';
import type { Point, ScenarioVariant } from './scenario.js';
import { specSchema, type ScenarioSpec } from './schema.js';
import { fieldProblems, type FieldProblem } from './zod-problems.js';

/** Paths in the problems are below `spec`. */
export type Resolution =
  { readonly cell: Cell; readonly problems: readonly [] } | { readonly problems: readonly FieldProblem[] };

export const SWEEP_ROOTS = ['machine', 'workload', 'kernel', 'beside'] as const;

const machineSchema = specSchema.shape.machine;

/** The cell of a variant at a sweep point, with the scenario's seed; its replications differ in the seed alone. */
export function resolveCell(
  mechanism: Mechanism,
  spec: ScenarioSpec,
  variant: ScenarioVariant,
  point: Point,
): Resolution {
  const problems: FieldProblem[] = [];
  const machine = resolveMachine(mechanism, spec, point, problems);
  const workload = resolveWorkload(mechanism, spec, point, problems);
  const kernel = resolveKernel(mechanism, spec, variant, point, problems);
  const beside = resolveBeside(spec, point, problems);
  if (!machine || !workload || !kernel || !beside)
    return { problems: problems.map((problem) => atSweep(problem, point)) };
  const cell: Cell = {
    mechanism: mechanism.name,
    modelVersion: mechanism.modelVersion,
    kernel,
    machine,
    workload,
    ...(beside.length > 0 && { beside }),
    seed: spec.seed,
  };
  const impossible = mechanism.check(cell).map((problem) => ({
    path: problem.path.replace(/^spec\./, '').split('.'),
    expected: problem.expected.replace(/^expected /, ''),
    got: formatGot(problem.got),
  }));
  if (impossible.length > 0) return { problems: impossible.map((problem) => atSweep(problem, point)) };
  return { cell: JSON.parse(canonicalJson(cell)) as Cell, problems: [] };
}

/** A value that came from the sweep is shown where it stands in the file. */
function atSweep(problem: FieldProblem, point: Point): FieldProblem {
  const path = problem.path.join('.');
  return Object.hasOwn(point, path) ? { ...problem, path: ['sweep', path] } : problem;
}

/** The values of a point below one root, as a path within it to a value. */
export function pointBelow(point: Point, root: string): [string, Scalar][] {
  return Object.entries(point)
    .filter(([path]) => path.startsWith(`${root}.`))
    .map(([path, value]) => [path.slice(root.length + 1), value]);
}

function resolveMachine(
  mechanism: Mechanism,
  spec: ScenarioSpec,
  point: Point,
  problems: FieldProblem[],
): MachineSpec | undefined {
  const input: Record<string, unknown> = { ...spec.machine, constants: { ...spec.machine.constants } };
  for (const [path, value] of pointBelow(point, 'machine')) {
    if (path.startsWith('constants.'))
      (input.constants as Record<string, unknown>)[path.slice('constants.'.length)] = value;
    else input[path] = value;
  }
  const parsed = machineSchema.safeParse(input);
  if (!parsed.success) {
    problems.push(...below('machine', fieldProblems(machineSchema, parsed.error, input)));
    return undefined;
  }
  const profile = mechanism.profiles.find((candidate) => candidate.id === parsed.data.profile);
  if (!profile) {
    const { profile: got } = parsed.data;
    const ids = mechanism.profiles.map((candidate) => candidate.id);
    problems.push({ path: ['machine', 'profile'], expected: oneOf(ids, got), got: formatGot(got) });
    return undefined;
  }
  const { memory: memoryBytes, ...rest } = parsed.data;
  const wrong = constantProblems(profile, rest.constants ?? {});
  problems.push(...wrong);
  return wrong.length === 0 ? machineOf(profile, { ...rest, memoryBytes }) : undefined;
}

function constantProblems(profile: CostProfile, overrides: Readonly<Record<string, number>>): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const [name, value] of Object.entries(overrides)) {
    const path = ['machine', 'constants', name];
    const constant = profile.constants.find((candidate) => candidate.name === name);
    if (!constant) {
      const names = profile.constants.map((candidate) => candidate.name);
      problems.push({
        path,
        expected: `a constant of profile ${profile.id}, ${oneOf(names, name)}`,
        got: 'an unknown name',
      });
    } else if (value < constant.min || value > constant.max) {
      const unit = constant.unit === '' ? '' : ` (${constant.unit})`;
      problems.push({
        path,
        expected: `a number from ${constant.min} to ${constant.max}${unit}`,
        got: formatGot(value),
      });
    }
  }
  return problems;
}

function resolveWorkload(mechanism: Mechanism, spec: ScenarioSpec, point: Point, problems: FieldProblem[]) {
  const input = { ...spec.workload, ...Object.fromEntries(pointBelow(point, 'workload')) };
  const parsed = mechanism.workloadSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  problems.push(...below('workload', fieldProblems(mechanism.workloadSchema, parsed.error, input)));
  return undefined;
}

function resolveKernel(
  mechanism: Mechanism,
  spec: ScenarioSpec,
  variant: ScenarioVariant,
  point: Point,
  problems: FieldProblem[],
) {
  const preset = mechanism.variants.find((candidate) => candidate.id === variant.id)!.kernel;
  const swept = Object.fromEntries(pointBelow(point, 'kernel'));
  const input = { ...spec.kernel, ...preset, ...variant.kernel, ...swept };
  const parsed = mechanism.kernelSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const index = spec.variants.findIndex(
    (entry) => typeof entry !== 'string' && (entry.as ?? entry.id) === variant.label,
  );
  for (const problem of fieldProblems(mechanism.kernelSchema, parsed.error, input)) {
    const key = String(problem.path[0]);
    const own = Object.hasOwn(variant.kernel, key) && !Object.hasOwn(swept, key);
    problems.push({
      ...problem,
      path: own ? ['variants', index, 'kernel', ...problem.path] : ['kernel', ...problem.path],
    });
  }
  return undefined;
}

const below = (root: string, problems: readonly FieldProblem[]): FieldProblem[] =>
  problems.map((problem) => ({ ...problem, path: [root, ...problem.path] }));
