// What was there before, the series patch by patch, and what its reviewers proposed instead.
import type { VariantSpec } from '@kworkbench/mechanism';
import { CACHE_PAGES, type PadataKernel } from './kernel.js';

interface PadataVariant extends VariantSpec {
  readonly kernel: Readonly<Partial<PadataKernel>>;
}

const RFC = (patches: string): string => `20220106004656.126790, patches ${patches}`;
const P7 = { threads: 'padata', afterBoot: true, firstError: true, undo: true, lockdep: true } as const;
const P8 = { ...P7, cachePages: CACHE_PAGES } as const;
const P12 = { ...P8, kthreads: true, capAffinity: true, capOnline: true, capBandwidth: true } as const;
const P13 = { ...P12, maxNice: true } as const;
const P14 = { ...P13, renice: true } as const;
/** The whole series. */
export const SERIES = { ...P14, remoteCharge: true, remoteStat: true } as const;
/** The process unmaps what was mapped itself when one of its calls fails. */
const USER = { threads: 'user', firstError: true, undo: true } as const;

export const variants: readonly PadataVariant[] = [
  { id: 'single', title: 'one thread pins the whole range', source: 'drivers/vfio, Linux 5.14', kernel: {} },
  {
    id: 'boot-only',
    title: "mainline's padata: only during boot, no errors, no undo, workers of a workqueue",
    source: 'kernel/padata.c since 5.8',
    kernel: { threads: 'padata' },
  },
  {
    id: 'parallel-no-cache',
    title: 'helpers that account every contiguous run in locked_vm (patches 1 to 7)',
    source: RFC('1-7'),
    kernel: P7,
  },
  {
    id: 'parallel',
    title: 'helpers with the locked_vm cache (patches 1 to 8)',
    source: RFC('1-8'),
    kernel: P8,
  },
  {
    id: 'parallel-caps',
    title: 'kthreads, as many as the caller may use CPUs (1 to 12)',
    source: RFC('1-12'),
    kernel: P12,
  },
  { id: 'parallel-nice', title: 'helpers at nice 19 (1 to 13)', source: RFC('1-13'), kernel: P13 },
  { id: 'parallel-renice', title: 'and reniced one by one (1 to 14)', source: RFC('1-14'), kernel: P14 },
  { id: 'series', title: 'the whole series (1 to 16)', source: RFC('1-16'), kernel: SERIES },
  {
    id: 'charge-at-tick',
    title: 'the series, charging at ticks',
    source: 'review, YeFDC0mV3yurUFbl@hirez',
    kernel: { ...SERIES, chargeAt: 'tick' },
  },
  {
    id: 'signed-debt',
    title: 'the series, with negative runtime in place of a debt',
    source: 'review, YeFDC0mV3yurUFbl@hirez',
    kernel: { ...SERIES, debt: 'signed' },
  },
  {
    id: 'throttle-at-charge',
    title: 'the series, stopping the group when a charge leaves debt',
    source: 'review, YeFDC0mV3yurUFbl@hirez',
    kernel: { ...SERIES, throttleAtCharge: true },
  },
  {
    id: 'helpers-in-group',
    title: 'helpers moved into the group of the caller',
    source: 'review, YeGlKpumqRxT9L7A@slm',
    kernel: { ...P14, helperGroup: 'caller' },
  },
  {
    id: 'cgroup-pool',
    title: 'the series with a pool of helpers per cgroup, charged by weight too, that leave while it owes a quota',
    source: 'review, YeGlKpumqRxT9L7A@slm',
    kernel: { ...SERIES, helperPool: 8, chargeWeight: true, backPressure: true },
  },
  {
    id: 'account-whole',
    title: 'locked_vm takes the whole range up front',
    source: 'review, 20220107171248.GU2328285',
    kernel: { ...SERIES, cachePages: 0, accountWhole: true },
  },
  {
    id: 'user-threads',
    title: 'the process maps parts of the range from its own threads',
    source: 'review, 20220106011306.GY2328285',
    kernel: USER,
  },
  {
    id: 'user-threads-split',
    title: 'the same with a lock of the container that the calls share',
    source: 'for a comparison of threads alone',
    kernel: { ...USER, containerLock: false },
  },
  {
    id: 'user-threads-cache',
    title: 'threads of the process, with a lock of the container that they share and the locked_vm cache of the series',
    source: 'for a comparison of threads alone',
    kernel: { ...USER, containerLock: false, cachePages: CACHE_PAGES },
  },
  {
    id: 'folio-batching',
    title: 'one thread that pins folios, not pages',
    source: '20250521042507.77205-1-lizhe.67',
    kernel: { folioBatching: true },
  },
  {
    id: 'series-todo',
    title: 'the series with its TODO items: memory cgroup, memory policy, signals',
    source: `${RFC('1-16')}, cover letter`,
    kernel: { ...SERIES, memcgCharge: true, memPolicy: true, signalPoll: true },
  },
];
