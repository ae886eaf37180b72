// Bring your own variant: what a file must export for this mechanism.
import { type Idea, Ideas } from '@kworkbench/mechanism';
import type { NetnsKernel } from './kernel.js';
import type { FqdirExit, FqdirKernel } from './model/brought-fqdir-exit.js';

/** The default export of the file. */
export interface NetnsIdea extends Idea<NetnsKernel> {
  readonly mechanism: 'netns';
  /** Makes the design for one simulated kernel. State of the design lives in what it returns, never in the module. */
  fqdirExit(kernel: FqdirKernel): FqdirExit;
}

export const ideas = new Ideas<NetnsIdea>(['fqdirExit']);
