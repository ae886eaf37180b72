// neighbours as the rest of the product sees them: something to put beside a mechanism under study.
import {
  type Attachable,
  buildHost,
  DEFAULT_HOST_KERNEL,
  machineProfiles,
  type Mechanism,
} from '@kworkbench/mechanism';
import { z } from 'zod';
import { metrics } from './metrics.js';
import { Neighbours, tables } from './model/neighbours.js';
import { type NeighboursWorkload, workloadSchema } from './workloads.js';

/** Raised with every change of behaviour: a result of another version is never taken for one of this. */
const MODEL_VERSION = 1;

export const attachable: Attachable = {
  tables,
  host: ({ machine, seed }, tracer) => buildHost(machine, seed, DEFAULT_HOST_KERNEL, tracer),
  attach: (place) => new Neighbours(place),
};

export const neighbours: Mechanism = {
  name: 'neighbours',
  title: 'user threads that want their CPU',
  onlyBeside: true,
  modelVersion: MODEL_VERSION,
  variants: [{ id: 'plain', title: 'as any kernel has them', source: 'no patch series', kernel: {} }],
  profiles: machineProfiles([]),
  metrics,
  published: [],
  kernelSchema: z.strictObject({}),
  workloadSchema,
  check: (cell) => {
    const { probes, probePeriod } = cell.workload as NeighboursWorkload;
    if (probes === 0 || probePeriod >= 1e-6) return [];
    return [{ path: 'workload.probePeriod', expected: 'a duration of at least 1us', got: probePeriod }];
  },
  describeWorkload: (cell) => {
    const { spinners, probes } = cell.workload as NeighboursWorkload;
    return `${spinners} spinners · ${probes} probes`;
  },
  simulate: () => {
    throw new Error('neighbours have no end of their own: they only run beside another mechanism');
  },
  attachable,
};
