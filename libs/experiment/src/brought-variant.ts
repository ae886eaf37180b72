// A variant that a person brings along as a file: loaded, checked, and registered with its mechanism. Local only: the
// services never call this. What is wrong in the file is said in one line, with the line of the file.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Mechanism } from '@kworkbench/mechanism';
import { withNetnsIdea, type NetnsIdea } from '@kworkbench/netns';
import { z } from 'zod';
import { mechanisms, registerMechanism } from './mechanisms.js';

/** What a file must export by default, per mechanism, and how it joins the mechanism. */
const FORMS: Readonly<Record<string, Form>> = {
  netns: {
    functions: ['fqdirExit'],
    join: (mechanism, idea, hash, source) => withNetnsIdea(mechanism, idea as unknown as NetnsIdea, hash, source),
  },
};

interface Form {
  readonly functions: readonly string[];
  join(mechanism: Mechanism, idea: Idea, hash: string, source: string): Mechanism;
}

const HASH_DIGITS = 16;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

const ideaSchema = z.looseObject({
  mechanism: z.enum(Object.keys(FORMS) as [string, ...string[]], {
    error: `expected one of ${Object.keys(FORMS).join(', ')}`,
  }),
  id: z.string({ error: 'expected a name' }).regex(NAME, {
    error: 'expected a name of letters, digits, dots, dashes and underscores',
  }),
  title: z.string({ error: 'expected text in one line' }),
  kernel: z.record(z.string(), z.unknown(), { error: 'expected kernel options' }).optional(),
});

type Idea = z.output<typeof ideaSchema>;

export interface BroughtVariant {
  readonly id: string;
  readonly mechanism: string;
  /** Absolute path of the file. */
  readonly file: string;
  readonly text: string;
  /** Of the text; part of every cell that runs it. */
  readonly hash: string;
}

/** `my-idea.ts:12: what is wrong`. */
export class VariantFileError extends Error {
  override readonly name = 'VariantFileError';
}

/** Paths of the files that were brought, to name their lines in errors of cells. */
const broughtUrls = new Set<string>();

/**
 * Loads a file and registers its variant in this thread. A file is one file: its hash stands for all of its code.
 * @throws VariantFileError in one line.
 */
export async function bringVariant(path: string): Promise<BroughtVariant> {
  const file = resolve(path);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new VariantFileError(`${path}: expected a readable file (${(error as Error).message})`);
  }
  refuseOtherFiles(path, text);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
  const idea = check(path, text, await load(path, file));
  const form = FORMS[idea.mechanism]!;
  const mechanism = mechanisms.get(idea.mechanism)!;
  if (mechanism.variants.some(({ id, kernel }) => id === idea.id && kernel['brought'] === undefined)) {
    const line = lineOf(text, /\bid\s*:/);
    throw new VariantFileError(
      `${path}:${line}: id: expected another name than that of a known variant, got "${idea.id}"`,
    );
  }
  registerMechanism(form.join(mechanism, idea, hash, basename(file)));
  broughtUrls.add(pathToFileURL(file).href);
  return { id: idea.id, mechanism: idea.mechanism, file, text, hash };
}

/** The innermost line of a brought file in a stack trace, `my-idea.ts:12`; undefined when it has none. */
export function placeInBrought(stack: string | undefined): string | undefined {
  for (const [, url, line] of stack?.matchAll(/(file:\/\/[^\s()]+?):(\d+):\d+/g) ?? []) {
    if (broughtUrls.has(url!)) return `${basename(new URL(url!).pathname)}:${line}`;
  }
  return undefined;
}

function refuseOtherFiles(path: string, text: string): void {
  const relative = /^\s*(?:import|export)\s(?!type\b)[^;]*?['"]\.{1,2}\//m.exec(text);
  if (!relative) return;
  const line = lineAt(text, relative.index + relative[0].search(/\S/));
  throw new VariantFileError(`${path}:${line}: expected one file; what it imports would not be part of its hash`);
}

async function load(path: string, file: string): Promise<unknown> {
  const { href } = pathToFileURL(file);
  try {
    return ((await import(href)) as { default?: unknown }).default;
  } catch (error) {
    const place = lineOfError(file, href, error as Error);
    throw new VariantFileError(`${path}${place}: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** `:12`: a syntax error has its place before its stack, everything else within. */
function lineOfError(file: string, href: string, { stack = '' }: Error): string {
  const places = [`${href}:`, `${file}:`].map((start) => stack.split(start)[1]);
  const number = Number.parseInt(places.find((rest) => rest !== undefined) ?? '', 10);
  return Number.isNaN(number) ? '' : `:${number}`;
}

function check(path: string, text: string, found: unknown): Idea {
  const fail = (field: string, message: string): never => {
    const place = field === '' ? /\bexport\b/ : new RegExp(`\\b${field}\\b`);
    throw new VariantFileError(
      `${path}:${lineOf(text, place)}: ${field === '' ? 'the default export' : field}: ${message}`,
    );
  };
  if (typeof found !== 'object' || found === null) return fail('', 'expected a variant, got none (export default)');
  const parsed = ideaSchema.safeParse(found);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = String(issue!.path[0] ?? '');
    return fail(
      field,
      `${issue!.message}, got ${JSON.stringify((found as Record<string, unknown>)[field]) ?? 'nothing'}`,
    );
  }
  for (const name of FORMS[parsed.data.mechanism]!.functions) {
    const value = (found as Record<string, unknown>)[name];
    if (typeof value !== 'function') fail(name, `expected a function, got ${JSON.stringify(value) ?? 'nothing'}`);
  }
  const { kernelSchema } = mechanisms.get(parsed.data.mechanism)!;
  const kernel = kernelSchema.safeParse(parsed.data.kernel ?? {});
  if (!kernel.success) {
    const [issue] = kernel.error.issues;
    fail('kernel', `${[...issue!.path, issue!.message].join(': ')}`);
  }
  // The object itself, not a copy: its functions may use `this`.
  return found as Idea;
}

const lineAt = (text: string, index: number) => text.slice(0, index).split('\n').length;
const lineOf = (text: string, pattern: RegExp) => lineAt(text, Math.max(0, text.search(pattern)));
