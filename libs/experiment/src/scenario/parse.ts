// From text to a checked scenario. Everything is checked before anything starts: the form, the names, the thresholds,
// and every cell of the expansion against its mechanism.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Mechanism } from '@kworkbench/mechanism';
import { stringify } from 'yaml';
import { MAX_CELLS, MAX_SCENARIO_BYTES, MOST_CELLS } from '../limits.js';
import { besideMechanisms, mechanisms } from '../mechanisms.js';
import { together } from '../together.js';
import { loadDocument, type LoadedDocument } from './document.js';
import { meantPath } from './misplaced.js';
import { checkFind, checkPublished, checkThresholds, checkVariants } from './names.js';
import { withoutSpec, type ScenarioOverrides } from './overriding.js';
import { formatGot, oneOf, ScenarioError, type ScenarioProblem } from './problems.js';
import { resolveCell } from './resolve.js';
import type { FindSpec, Point, Scenario, ScenarioVariant } from './scenario.js';
import { scenarioSchema, type ScenarioSpec } from './schema.js';
import { expandSweep, pointCount, sweepAxes } from './sweep.js';
import { fieldProblems, formatPath, UNKNOWN_KEY, type FieldProblem } from './zod-problems.js';
import { findCellCount } from '../find.js';

/** Problems of one kind that are listed; a sweep can repeat one thousands of times. */
const MAX_PROBLEMS = 20;

export interface ParseOptions {
  /** Cells that the scenario may have, up to MOST_CELLS; the default is MAX_CELLS. */
  readonly maxCells?: number;
}

/**
 * @param sourceName what messages call the text, e.g. the file name.
 * @throws ScenarioError with one problem per line when the scenario cannot run. Text that is too long, or a sweep that
 * is too large, is refused without being expanded.
 */
export function parseScenario(
  text: string,
  sourceName: string,
  overrides: ScenarioOverrides = {},
  { maxCells = MAX_CELLS }: ParseOptions = {},
): Scenario {
  if (text.length > MAX_SCENARIO_BYTES) {
    const expected = `a scenario of at most ${MAX_SCENARIO_BYTES} characters`;
    throw new ScenarioError([{ source: sourceName, path: '', expected, got: String(text.length) }]);
  }
  const loaded = loadDocument(text, sourceName, overrides);
  if (loaded.problems.length > 0) throw new ScenarioError(loaded.problems);
  const fail = (problems: readonly FieldProblem[]) => {
    if (problems.length > 0) throw new ScenarioError(distinct(problems.map((problem) => located(problem, loaded))));
  };

  const parsed = scenarioSchema.safeParse(loaded.document);
  if (!parsed.success) {
    fail(fieldProblems(scenarioSchema, parsed.error, loaded.document));
    throw parsed.error;
  }
  const { metadata, spec } = parsed.data;
  const inSpec = (problems: readonly FieldProblem[]) =>
    fail(problems.map((p) => ({ ...p, path: ['spec', ...p.path] })));

  const study = mechanisms.get(spec.mechanism);
  if (!study) {
    inSpec([
      { path: ['mechanism'], expected: oneOf(mechanisms.keys(), spec.mechanism), got: formatGot(spec.mechanism) },
    ]);
    throw new Error('unreachable');
  }
  const problems: FieldProblem[] = [];
  const mechanism = withBeside(study, spec, problems);
  const variants = checkVariants(mechanism, spec, problems);
  const axes = sweepAxes(spec, problems);
  const thresholds = checkThresholds(mechanism, spec, variants, axes, problems);
  const published = checkPublished(mechanism, spec, problems);
  const find = checkFind(mechanism, spec, variants, problems);
  inSpec(problems);
  const cells = find
    ? findCellCount(find, pointCount(axes), spec.replications)
    : variants.length * pointCount(axes) * spec.replications;
  if (cells > maxCells) {
    const more = maxCells < MOST_CELLS ? ` unless more are asked for (kwb: --max-cells, up to ${MOST_CELLS})` : '';
    const factors = [variants.length, pointCount(axes), spec.replications].join(' x ');
    const got = find ? String(cells) : `${cells} (variants x points x replications: ${factors})`;
    inSpec([{ path: [], expected: `at most ${maxCells} cells${more}`, got }]);
  }
  const points = expandSweep(axes);
  inSpec(checkCells(mechanism, spec, variants, points, find));

  return {
    name: metadata.name,
    title: metadata.title,
    description: metadata.description,
    mechanism,
    spec,
    variants,
    points,
    seed: spec.seed,
    replications: spec.replications,
    thresholds,
    published,
    find,
    timeoutMs: Math.ceil(spec.timeout * 1000),
    maxDurationMs: spec.maxDuration === undefined ? undefined : Math.ceil(spec.maxDuration * 1000),
    yaml: stringify(loaded.document),
  };
}

/** The mechanism under study together with what is beside it, as far as that is known. */
function withBeside(study: Mechanism, spec: ScenarioSpec, problems: FieldProblem[]): Mechanism {
  const entries = spec.beside ?? [];
  if (entries.length > 0 && study.attachable === undefined) {
    problems.push({ path: ['beside'], expected: `nothing: ${study.name} shares no machine`, got: formatGot(entries) });
    return study;
  }
  const known = besideMechanisms();
  return together(
    study,
    entries.flatMap(({ name, mechanism }) => {
      const found = known.get(mechanism);
      return found ? [{ name, mechanism: found }] : [];
    }),
  );
}

function checkCells(
  mechanism: Mechanism,
  spec: ScenarioSpec,
  variants: readonly ScenarioVariant[],
  points: readonly Point[],
  find: FindSpec | undefined,
): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const variant of variants) {
    for (const point of points) {
      if (!find) {
        problems.push(...resolveCell(mechanism, spec, variant, point).problems);
        continue;
      }
      for (const end of ['from', 'to'] as const) {
        const resolution = resolveCell(mechanism, spec, variant, { ...point, [find.parameter]: find[end] });
        for (const problem of resolution.problems) {
          const atEnd = problem.path[0] === 'sweep' && problem.path[1] === find.parameter;
          problems.push(atEnd ? { ...problem, path: ['find', end] } : problem);
        }
      }
    }
    if (problems.length > MAX_PROBLEMS) break;
  }
  return problems;
}

function located(
  { path, expected, got }: FieldProblem,
  { sourceOf, lineOf, document }: LoadedDocument,
): ScenarioProblem {
  const line = lineOf(path);
  const [root, key, ...rest] = path;
  const meant =
    root === 'spec' && rest.length === 0 && got === UNKNOWN_KEY ? meantPath(String(key), document) : undefined;
  return {
    source: sourceOf(path),
    path: formatPath(path),
    expected: meant === undefined ? expected : `a known key (did you mean ${meant}?)`,
    got,
    ...(line !== undefined && { line }),
  };
}

function distinct(problems: readonly ScenarioProblem[]): ScenarioProblem[] {
  const byText = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...byText.values()].slice(0, MAX_PROBLEMS);
}

/** A path below `spec`, with or without that word in front. */
export { withoutSpec };

/** Reads and checks a scenario file. @throws ScenarioError, also when the file cannot be read. */
export function readScenario(file: string, overrides: ScenarioOverrides = {}): Scenario {
  return parseScenario(readText(file), file, overrides);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const got = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
    throw new ScenarioError([{ source: file, path: '', expected: 'a readable scenario file', got }]);
  }
}

/** The scenario files of a folder, by name of scenario (the file's name without `.yaml`). */
export function listScenarioFiles(directory: string): { readonly name: string; readonly file: string }[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.yaml'))
    .toSorted()
    .map((file) => ({ name: basename(file, '.yaml'), file: join(directory, file) }));
}

/**
 * The file that a person means: a path to a file, or the name of a scenario of the folder.
 * @throws ScenarioError that names the scenarios there are.
 */
export function findScenarioFile(nameOrFile: string, directory: string): string {
  const isPath = nameOrFile.includes('/') || /\.(ya?ml|json)$/.test(nameOrFile);
  if (isPath || isFile(nameOrFile)) return nameOrFile;
  const known = listScenarioFiles(directory);
  const found = known.find(({ name }) => name === nameOrFile);
  if (found) return found.file;
  const expected = `a scenario file or ${oneOf(
    known.map(({ name }) => name),
    nameOrFile,
  )}`;
  throw new ScenarioError([{ source: nameOrFile, path: '', expected, got: 'no such scenario' }]);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
