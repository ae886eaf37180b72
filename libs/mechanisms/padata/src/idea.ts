// Bring your own variant: what a file must export for this mechanism.
import { type Idea, Ideas } from '@kworkbench/mechanism';
import type { JobSplit, JobToSplit } from './job/split.js';
import type { PadataKernel } from './kernel.js';
import { SERIES } from './variants.js';

/** The default export of the file. Its kernel options are on top of those of `series`. */
export interface PadataIdea extends Idea<PadataKernel> {
  readonly mechanism: 'padata';
  /** How one job is cut into chunks. State of the design lives in what it returns, never in the module. */
  split(job: JobToSplit): JobSplit;
}

export const ideas = new Ideas<PadataIdea>(['split'], SERIES);
