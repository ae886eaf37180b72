// netns on a machine: the host that a cell describes, and what is put on it.
import { type Attachable, buildHost, type Cell, simulateOnHost } from '@kworkbench/mechanism';
import type { CellOutcome, TelemetrySink } from '@kworkbench/telemetry';
import { type NetnsCell, NetnsSystem } from './model/system.js';
import { tables } from './model/telemetry.js';

export const attachable: Attachable = {
  tables,
  host: (cell) => {
    const { kernel, machine, seed } = cell as NetnsCell;
    const { barrier, barrierMutex, maxActive } = kernel;
    return buildHost(machine, seed, { barrier, barrierFair: barrierMutex === 'fair', maxActive });
  },
  attach: (place) => new NetnsSystem(place),
};

export function simulate(cell: Cell, sink: TelemetrySink): CellOutcome {
  return simulateOnHost([{ name: '', mechanism: attachable, cell }], sink);
}
