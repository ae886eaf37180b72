// Bring your own variant: what a file must export for this mechanism.
import { type Idea, Ideas } from '@kworkbench/mechanism';
import type { ConntrackKernel } from './kernel.js';
import type { CtCleanDesign, CtCleanKernel } from './model/brought-clean.js';

/** The default export of the file. Its kernel options are on top of those of `merged`; `queues` have a cleaner of their own. */
export interface ConntrackIdea extends Idea<ConntrackKernel> {
  readonly mechanism: 'conntrack';
  /** Makes the ct_clean thread of one conntrack. State of the design lives in what it returns, never in the module. */
  ctClean(kernel: CtCleanKernel): CtCleanDesign;
}

export const ideas = new Ideas<ConntrackIdea>(['ctClean'], { expiration: 'rculists' });
