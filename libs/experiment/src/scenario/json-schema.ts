// Says in words what a JSON Schema expects at a path. Problems of every schema, also of a mechanism that is not
// written here, are worded from its JSON Schema, so there is one place where words are made.
import { z } from 'zod';

export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

const cache = new WeakMap<z.ZodType, JsonSchema>();

/** The JSON Schema of what a zod schema accepts. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  let found = cache.get(schema);
  if (!found) {
    found = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    cache.set(schema, found);
  }
  return found;
}

const branchesOf = (node: JsonSchema) => node.anyOf ?? node.oneOf ?? node.allOf;

/** The branches of a union that the value's constants (its discriminator) allow; all when they decide nothing. */
function branchesFor(node: JsonSchema, value: unknown): readonly JsonSchema[] {
  const branches = branchesOf(node);
  if (!branches) return [node];
  const fitting = branches.filter((branch) =>
    Object.entries(branch.properties ?? {}).every(
      ([key, property]) =>
        property.const === undefined || (value as Record<string, unknown> | null)?.[key] === property.const,
    ),
  );
  return (fitting.length > 0 ? fitting : branches).flatMap((branch) => branchesFor(branch, value));
}

/** What the schema says about a path; undefined when it says nothing. */
export function nodeAt(root: JsonSchema, path: readonly PropertyKey[], value: unknown): JsonSchema | undefined {
  if (path.length === 0) return root;
  const [key, ...rest] = path as [PropertyKey, ...PropertyKey[]];
  const inner = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  const found: JsonSchema[] = [];
  for (const branch of branchesFor(root, value)) {
    const next =
      typeof key === 'number'
        ? branch.items
        : (branch.properties?.[String(key)] ??
          (typeof branch.additionalProperties === 'object' ? branch.additionalProperties : undefined));
    const node = next && nodeAt(next, rest, inner);
    if (node) found.push(node);
  }
  return found.length > 1 ? { anyOf: found } : found[0];
}

/** The keys that a mapping at this node may have; undefined when any may be. */
export function keysAt(node: JsonSchema, value: unknown): string[] | undefined {
  const objects = branchesFor(node, value).filter((branch) => branch.properties);
  return objects.length > 0 ? [...new Set(objects.flatMap((branch) => Object.keys(branch.properties!)))] : undefined;
}

/** What a node expects, e.g. `an integer from 1 to 4096`. */
export function describeNode(node: JsonSchema): string {
  const branches = branchesOf(node);
  if (branches) return [...new Set(branches.map(describeNode))].join(' or ');
  if (node.const !== undefined) return String(node.const);
  if (Array.isArray(node.enum)) return node.enum.length === 1 ? String(node.enum[0]) : `one of ${node.enum.join(', ')}`;
  if (Array.isArray(node.type)) {
    return node.type.map((type: string) => describeNode({ ...node, type })).join(' or ');
  }
  switch (node.type) {
    case 'integer':
      return `an integer${range(node)}`;
    case 'number':
      return `a number${range(node)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return typeof node.pattern === 'string' ? `text of the form ${node.pattern}` : 'text';
    case 'array':
      return `a list${items(node)}`;
    case 'object':
      return 'a mapping';
    default:
      return 'another value';
  }
}

function items({ minItems: least = 0, maxItems: most }: JsonSchema): string {
  if (most !== undefined) return ` of ${least} to ${most}`;
  return Number(least) > 0 ? ` of at least ${least}` : '';
}

function range(node: JsonSchema): string {
  // zod bounds every integer by what a double holds; that is no limit that a person set.
  const bound = (value: unknown) =>
    typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;
  const low = bound(node.minimum);
  const high = bound(node.maximum);
  const above = bound(node.exclusiveMinimum);
  const below = bound(node.exclusiveMaximum);
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  const parts: string[] = [];
  if (low !== undefined) parts.push(`of at least ${low}`);
  if (above !== undefined) parts.push(`above ${above}`);
  if (high !== undefined) parts.push(`of at most ${high}`);
  if (below !== undefined) parts.push(`below ${below}`);
  return parts.length > 0 ? ` ${parts.join(' and ')}` : '';
}
