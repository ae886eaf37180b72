// What is wrong with a scenario, said in one line each: where, what was expected, what was found.
const LONGEST_GOT = 60;

export interface ScenarioProblem {
  /** The file, or the option (`--set machine.cpus=forty`) that the value came from. */
  readonly source: string;
  /** Path inside the file, e.g. `spec.machine.cpus`; empty for the file as a whole. */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
  /** In the file, from 1; a column only where the syntax is wrong. */
  readonly line?: number;
  readonly column?: number;
}

export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';

  constructor(readonly problems: readonly ScenarioProblem[]) {
    super(problems.map(problemLine).join('\n'));
  }

  /** One line per problem, e.g. `scenarios/x.yaml:9: spec.machine.cpus: expected an integer from 1 to 4096, got "forty"`. */
  lines(): string[] {
    return this.problems.map(problemLine);
  }
}

function problemLine(problem: ScenarioProblem): string {
  const place = [problem.source, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  const path = problem.path === '' ? '' : `${problem.path}: `;
  return `${place}: ${path}expected ${problem.expected}, got ${problem.got}`.replaceAll(/\s*\n\s*/g, ' ');
}

/** A value as it is shown after `got`: short, on one line. */
export function formatGot(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  if (text.length <= LONGEST_GOT) return text;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a mapping';
  return `${text.slice(0, LONGEST_GOT)}...`;
}

/** Up to this many names are listed although one is near. */
const FEW_NAMES = 16;
/** Names that are suggested at most. */
const MOST_SUGGESTED = 8;
/** Letters that must stand in a name for it to be suggested. */
const LEAST_PART = 4;

/** `one of a, b, c (did you mean b?)`; of many names only those that were probably meant. */
export function oneOf(known: Iterable<string>, got?: string): string {
  const names = [...known];
  if (names.length === 1) return names[0]!;
  const near = got === undefined ? [] : suggestions(got, names);
  const hint = near.length === 0 ? '' : ` (did you mean ${near.join(' or ')}?)`;
  const shown = names.length <= FEW_NAMES || near.length === 0 ? names.join(', ') : `${names.length} names`;
  return `one of ${shown}${hint}`;
}

/** The name that is a slip of the keyboard away, else those that have the text in them; none when too many have. */
function suggestions(got: string, names: readonly string[]): string[] {
  const close = nearest(got, names);
  if (close !== undefined) return [close];
  if (got.length < LEAST_PART) return [];
  const having = names.filter((name) => name.toLowerCase().includes(got.toLowerCase()));
  return having.length <= MOST_SUGGESTED ? having : [];
}

/** The known name that is close enough to be a slip of the keyboard; undefined when none is. */
function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitute, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}
