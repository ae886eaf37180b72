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

/** A machine on which a kthread takes all that specs have. */
export const SMALL = { profile: 'xeon6326-performance', cpus: 4 } as const;

export const metricsOf = (options: CellOptions): Record<string, number> => run(options).metrics;

/** A column of the table of samples. */
export function column(options: CellOptions, name: string): { readonly seconds: number; readonly value: number }[] {
  const { telemetry } = run(options);
  const at = telemetry.headers[0]!.tables[0]!.columns.findIndex((candidate) => candidate.name === name);
  return telemetry.frames
    .filter(({ table }) => table === 0)
    .flatMap(({ columns, rows }) =>
      Array.from({ length: rows }, (_, i) => ({ seconds: columns[0]![i]!, value: columns[at]![i]! })),
    );
}
