// padata on a machine: the host that a cell describes, and what is put on it.
import { type Attachable, buildHost, DEFAULT_HOST_KERNEL, simulateAlone } from '@kworkbench/mechanism';
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

export const simulate = simulateAlone(attachable);
