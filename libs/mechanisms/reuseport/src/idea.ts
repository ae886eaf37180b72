// Bring your own variant: what a file must export for this mechanism.
import { type Idea, Ideas } from '@kworkbench/mechanism';
import type { ReuseportKernel } from './kernel.js';
import type { AttachedPolicy, Policy } from './policy/policy.js';
import { MERGED } from './variants.js';

/** Reads of the context in one call, and rules that a call costs, of a file that says nothing else. */
const BUDGET = 10_000;
const RULES = 1;

/** The default export of the file: a program of type SK_REUSEPORT. Its kernel options are on top of those of `M`. */
export interface ReuseportIdea extends Idea<ReuseportKernel> {
  readonly mechanism: 'reuseport';
  /** When it is asked: also for migrations (the default), or at SYNs alone. */
  readonly attach?: AttachedPolicy['attach'];
  /** Reads of its context that one call may make; a call that needs more ends the cell. Default 10,000. */
  readonly budget?: number;
  /** CPU time of a call, in rules of 5 ns. Default 1. */
  readonly rules?: number;
  /** Makes the program for one simulated kernel. Its state lives in what it returns, or in `context.map`. */
  program(): Policy;
}

export const ideas = new Ideas<ReuseportIdea>(['program'], MERGED);

/** The idea of a cell as a program that is attached to the group; undefined when the cell runs no idea. */
export function programOf(kernel: ReuseportKernel): AttachedPolicy | undefined {
  const idea = ideas.of(kernel);
  if (idea === undefined) return undefined;
  const { attach = 'selectOrMigrate', budget = BUDGET, rules = RULES } = idea;
  return { decide: idea.program(), attach, budget, rules };
}
