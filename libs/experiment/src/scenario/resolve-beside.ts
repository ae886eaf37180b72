// What runs beside the mechanism under study: its design, workload and own constants, with the sweep's values for it
// (`beside.<name>.workload.<parameter>`, `beside.<name>.kernel.<option>`).
import type { Beside } from '@kworkbench/mechanism';
import { type BesideMechanism, besideMechanisms } from '../mechanisms.js';
import { formatGot, oneOf } from './problems.js';
import { pointBelow } from './resolve.js';
import type { Point } from './scenario.js';
import type { ScenarioSpec } from './schema.js';
import { fieldProblems, type FieldProblem } from './zod-problems.js';

type Entry = NonNullable<ScenarioSpec['beside']>[number];

/** Undefined when there were problems. Paths in the problems are below `spec`. */
export function resolveBeside(spec: ScenarioSpec, point: Point, problems: FieldProblem[]): Beside[] | undefined {
  const before = problems.length;
  const entries = spec.beside ?? [];
  for (const [path, value] of pointBelow(point, 'beside')) {
    const [name, room, parameter] = path.split('.');
    const expected = 'a path such as beside.<name>.workload.<parameter> of an entry of beside';
    const known = entries.some((entry) => entry.name === name);
    if (!known || (room !== 'workload' && room !== 'kernel') || parameter === undefined) {
      problems.push({ path: ['sweep', `beside.${path}`], expected, got: formatGot(value) });
    }
  }
  const found = entries.map((entry, index) => resolveEntry(spec, entry, index, point, problems));
  return problems.length === before ? found.filter((one) => one !== undefined) : undefined;
}

function resolveEntry(
  spec: ScenarioSpec,
  entry: Entry,
  index: number,
  point: Point,
  problems: FieldProblem[],
): Beside | undefined {
  const at = ['beside', index];
  const add = (key: string, expected: string, got: unknown): void => {
    problems.push({ path: [...at, key], expected, got: formatGot(got) });
  };
  const known = besideMechanisms();
  const mechanism = known.get(entry.mechanism);
  if (!mechanism) {
    add('mechanism', oneOf(known.keys(), entry.mechanism), entry.mechanism);
    return undefined;
  }
  if (spec.beside!.findIndex(({ name }) => name === entry.name) !== index) {
    add('name', 'a name that no other entry of beside has', entry.name);
  }
  const variant = mechanism.variants.find(({ id }) => id === (entry.variant ?? mechanism.variants[0]!.id));
  if (!variant) {
    add(
      'variant',
      oneOf(
        mechanism.variants.map(({ id }) => id),
        entry.variant!,
      ),
      entry.variant,
    );
    return undefined;
  }
  const room = (key: 'kernel' | 'workload', preset: object): Record<string, unknown> | undefined => {
    const schema = key === 'kernel' ? mechanism.kernelSchema : mechanism.workloadSchema;
    const swept = Object.fromEntries(pointBelow(point, `beside.${entry.name}.${key}`));
    const input = { ...preset, ...entry[key], ...swept };
    const parsed = schema.safeParse(input);
    if (parsed.success) return parsed.data;
    const below = fieldProblems(schema, parsed.error, input);
    problems.push(...below.map((problem) => ({ ...problem, path: [...at, key, ...problem.path] })));
    return undefined;
  };
  const kernel = room('kernel', variant.kernel);
  const workload = room('workload', {});
  const constants = ownConstants(mechanism, entry.profile, spec.machine.profile);
  if (!constants)
    add(
      'profile',
      oneOf(
        mechanism.profiles.map(({ id }) => id),
        entry.profile!,
      ),
      entry.profile,
    );
  if (!kernel || !workload || !constants) return undefined;
  const { name, modelVersion } = { name: entry.name, modelVersion: mechanism.modelVersion };
  return { name, mechanism: mechanism.name, modelVersion, kernel, workload, constants };
}

/** Of the profile that was asked for, else of the machine's, else of the first. */
function ownConstants(
  mechanism: BesideMechanism,
  wanted: string | undefined,
  machine: string,
): Record<string, number> | undefined {
  const byId = (id: string) => mechanism.profiles.find((profile) => profile.id === id);
  const profile = wanted === undefined ? (byId(machine) ?? mechanism.profiles[0]) : byId(wanted);
  return profile && Object.fromEntries(profile.constants.map(({ name, value }) => [name, value]));
}
