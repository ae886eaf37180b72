// What is injected. One flat schema for all kinds, so that every parameter has one path in a scenario file.
import { durationSeconds, integer, ratePerSecond } from '@kworkbench/mechanism';
import { z } from 'zod';

/** Bounds a run to minutes of real time and the virtual clock to its exact range, far above any published run. */
export const MAX_CYCLES = 10_000_000;
const MAX_THREADS = 4096;

export const workloadSchema = z.strictObject({
  kind: z
    .enum(['storm', 'bursts', 'holdAndDrop', 'exec'])
    .default('storm')
    .describe(
      'storm: unshare in a loop (W1, W2, W4); bursts: `burst` cycles every `interval` (W3); ' +
        'holdAndDrop: create all, then drop all at once (W9); exec: `unshare -n true`, a process per cycle (W10)',
    ),
  cycles: integer(1, MAX_CYCLES).default(50_000).describe('unshare cycles in all threads together'),
  threads: integer(1, MAX_THREADS).default(1).describe('Threads that share the cycles'),
  rate: ratePerSecond()
    .default(0)
    .describe('Cycles started per second, all threads together; 0 is as fast as the machine goes'),
  burst: integer(1, MAX_CYCLES).default(200).describe('Cycles per burst and thread (kind bursts)'),
  interval: durationSeconds().default(5).describe('From the start of a burst to the start of the next (kind bursts)'),
  barrierUsers: integer(0, 1024)
    .default(0)
    .describe('Other callers of rcu_barrier(), such as module unload or unmount (W7)'),
  barrierPeriod: durationSeconds().default(0.1).describe('Time between two calls of one such caller'),
  retryDelay: durationSeconds()
    .default(0.01)
    .describe('How long a thread waits before it tries again after ENOSPC or ENOMEM'),
});

export type NetnsWorkload = z.output<typeof workloadSchema>;
