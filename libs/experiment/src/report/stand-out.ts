// Which of the main metrics tell the variants apart: a person looks at those first, and at the others if at all.
import type { Report } from './schema.js';

type Comparison = Report['comparisons'][number];

/** A change by less than this is real where its interval says so, and still of no consequence. */
const SMALL = 0.01;

export interface StandOut {
  /** Beyond noise, and by more than next to nothing, somewhere. In the order of the headline, as the others are. */
  readonly loud: readonly string[];
  /** Beyond noise somewhere, and less than 1 % everywhere. */
  readonly small: readonly string[];
  /** Within noise everywhere. */
  readonly quiet: readonly string[];
}

export const isSmall = ({ relative }: Comparison): boolean => relative !== null && Math.abs(relative) < SMALL;

/** Of the headline metrics that could be compared; those of a run with too few replications are in none. */
export function standOut({ headline, comparisons }: Report): StandOut {
  const sorted = { loud: [] as string[], small: [] as string[], quiet: [] as string[] };
  for (const name of headline) {
    const entries = comparisons.filter(({ metric, low }) => metric === name && low !== null);
    if (entries.length === 0) continue;
    const beyond = entries.some(({ verdict }) => verdict !== 'within noise');
    sorted[beyond ? (entries.every(isSmall) ? 'small' : 'loud') : 'quiet'].push(name);
  }
  return sorted;
}
