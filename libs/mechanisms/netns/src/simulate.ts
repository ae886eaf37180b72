// netns on a machine: the host that a cell describes, and what is put on it.
import { type Attachable, buildHost, simulateAlone } from '@kworkbench/mechanism';
import { type NetnsCell, NetnsSystem } from './model/system.js';
import { tables } from './model/telemetry.js';

export const attachable: Attachable = {
  tables,
  host: (cell, tracer) => {
    const { kernel, machine, seed } = cell as NetnsCell;
    const { barrier, barrierMutex, maxActive } = kernel;
    return buildHost(machine, seed, { barrier, barrierFair: barrierMutex === 'fair', maxActive }, tracer);
  },
  attach: (place) => new NetnsSystem(place),
};

export const simulate = simulateAlone(attachable);
