// Cells for specs, resolved as the experiment library resolves them.
import { type CellOptionsOf, cellsOf } from '@kworkbench/mechanism/testing';
import type { PadataKernel } from '../kernel.js';
import { padata } from '../mechanism.js';

export type CellOptions = CellOptionsOf<PadataKernel>;

const cells = cellsOf<PadataKernel>(padata, { variant: 'parallel', profile: 'xeon-8167m' });
export const { cellOf, run } = cells;
