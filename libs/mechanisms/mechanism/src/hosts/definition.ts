// How a constant is defined: its value in each profile, with where it comes from.
import type { CostConstant } from '../mechanism.js';

/** [value, basis, source] of a constant in one profile. */
type Value = readonly [number, CostConstant['basis'], string];

export interface Definition {
  readonly name: string;
  readonly unit: string;
  readonly help: string;
  readonly min: number;
  readonly max: number;
  readonly deb510: Value;
  /** Where the live kernel was measured; otherwise as deb510. */
  readonly live618?: Value;
}

export const netnsSpec = (section: string): string => `model specification of netns, section ${section}`;
