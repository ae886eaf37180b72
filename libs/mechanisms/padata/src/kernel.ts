// The kernel under study, a switch per patch of the series, per variant from its review, and per item of its TODO list.
import { broughtSchema, integer } from '@kworkbench/mechanism';
import { z } from 'zod';

/** Pages that one call reserves at a time (patch 8), and the most that the switch takes. */
export const CACHE_PAGES = 65_536;

const patch = (n: number, help: string) => z.boolean().default(false).describe(`Patch ${n}: ${help}`);

export const kernelSchema = z.strictObject({
  threads: z
    .enum(['none', 'padata', 'user'])
    .default('none')
    .describe('Who works beside the main thread: nobody, padata helpers (patch 7), or threads of the process (review)'),
  afterBoot: patch(1, 'jobs may run after boot; without it they fall back to the main thread alone'),
  firstError: patch(2, 'the first error in time stops the job and becomes its result; without it errors are lost'),
  undo: patch(3, 'the main thread undoes what a failed job had done'),
  lockdep: patch(4, 'a lock class per call site stands for waiting for helpers'),
  cachePages: integer(0, 2 ** 24)
    .default(0)
    .describe('Patch 8: pages reserved in locked_vm at a time by each chunk; 0 accounts every contiguous run'),
  kthreads: patch(9, 'helpers are fresh kthreads instead of workers of an unbound workqueue'),
  capAffinity: patch(10, 'no more workers than CPUs in the mask of the main thread; helpers are bound to that mask'),
  capOnline: patch(11, 'no more workers of all jobs than online CPUs; without it than possible ones'),
  capBandwidth: patch(12, 'no more workers than quota / period of the group of the main thread'),
  maxNice: patch(13, 'helpers run at nice 19'),
  renice: patch(14, 'while the main thread waits, one helper at a time has its nice value'),
  remoteCharge: patch(15, 'CPU time of helpers is charged to the group of the main thread'),
  remoteStat: patch(16, 'charged time is counted in cpu.stat'),
  proveLocking: z.boolean().default(false).describe('CONFIG_PROVE_LOCKING: reports what the lock classes show'),
  debt: z
    .enum(['field', 'signed'])
    .default('field')
    .describe('What a charge beyond the pool becomes: a debt of its own, or negative runtime of the pool (review)'),
  throttleAtCharge: z.boolean().default(false).describe('A charge that leaves debt stops the group at once (review)'),
  chargeAt: z
    .enum(['chunk', 'tick'])
    .default('chunk')
    .describe('When helpers charge: after each chunk, or at every tick (review, Zijlstra)'),
  helperGroup: z
    .enum(['root', 'caller'])
    .default('root')
    .describe('Where helpers run: outside of all groups, or moved into the group of the main thread (review)'),
  helperPool: integer(0, 4096)
    .default(0)
    .describe('Helpers that the jobs of one cgroup may have at a time; 0 is no limit (review, Heo)'),
  chargeWeight: z
    .boolean()
    .default(false)
    .describe("CPU time of helpers counts as the caller's where CPU time is shared by weight (review, Heo)"),
  backPressure: z
    .boolean()
    .default(false)
    .describe('Helpers of a group that owes a whole quota leave; the caller goes on alone (review, Heo)'),
  containerLock: z
    .boolean()
    .default(true)
    .describe('MAP calls of one container exclude each other (iommu->lock), as those of threads of the process do'),
  accountWhole: z
    .boolean()
    .default(false)
    .describe('locked_vm takes the whole range once, before it is pinned (review, Gunthorpe)'),
  folioBatching: z
    .boolean()
    .default(false)
    .describe('Pages of one folio are pinned and checked together (2025); one thread is faster, prefaulted'),
  memcgCharge: z
    .boolean()
    .default(false)
    .describe('TODO: helpers charge kernel memory to the memory cgroup of the caller'),
  memPolicy: z.boolean().default(false).describe('TODO: helpers allocate by the memory policy of the caller'),
  signalPoll: z.boolean().default(false).describe('TODO: helpers look for a fatal signal of the caller at every batch'),
  readerStealing: z
    .boolean()
    .default(true)
    .describe('mmap_lock: a reader may take it while a queued writer is still waking (since 5.11)'),
  throttleAt: z
    .enum(['dequeue', 'userReturn'])
    .default('dequeue')
    .describe('Where a throttled task stops: anywhere in the kernel, or on return to user mode'),
  brought: broughtSchema,
});

export type PadataKernel = z.output<typeof kernelSchema>;
