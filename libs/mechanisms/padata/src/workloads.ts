// What is injected. One flat schema for all kinds, so that every parameter has one path in a scenario file.
import { durationSeconds, integer, sizeBytes } from '@kworkbench/mechanism';
import { z } from 'zod';

export const pageKinds = ['hugetlb', 'thp', 'small'] as const;
export type PageKind = (typeof pageKinds)[number];

/** One number may come as a number, as `--sweep` and YAML give it. */
const spacedInts = (what: string) =>
  z
    .union([z.string().regex(/^$|^\d+(,\d+)*$/), z.int().min(0)], { error: `expected ${what}, comma separated` })
    .transform(String)
    .default('');

export const workloadSchema = z.strictObject({
  kind: z
    .enum(['pin', 'guestStart', 'compute', 'deferredInit'])
    .default('pin')
    .describe(
      'pin: the largest pin of a guest; guestStart: QEMU from its start until all is pinned; compute: a job of plain CPU ' +
        'work (padata_test); deferredInit: struct pages of every node at boot',
    ),
  guest: sizeBytes()
    .default(128 * 2 ** 30)
    .describe('Memory of the guest; the largest pin is 2 GiB less'),
  pages: z
    .enum(pageKinds)
    .default('hugetlb')
    .describe('What the guest is backed with: 2 MiB hugetlb, THP, or 4 KiB pages'),
  prefaulted: z.boolean().default(false).describe('The memory was touched before it is pinned'),
  maxThreads: integer(1, 4096).default(16).describe('max_threads of a job'),
  minChunk: sizeBytes()
    .default(128 * 2 ** 20)
    .describe('min_chunk of a job'),
  align: sizeBytes()
    .default(2 * 2 ** 20)
    .describe('align of a job; a power of two'),
  start: sizeBytes()
    .default(4 * 2 ** 30)
    .describe('Address at which the range begins'),
  jobs: integer(1, 64).default(1).describe('Guests that pin at the same time, each in a process of its own'),
  work: durationSeconds().default(10).describe('CPU time of a compute job, all workers together'),
  nice: z.int().min(-20).max(19).default(0).describe('nice value of the main thread'),
  affinity: integer(0, 4096).default(0).describe('CPUs of the mask of the main thread; 0 is all'),
  offlineCpus: integer(0, 4095).default(0).describe('CPUs that went offline before the start'),
  quota: durationSeconds().default(0).describe('CPU quota of the group of the main thread per period; 0 is none'),
  period: durationSeconds().default(0.1).describe('Period of every quota, 1 ms to 1 s'),
  burst: durationSeconds().default(0).describe('Unused quota that the group may save up, at most the quota'),
  parentQuota: durationSeconds().default(0).describe('Quota of the group above it; 0 is none'),
  idleBefore: durationSeconds().default(0).describe('How long the main thread waits before it starts its job'),
  busyAfter: durationSeconds().default(0).describe('CPU time that the main thread wants in user mode after its job'),
  neighbours: integer(0, 4096).default(0).describe('Spinners of other users'),
  neighbourWork: durationSeconds().default(0).describe('CPU time that each of them wants; 0 is until the job is done'),
  memoryHogs: integer(0, 4096).default(0).describe('Tasks that stream memory without end (usemem)'),
  probes: integer(0, 4096).default(0).describe('Tasks that wake every 10 ms, work 1 ms and time their wakeup'),
  headStart: durationSeconds().default(0.05).describe('How long neighbours, hogs and probes run before the job starts'),
  errorPages: spacedInts('numbers of 4 KiB pages from the start of the range').describe('Pages that cannot be pinned'),
  killAfter: durationSeconds()
    .default(0)
    .describe('SIGKILL to the main thread so long after its job began; 0 is never'),
  memoryLimit: sizeBytes().default(0).describe('Limit of the memory cgroup; 0 is none'),
  lockLimit: sizeBytes().default(0).describe('RLIMIT_MEMLOCK of a process without CAP_IPC_LOCK; 0 is none'),
  taskPolicy: z
    .boolean()
    .default(false)
    .describe('The main thread allocates on node 0 only (set_mempolicy, or cpuset.mems of its cgroup)'),
  failCreations: spacedInts('numbers of helpers, from 1').describe('Helpers whose creation fails'),
  lockOrder: z
    .enum(['fine', 'inverted', 'otherSite'])
    .default('fine')
    .describe(
      'inverted: one job takes a lock that another job of the call site is started under; otherSite: of another one',
    ),
});

export type PadataWorkload = z.output<typeof workloadSchema>;

export const numbersOf = (list: string): readonly number[] => (list === '' ? [] : list.split(',').map(Number));
