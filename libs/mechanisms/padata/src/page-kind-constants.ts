// What one page of each kind costs on each machine, and what QEMU's start with such a guest takes besides pinning.
import type { CostConstant } from '@kworkbench/mechanism';

/** Whose published rows a constant was fitted to: pages of this kind on that machine. */
export type FittedTo = 'cold hugetlb' | 'cold THP' | 'prefaulted hugetlb' | 'prefaulted THP' | 'deferred page init';
/** What is fitted says to what. */
export type Value =
  readonly [number, Exclude<CostConstant['basis'], 'fitted'>, string] | readonly [number, 'fitted', string, FittedTo];
export type MachineKey = 'xeon' | 'epyc';

export interface PadataDefinition {
  readonly name: string;
  readonly unit: string;
  readonly help: string;
  readonly min: number;
  readonly max: number;
  readonly xeon: Value;
  /** As on the Xeon by default. */
  readonly epyc?: Value;
}

export const spec = (section: string): string => `model specification of padata, section ${section}`;
const BASE = `${spec('4')}: published time of one thread / (guest - 2 GiB)`;
const SMALL = `${spec('4')}: no table has 4 KiB pages; live runs gave 1150 to 1540 ns cold, 102 to 195 prefaulted`;
export const KNEE = 'the rows of 128 GiB with 32k and 128k pages of cache';
const INIT = `${spec('4')}: QEMU's start less its pins, with one thread`;
const PER_TIME = 'as much in a nanosecond as with hugetlb, by the published times of a page';
const VARIES = 'as many ns as with hugetlb';
/** Fitted there. */
const AS_HUGETLB = 'the same as with hugetlb';
const PRE = 'the row of 128 GiB with 128k pages of cache';

interface KindValues {
  readonly kind: string;
  readonly title: string;
  readonly pageNs: Pair;
  readonly speed: Pair;
  readonly traffic: Pair;
  readonly shared: Pair;
  readonly jitter: Pair;
  readonly initBase: Pair;
  readonly initPerGib: Pair;
}
type Pair = Readonly<Record<MachineKey, Value>>;
const both = (value: Value): Pair => ({ xeon: value, epyc: value });
const NO_TRAFFIC = both([64, 'assumed', 'the struct pages; nothing is cleared']);
/** No clearing in it: what is left misses the cache on struct pages, as what follows a batch does. */
const STRUCT_PAGES = both([0.5, 'assumed', 'cache misses on struct pages, as outside of mmap_lock']);
const NO_SHARED = both([0, 'assumed', 'not seen beside the clearing of memory']);

const kinds: readonly KindValues[] = [
  {
    kind: 'hugetlbCold',
    title: 'hugetlb pages that are cleared',
    pageNs: { xeon: [800, 'published', BASE], epyc: [289, 'published', BASE] },
    speed: { xeon: [0.94, 'fitted', KNEE, 'cold hugetlb'], epyc: [0.87, 'fitted', KNEE, 'cold hugetlb'] },
    traffic: {
      xeon: [4096, 'assumed', 'each byte is written once'],
      epyc: [4096, 'assumed', 'each byte is written once'],
    },
    shared: NO_SHARED,
    jitter: {
      xeon: [
        0.0135,
        'fitted',
        'without the cache: do 8 readers end within the time that a writer spins? (0.013 to 0.014 do)',
        'cold hugetlb',
      ],
      epyc: [
        0.06,
        'fitted',
        'without the cache: 8 threads get little more than one (from 0.05 on the value does not matter)',
        'cold hugetlb',
      ],
    },
    initBase: { xeon: [0.3, 'published', INIT], epyc: [0.38, 'published', INIT] },
    initPerGib: { xeon: [0.0049, 'published', INIT], epyc: [0.0017, 'published', INIT] },
  },
  {
    kind: 'thpCold',
    title: 'transparent huge pages that are faulted and cleared',
    pageNs: { xeon: [893, 'published', BASE], epyc: [332, 'published', BASE] },
    speed: {
      xeon: [0.94, 'fitted', AS_HUGETLB, 'cold hugetlb'],
      epyc: [0.87, 'fitted', AS_HUGETLB, 'cold hugetlb'],
    },
    traffic: { xeon: [4572, 'published', PER_TIME], epyc: [4705, 'published', PER_TIME] },
    shared: NO_SHARED,
    jitter: { xeon: [0.0121, 'fitted', VARIES, 'cold hugetlb'], epyc: [0.052, 'fitted', VARIES, 'cold hugetlb'] },
    initBase: { xeon: [0.45, 'published', INIT], epyc: [0.38, 'assumed', 'as with hugetlb'] },
    initPerGib: { xeon: [0.001, 'published', INIT], epyc: [0.0017, 'assumed', 'as with hugetlb'] },
  },
  {
    kind: 'smallCold',
    title: '4 KiB pages that are faulted and cleared',
    pageNs: both([1150, 'assumed', SMALL]),
    speed: { xeon: [0.94, 'assumed', 'as with hugetlb'], epyc: [0.87, 'assumed', 'as with hugetlb'] },
    traffic: { xeon: [4572, 'assumed', 'as with THP'], epyc: [4705, 'assumed', 'as with THP'] },
    shared: NO_SHARED,
    jitter: { xeon: [0.0094, 'assumed', VARIES], epyc: [0.015, 'assumed', VARIES] },
    initBase: both([0.45, 'assumed', 'as with THP']),
    initPerGib: both([0.001, 'assumed', 'as with THP']),
  },
  {
    kind: 'hugetlbPrefaulted',
    title: 'hugetlb pages that are there',
    pageNs: { xeon: [19, 'published', BASE], epyc: [7.8, 'published', BASE] },
    speed: {
      xeon: [0.7, 'fitted', `${KNEE} (0.70 to 0.72 do)`, 'prefaulted hugetlb'],
      epyc: [0.72, 'fitted', PRE, 'prefaulted hugetlb'],
    },
    traffic: NO_TRAFFIC,
    shared: both([0, 'assumed', 'pages of their own; the line of mmap_lock is apart']),
    jitter: STRUCT_PAGES,
    initBase: both([0.26, 'published', 'init less pin: the time in which QEMU prefaults with 16 threads is in it']),
    initPerGib: { xeon: [0.0214, 'published', 'as the base'], epyc: [0.0167, 'published', 'as the base'] },
  },
  {
    kind: 'thpPrefaulted',
    title: 'transparent huge pages that are there',
    pageNs: { xeon: [153, 'published', BASE], epyc: [100, 'published', BASE] },
    speed: { xeon: [0.73, 'fitted', PRE, 'prefaulted THP'], epyc: [0.73, 'fitted', PRE, 'prefaulted THP'] },
    traffic: NO_TRAFFIC,
    shared: { xeon: [3600, 'fitted', PRE, 'prefaulted THP'], epyc: [3000, 'fitted', PRE, 'prefaulted THP'] },
    jitter: STRUCT_PAGES,
    initBase: both([0.66, 'published', 'init less pin: the time in which QEMU prefaults with 16 threads is in it']),
    initPerGib: { xeon: [0.303, 'published', 'as the base'], epyc: [0.324, 'published', 'as the base'] },
  },
  {
    kind: 'smallPrefaulted',
    title: '4 KiB pages that are there',
    pageNs: both([150, 'assumed', SMALL]),
    speed: both([0.74, 'assumed', 'as with THP']),
    traffic: NO_TRAFFIC,
    shared: both([3000, 'assumed', 'as with THP']),
    jitter: STRUCT_PAGES,
    initBase: both([0.66, 'assumed', 'as with THP']),
    initPerGib: both([0.303, 'assumed', 'as with THP']),
  },
];

export const ofKinds: readonly PadataDefinition[] = kinds.flatMap(({ kind, title, ...values }) => [
  {
    name: `${kind}PageNs`,
    unit: 'ns',
    help: `One page of ${title}, by one thread: the whole loop`,
    min: 0.1,
    max: 1e6,
    ...values.pageNs,
  },
  {
    name: `${kind}WorkerSpeedRatio`,
    unit: 'ratio',
    help: `Speed of one of several workers, ${title}: lower clock, far memory`,
    min: 0.01,
    max: 1,
    ...values.speed,
  },
  {
    name: `${kind}TrafficBytes`,
    unit: 'bytes',
    help: `What a page moves to memory, ${title}`,
    min: 1,
    max: 1e6,
    ...values.traffic,
  },
  {
    name: `${kind}SharedNs`,
    unit: 'ns',
    help: `Time of 512 pages on lines that all workers write, ${title}`,
    min: 0,
    max: 1e6,
    ...values.shared,
  },
  {
    name: `${kind}BatchJitterRatio`,
    unit: 'ratio',
    help: `Uniform variation of a batch, plus or minus, ${title}`,
    min: 0,
    max: 0.9,
    ...values.jitter,
  },
  {
    name: `${kind}InitBaseSeconds`,
    unit: 'seconds',
    help: `QEMU's start besides pinning, ${title}`,
    min: 0,
    max: 1000,
    ...values.initBase,
  },
  {
    name: `${kind}InitPerGibSeconds`,
    unit: 'seconds',
    help: `The same per GiB of the guest, ${title}`,
    min: 0,
    max: 100,
    ...values.initPerGib,
  },
]);
