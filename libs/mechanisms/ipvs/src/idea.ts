// Bring your own variant: what a file must export for this mechanism.
import { type Idea, Ideas } from '@kworkbench/mechanism';
import type { IpvsKernel } from './kernel.js';
import type { RowDesign } from './model/brought-rows.js';

/** The default export of the file. Its kernel options are on top of those of `v6.2`. */
export interface IpvsIdea extends Idea<IpvsKernel> {
  readonly mechanism: 'ipvs';
  /** Makes the design for one namespace. State of the design lives in what it returns, never in the module. */
  placement(): RowDesign;
}

export const ideas = new Ideas<IpvsIdea>(['placement']);
