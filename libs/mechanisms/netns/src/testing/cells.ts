// Cells for specs, resolved as the experiment library resolves them.
import { type CellOptionsOf, cellsOf } from '@kworkbench/mechanism/testing';
import type { NetnsKernel } from '../kernel.js';
import { netns } from '../mechanism.js';
import { NetnsSystem } from '../model/system.js';

export type CellOptions = CellOptionsOf<NetnsKernel>;

const cells = cellsOf<NetnsKernel>(netns, { variant: 'before', profile: 'deb510-40cpu' });
export const { cellOf, run, runSeeds } = cells;

/** The system itself, wired up on its host and not yet started. */
export function systemOf(options: CellOptions = {}): NetnsSystem {
  return cells.systemOn(cellOf(options), (place) => new NetnsSystem(place));
}
