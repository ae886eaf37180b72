// What is injected. One flat schema for all kinds, so that every parameter has one path in a scenario file. Times at which
// something happens are seconds from the start; never is -1.
import { durationSeconds, integer, ratePerSecond } from '@kworkbench/mechanism';
import { z } from 'zod';
import { cpuRanges } from './model/cpulist.js';

/** Bounds a cell to some hundred megabytes. */
export const MAX_ESTIMATORS = 4_000_000;

const NICE_ERROR = 'expected an integer from -20 to 19';
const nice = () => z.int({ error: NICE_ERROR }).min(-20, { error: NICE_ERROR }).max(19, { error: NICE_ERROR });
const at = () =>
  z.union([z.literal(-1), durationSeconds()], { error: 'expected a time such as 20s, or -1 for never' }).default(-1);
const CPULIST_ERROR = 'expected a list of CPUs such as 0-3,8, or nothing';
const cpulist = () =>
  z
    .string()
    .regex(/^(\d+(-\d+)?(,\d+(-\d+)?)*)?$/, { error: CPULIST_ERROR })
    .refine((list) => cpuRanges(list).every(({ first, last }) => first <= last), { error: CPULIST_ERROR });

export const workloadSchema = z.strictObject({
  duration: durationSeconds().default(60).describe('Virtual time of the run'),
  warmup: durationSeconds().default(10).describe('From here on periods and CPU shares are counted'),
  services: integer(0, MAX_ESTIMATORS).default(1000).describe('Virtual services per namespace'),
  destinations: integer(0, MAX_ESTIMATORS).default(0).describe('Destinations (real servers) per service'),
  add: z
    .enum(['batch', 'processes', 'paced', 'present'])
    .default('batch')
    .describe(
      'batch: one process adds all (ipvsadm -R); processes: one process per rule; paced: one rule every addInterval; ' +
        'present: they are there at the start',
    ),
  addInterval: durationSeconds().default(1).describe('From one rule to the next (add paced)'),
  churnRate: ratePerSecond()
    .default(0)
    .describe('Rules replaced per second once all are there: one deleted, one added'),
  churnPattern: z
    .enum(['random', 'front'])
    .default('random')
    .describe('Which rule goes: any, or always one of the oldest tenth'),
  readers: integer(0, 64).default(0).describe('Processes that list all services over and over (ipvsadm -L)'),
  netns: integer(1, 256).default(1).describe('Namespaces with services'),
  idleNetns: integer(0, 4096).default(0).describe('Namespaces without services'),
  teardownAt: at().describe('When the last namespace with services is torn down'),
  packetsPerSecond: ratePerSecond().default(100).describe('Mean packets per second of a rule with traffic'),
  idleRatio: z.number().min(0).max(1).default(0).describe('Share of the rules without traffic'),
  trafficCpus: integer(1, 8192).default(8).describe('CPUs on which packets of one rule are counted'),
  trafficStopAt: at().describe('When all traffic stops'),
  estNice: nice().default(0).describe('est_nice that is written at estNiceAt'),
  estNiceAt: at(),
  estCpulist: cpulist().default('').describe('est_cpulist that is written at estCpulistAt; empty stops the kthreads'),
  estCpulistAt: at(),
  estCpulistWriter: cpulist().default('').describe('CPUs that the writer may run on; empty: all'),
  estCpulistRestoreAt: at().describe('When all CPUs are written to est_cpulist'),
  runEstimationOffAt: at().describe('When 0 is written to run_estimation'),
  runEstimationOnAt: at().describe('When 1 is written to run_estimation'),
  governorSwitchAt: at().describe('When the frequency governor changes (performance to powersave, or back)'),
  saturate: z
    .boolean()
    .default(false)
    .describe('Every CPU has a user task that never sleeps; costs rise by the load factor'),
  packetRate: ratePerSecond()
    .default(0)
    .describe('Packets per second that the CPU of the timer receives, whose latency is taken'),
});

export type IpvsWorkload = z.output<typeof workloadSchema>;
