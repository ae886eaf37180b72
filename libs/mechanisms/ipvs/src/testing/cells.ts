// Cells for specs, resolved as the experiment library resolves them.
import { type CellOptionsOf, cellsOf } from '@kworkbench/mechanism/testing';
import type { IpvsKernel } from '../kernel.js';
import { ipvs } from '../mechanism.js';
import { IpvsSystem } from '../model/system.js';

export type CellOptions = CellOptionsOf<IpvsKernel>;

const cells = cellsOf<IpvsKernel>(ipvs, { variant: 'v6.2', profile: 'alibaba-104' });
export const { cellOf, run } = cells;

/** The system itself, wired up on its host and not yet started. */
export function systemOf(options: CellOptions = {}): IpvsSystem {
  return cells.systemOn(cellOf(options), (place) => new IpvsSystem(place));
}
