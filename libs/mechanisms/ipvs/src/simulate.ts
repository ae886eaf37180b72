// ipvs on a machine: the host that a cell describes, and what is put on it.
import { type Attachable, buildHost, DEFAULT_HOST_KERNEL, simulateAlone } from '@kworkbench/mechanism';
import { machineOf } from './model/build.js';
import { type IpvsCell, IpvsSystem } from './model/system.js';
import { tables } from './model/telemetry.js';

export const attachable: Attachable = {
  tables,
  host: (cell, tracer) => buildHost(machineOf(cell as IpvsCell), cell.seed, DEFAULT_HOST_KERNEL, tracer),
  attach: (place) => new IpvsSystem(place),
};

export const simulate = simulateAlone(attachable);
