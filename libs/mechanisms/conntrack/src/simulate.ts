// conntrack on a machine: the host that a cell describes, and what is put on it.
import { type Attachable, buildHost, DEFAULT_HOST_KERNEL, simulateAlone } from '@kworkbench/mechanism';
import { ConntrackSystem } from './model/system.js';
import { tables } from './model/telemetry.js';

export const attachable: Attachable = {
  tables,
  host: (cell, tracer) => buildHost(cell.machine, cell.seed, DEFAULT_HOST_KERNEL, tracer),
  attach: (place) => new ConntrackSystem(place),
};

export const simulate = simulateAlone(attachable);
