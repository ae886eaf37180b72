// What runs beside: nothing but user code that wants its CPU, so that a loss is somebody else's doing.
import { durationSeconds, integer } from '@kworkbench/mechanism';
import { z } from 'zod';

export const workloadSchema = z.strictObject({
  spinners: integer(0, 4096).default(0).describe('Threads of user code that never sleep'),
  spinnerNice: integer(-20, 19).default(0).describe('Their nice value'),
  probes: integer(0, 4096)
    .default(1)
    .describe('Threads that wake at a fixed period, work a little, and time their wakeup'),
  probeNice: integer(-20, 19).default(0).describe('Their nice value'),
  probePeriod: durationSeconds().default(0.01).describe('Time from one wakeup of a probe to the next'),
  probeWork: durationSeconds().default(0.001).describe('CPU time of a probe after each wakeup'),
});

export type NeighboursWorkload = z.output<typeof workloadSchema>;
