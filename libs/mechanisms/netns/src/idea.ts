// Bring your own variant: what a file must export, and how it becomes a variant of this mechanism. Local only: a kernel
// option names the code by its hash, and a process that was not given the code refuses the cell.
import type { Mechanism } from '@kworkbench/mechanism';
import type { NetnsKernel } from './kernel.js';
import type { FqdirExit, FqdirKernel } from './model/brought-fqdir-exit.js';

/** The default export of the file. */
export interface NetnsIdea {
  readonly mechanism: 'netns';
  /** Name of the variant in scenarios and reports: letters, digits, dots, dashes, underscores. */
  readonly id: string;
  /** What it does, in one line. */
  readonly title: string;
  /** Kernel options on top of the defaults, e.g. `{ maxActive: 512 }`. */
  readonly kernel?: Readonly<Partial<Omit<NetnsKernel, 'brought'>>>;
  /** Makes the design for one simulated kernel. State of the design lives in what it returns, never in the module. */
  fqdirExit(kernel: FqdirKernel): FqdirExit;
}

const ideas = new Map<string, NetnsIdea>();

export const ideaOf = (hash: string): NetnsIdea | undefined => ideas.get(hash);

/**
 * The mechanism with the idea as one more variant.
 * @param hash of the file's content; it is part of every cell that runs the idea.
 */
export function withNetnsIdea(mechanism: Mechanism, idea: NetnsIdea, hash: string, source: string): Mechanism {
  ideas.set(hash, idea);
  const variant = { id: idea.id, title: idea.title, source, kernel: { ...idea.kernel, brought: hash } };
  const others = mechanism.variants.filter(({ id }) => id !== idea.id);
  return { ...mechanism, variants: [...others, variant] };
}
