// Cells for specs, resolved as the experiment library resolves them.
import { type CellOptionsOf, cellsOf } from '@kworkbench/mechanism/testing';
import type { ConntrackKernel } from '../kernel.js';
import { conntrack } from '../mechanism.js';
import { ConntrackSystem } from '../model/system.js';

export type CellOptions = CellOptionsOf<ConntrackKernel>;

const cells = cellsOf<ConntrackKernel>(conntrack, { variant: 'before', profile: 'author-2021' });
export const { cellOf, run } = cells;

/** The system itself, wired up on its host and not yet started. */
export function systemOf(options: CellOptions = {}): ConntrackSystem {
  return cells.systemOn(cellOf(options), (place) => new ConntrackSystem(place));
}
