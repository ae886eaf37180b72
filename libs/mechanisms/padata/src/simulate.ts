// padata on a machine: the host that a cell describes, and what is put on it.
import { type Attachable, buildHost, type Cell, DEFAULT_HOST_KERNEL, simulateOnHost } from '@kworkbench/mechanism';
import type { CellOutcome, TelemetrySink, TraceRecorder } from '@kworkbench/telemetry';
import { type PadataCell, PadataSystem } from './model/system.js';
import { tables } from './model/telemetry.js';

export const attachable: Attachable = {
  tables,
  host: (cell, tracer) => {
    const { kernel, machine, seed } = cell as PadataCell;
    return buildHost(machine, seed, { ...DEFAULT_HOST_KERNEL, throttleAt: kernel.throttleAt }, tracer);
  },
  attach: (place) => new PadataSystem(place),
};

export function simulate(cell: Cell, sink: TelemetrySink, trace?: TraceRecorder): CellOutcome {
  return simulateOnHost([{ name: '', mechanism: attachable, cell }], sink, trace);
}
