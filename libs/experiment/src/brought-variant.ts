// A variant that a person brings along as a file: loaded, checked, and registered with its mechanism. Local only: the
// services never call this. What is wrong in the file is said in one line, with the line of the file.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Idea, IdeaForm, Mechanism } from '@kworkbench/mechanism';
import { z } from 'zod';
import { mechanisms, registerMechanism } from './mechanisms.js';

type WithIdeas = Mechanism & { readonly ideas: IdeaForm };
const takesIdeas = (mechanism: Mechanism | undefined): mechanism is WithIdeas => mechanism?.ideas !== undefined;
const namesOf = (): string[] => [...mechanisms.values()].filter(takesIdeas).map(({ name }) => name);

const HASH_DIGITS = 16;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

const ideaSchema = z.looseObject({
  mechanism: z.custom<string>((name) => takesIdeas(mechanisms.get(name as string)), {
    error: () => `expected one of ${namesOf().join(', ')}`,
  }),
  id: z.string({ error: 'expected a name' }).regex(NAME, {
    error: 'expected a name of letters, digits, dots, dashes and underscores',
  }),
  title: z.string({ error: 'expected text in one line' }),
  kernel: z.record(z.string(), z.unknown(), { error: 'expected kernel options' }).optional(),
});

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
  const mechanism = mechanisms.get(idea.mechanism) as WithIdeas;
  if (mechanism.variants.some(({ id, kernel }) => id === idea.id && kernel['brought'] === undefined)) {
    const line = lineOf(text, /\bid\s*:/);
    throw new VariantFileError(
      `${path}:${line}: id: expected another name than that of a known variant, got "${idea.id}"`,
    );
  }
  registerMechanism(mechanism.ideas.join(mechanism, idea, hash, basename(file)));
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

function check(path: string, text: string, found: unknown): Idea & { readonly mechanism: string } {
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
  const { ideas, kernelSchema } = mechanisms.get(parsed.data.mechanism) as WithIdeas;
  for (const name of ideas.functions) {
    const value = (found as Record<string, unknown>)[name];
    if (typeof value !== 'function') fail(name, `expected a function, got ${JSON.stringify(value) ?? 'nothing'}`);
  }
  // The object itself, not a copy: its functions may use `this`.
  const idea = found as Idea & { readonly mechanism: string };
  const kernel = kernelSchema.safeParse(ideas.kernelOf(idea));
  if (!kernel.success) {
    const [issue] = kernel.error.issues;
    fail('kernel', `${[...issue!.path, issue!.message].join(': ')}`);
  }
  return idea;
}

const lineAt = (text: string, index: number) => text.slice(0, index).split('\n').length;
const lineOf = (text: string, pattern: RegExp) => lineAt(text, Math.max(0, text.search(pattern)));
