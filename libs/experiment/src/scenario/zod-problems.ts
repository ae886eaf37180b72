// From zod's issues to problems in our words. A message that a schema gave itself ("expected a size such as 70GiB")
// is kept; zod's own messages are replaced by what the JSON Schema says.
import type { z } from 'zod';
import { describeNode, jsonSchemaOf, keysAt, nodeAt, type JsonSchema } from './json-schema.js';
import { formatGot, oneOf } from './problems.js';

export interface FieldProblem {
  readonly path: readonly PropertyKey[];
  readonly expected: string;
  readonly got: string;
}

type Issue = z.core.$ZodIssue;

/** What was found where no such key may be. */
export const UNKNOWN_KEY = 'an unknown key';

const OWN_MESSAGE = /^expected /;

export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}

/** Every problem of one failed parse. */
export function fieldProblems(schema: z.ZodType, error: z.ZodError, input: unknown): FieldProblem[] {
  const root = jsonSchemaOf(schema);
  return error.issues.flatMap((issue) => toProblems(root, input, issue, []));
}

function toProblems(root: JsonSchema, input: unknown, issue: Issue, prefix: readonly PropertyKey[]): FieldProblem[] {
  const path = [...prefix, ...issue.path];
  const value = valueAt(input, path);
  if (issue.code === 'unrecognized_keys') {
    const node = nodeAt(root, path, input);
    const known = (node && keysAt(node, value)) ?? [];
    return issue.keys.map((key) => ({
      path: [...path, key],
      expected: known.length > 0 ? `a known key, ${oneOf(known, key)}` : 'no key here',
      got: UNKNOWN_KEY,
    }));
  }
  if (OWN_MESSAGE.test(issue.message)) {
    return [{ path, expected: issue.message.replace(OWN_MESSAGE, ''), got: formatGot(value) }];
  }
  if (issue.code === 'invalid_union') {
    // The branch that the value was meant for is the one that does not reject it as a whole.
    const branch = issue.errors.find(
      (issues) => !issues.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0),
    );
    if (branch) return branch.flatMap((inner) => toProblems(root, input, inner, path));
  }
  const node = nodeAt(root, path, input);
  return [{ path, expected: node ? expectation(node, value) : issue.message, got: formatGot(value) }];
}

function expectation(node: JsonSchema, value: unknown): string {
  return Array.isArray(node.enum)
    ? oneOf(node.enum.map(String), typeof value === 'string' ? value : undefined)
    : describeNode(node);
}

/** `spec.variants[1].id`; keys that are no plain word are put in brackets. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = String(key);
    if (!/^[\w-]+$/.test(name)) return `${text}[${name}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}
