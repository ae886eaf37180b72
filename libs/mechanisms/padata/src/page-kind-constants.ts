// What one page of each kind costs on each machine, and what QEMU's start with such a guest takes besides pinning.
import type { CostConstant } from '@kworkbench/mechanism';

export type Value = readonly [number, CostConstant['basis'], string];
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
const NO_SHARED = both([0, 'assumed', 'not seen beside the clearing of memory']);

const kinds: readonly KindValues[] = [
  {
    kind: 'hugetlbCold',
    title: 'hugetlb pages that are cleared',
    pageNs: { xeon: [800, 'published', BASE], epyc: [289, 'published', BASE] },
    speed: { xeon: [0.94, 'fitted', KNEE], epyc: [0.87, 'fitted', KNEE] },
    traffic: {
      xeon: [4096, 'assumed', 'each byte is written once'],
      epyc: [4096, 'assumed', 'each byte is written once'],
    },
    shared: NO_SHARED,
    jitter: {
      xeon: [0.0195, 'fitted', 'without the cache: do 8 readers end within the time that a writer spins?'],
      epyc: [0.06, 'fitted', 'without the cache'],
    },
    initBase: { xeon: [0.3, 'fitted', spec('4')], epyc: [0.38, 'fitted', spec('4')] },
    initPerGib: { xeon: [0.0049, 'fitted', spec('4')], epyc: [0.0017, 'fitted', spec('4')] },
  },
  {
    kind: 'thpCold',
    title: 'transparent huge pages that are faulted and cleared',
    pageNs: { xeon: [893, 'published', BASE], epyc: [332, 'published', BASE] },
    speed: { xeon: [0.94, 'assumed', 'as with hugetlb'], epyc: [0.87, 'assumed', 'as with hugetlb'] },
    traffic: { xeon: [4600, 'fitted', KNEE], epyc: [4350, 'fitted', KNEE] },
    shared: NO_SHARED,
    jitter: { xeon: [0.0195, 'assumed', 'as with hugetlb'], epyc: [0.06, 'assumed', 'as with hugetlb'] },
    initBase: { xeon: [0.45, 'fitted', spec('4')], epyc: [0.38, 'assumed', 'as with hugetlb'] },
    initPerGib: { xeon: [0.001, 'fitted', spec('4')], epyc: [0.0017, 'assumed', 'as with hugetlb'] },
  },
  {
    kind: 'smallCold',
    title: '4 KiB pages that are faulted and cleared',
    pageNs: both([1150, 'assumed', SMALL]),
    speed: { xeon: [0.94, 'assumed', 'as with hugetlb'], epyc: [0.87, 'assumed', 'as with hugetlb'] },
    traffic: { xeon: [4600, 'assumed', 'as with THP'], epyc: [4096, 'assumed', 'as with THP'] },
    shared: NO_SHARED,
    jitter: { xeon: [0.0195, 'assumed', 'as with hugetlb'], epyc: [0.06, 'assumed', 'as with hugetlb'] },
    initBase: both([0.45, 'assumed', 'as with THP']),
    initPerGib: both([0.001, 'assumed', 'as with THP']),
  },
  {
    kind: 'hugetlbPrefaulted',
    title: 'hugetlb pages that are there',
    pageNs: { xeon: [19, 'published', BASE], epyc: [7.8, 'published', BASE] },
    speed: { xeon: [0.7, 'fitted', PRE], epyc: [0.72, 'fitted', PRE] },
    traffic: NO_TRAFFIC,
    shared: { xeon: [250, 'fitted', PRE], epyc: [100, 'fitted', PRE] },
    jitter: { xeon: [0.6, 'fitted', 'without the cache'], epyc: [0.6, 'assumed', 'as on the Xeon'] },
    initBase: both([0.26, 'published', 'init less pin: the time in which QEMU prefaults with 16 threads is in it']),
    initPerGib: { xeon: [0.0214, 'published', 'as the base'], epyc: [0.0167, 'published', 'as the base'] },
  },
  {
    kind: 'thpPrefaulted',
    title: 'transparent huge pages that are there',
    pageNs: { xeon: [153, 'published', BASE], epyc: [100, 'published', BASE] },
    speed: { xeon: [0.73, 'fitted', PRE], epyc: [0.73, 'fitted', PRE] },
    traffic: NO_TRAFFIC,
    shared: { xeon: [3600, 'fitted', PRE], epyc: [3000, 'fitted', PRE] },
    jitter: both([0.6, 'assumed', 'as with hugetlb']),
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
    jitter: both([0.6, 'assumed', 'as with hugetlb']),
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
