// Bring your own variant: what the file of a person exports, and how it becomes a variant of a mechanism. Local only: a
// kernel option names the code by the hash of its file, and a process that was not given the code refuses the cell.
import { invariant } from '@kworkbench/machine';
import { z } from 'zod';
import type { Mechanism, Problem } from './mechanism.js';

/** Part of the default export of every file, whatever the mechanism. */
export interface Idea<Kernel extends object = Readonly<Record<string, unknown>>> {
  /** Name of the variant in scenarios and reports: letters, digits, dots, dashes, underscores. */
  readonly id: string;
  /** What it does, in one line. */
  readonly title: string;
  /** Kernel options on top of those that the mechanism gives to every idea, e.g. `{ maxActive: 512 }`. */
  readonly kernel?: Readonly<Partial<Omit<Kernel, 'brought'>>>;
}

/** Steps of code: `yield` a number of ns to use the CPU, `yield*` what the kernel of the idea offers. */
export type Steps<Result = void> = Generator<number, Result, void>;

/** The kernel option that says which file a cell runs; a field of every mechanism's `kernelSchema`. */
export const broughtSchema = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .optional()
  .describe('Hash of the file of a variant that was brought along (kwb run --variant); never set by hand');

/** What the loader of files needs to know about the ideas of a mechanism. */
export interface IdeaForm {
  /** Functions that the default export must have. */
  readonly functions: readonly string[];
  /** All kernel options that the idea sets. */
  kernelOf(idea: Idea): Readonly<Record<string, unknown>>;
  /**
   * The mechanism with the idea as one more variant.
   * @param hash of the file's content; it is part of every cell that runs the idea.
   */
  join(mechanism: Mechanism, idea: Idea, hash: string, source: string): Mechanism;
}

/** The ideas that this thread was given for one mechanism. */
export class Ideas<Own extends Idea> implements IdeaForm {
  private readonly known = new Map<string, Own>();

  /** @param base kernel options of every idea, where it says nothing else. */
  constructor(
    readonly functions: readonly (keyof Own & string)[],
    private readonly base: Readonly<Record<string, unknown>> = {},
  ) {}

  /** The idea that a cell runs; undefined when it runs a design of the mechanism's own. */
  of({ brought }: { readonly brought?: string | undefined }): Own | undefined {
    if (brought === undefined) return undefined;
    const idea = this.known.get(brought);
    invariant(idea !== undefined, 'a variant whose code is not here');
    return idea;
  }

  /** What a mechanism's check() says about a cell whose code is not here. */
  problems({ brought }: { readonly brought?: string | undefined }): readonly Problem[] {
    if (brought === undefined || this.known.has(brought)) return [];
    const expected = 'a variant whose code was given to this process (kwb run --variant FILE)';
    return [{ path: 'kernel.brought', expected, got: brought }];
  }

  kernelOf(idea: Idea): Readonly<Record<string, unknown>> {
    return { ...this.base, ...idea.kernel };
  }

  join(mechanism: Mechanism, idea: Idea, hash: string, source: string): Mechanism {
    this.known.set(hash, idea as Own);
    const variant = { id: idea.id, title: idea.title, source, kernel: { ...this.kernelOf(idea), brought: hash } };
    const others = mechanism.variants.filter(({ id }) => id !== idea.id);
    return { ...mechanism, variants: [...others, variant] };
  }
}
