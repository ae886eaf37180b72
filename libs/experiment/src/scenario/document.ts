// From text to a plain document, with what was said on the command line put in before anything is checked.
import { LineCounter, parseDocument } from 'yaml';
import { MAX_NESTING } from '../limits.js';
import { levelsOf, tooDeepAt } from './nesting.js';
import { isMapping, Overriding, type ScenarioOverrides } from './overriding.js';
import { linesOfDocument, type LineOf } from './positions.js';
import { formatGot, type ScenarioProblem } from './problems.js';

const NESTING = `at most ${MAX_NESTING} levels of nesting`;

const nowhere: LineOf = () => undefined;

export interface LoadedDocument {
  /** After overrides. */
  readonly document: unknown;
  readonly problems: readonly ScenarioProblem[];
  /** The option or the file that a path's value came from. */
  sourceOf(path: readonly PropertyKey[]): string;
  /** The line of a path's value, where it came from the file. */
  readonly lineOf: LineOf;
}

/** Parses YAML (or JSON) and applies the overrides; syntax errors carry line and column. */
export function loadDocument(text: string, source: string, overrides: ScenarioOverrides): LoadedDocument {
  const refused = (expected: string, got: string, place?: { line: number; col: number }): LoadedDocument => {
    const problem = { source, path: '', expected, got, ...(place && { line: place.line, column: place.col }) };
    return { document: undefined, problems: [problem], sourceOf: () => source, lineOf: nowhere };
  };
  const deep = tooDeepAt(text);
  if (deep) return refused(NESTING, 'more', deep);
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = yaml.errors.map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    return { source, path: '', expected: 'valid YAML', got: error.message, line, column: col };
  });
  if (syntax.length > 0) return { document: undefined, problems: syntax, sourceOf: () => source, lineOf: nowhere };
  let document: unknown;
  try {
    document = yaml.toJS();
  } catch (error) {
    // Too many aliases, or one without an anchor.
    return refused('valid YAML', (error as Error).message);
  }
  const levels = levelsOf(document);
  if (levels === Infinity) return refused('a document', 'one with a part that contains itself');
  if (levels > MAX_NESTING) return refused(NESTING, 'more');
  if (!isMapping(document)) {
    return refused('a mapping with apiVersion, kind, metadata and spec', formatGot(document));
  }
  const applied = new Overriding(document, source);
  applied.apply(overrides);
  const sourceOf = (path: readonly PropertyKey[]) => applied.sourceOf(path);
  const inFile = linesOfDocument(yaml, lines);
  const lineOf: LineOf = (path) => (sourceOf(path) === source ? inFile(path) : undefined);
  return { document, problems: applied.problems, sourceOf, lineOf };
}
