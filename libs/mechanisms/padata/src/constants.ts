// What pinning costs on each machine, with where each value comes from. Costs are per 4 KiB page, whatever the page is.
import type { CostConstant } from '@kworkbench/mechanism';

type Value = readonly [number, CostConstant['basis'], string];
type MachineKey = 'xeon' | 'epyc';

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

const spec = (section: string): string => `model specification of padata, section ${section}`;
const BASE = `${spec('4')}: published time of one thread / (guest - 2 GiB)`;
const SMALL = `${spec('4')}: no table has 4 KiB pages; live runs gave 1150 to 1540 ns cold, 102 to 195 prefaulted`;
const KNEE = 'the rows of 128 GiB with 32k and 128k pages of cache';
const PRE = 'the row of 128 GiB with 128k pages of cache';

interface KindValues {
  readonly kind: string;
  readonly title: string;
  readonly pageNs: Pair;
  readonly speed: Pair;
  readonly traffic: Pair;
  readonly shared: Pair;
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
    initBase: both([0.66, 'assumed', 'as with THP']),
    initPerGib: both([0.303, 'assumed', 'as with THP']),
  },
];

const ofKinds: readonly PadataDefinition[] = kinds.flatMap(({ kind, title, ...values }) => [
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

const machineWide: readonly PadataDefinition[] = [
  {
    name: 'sockets',
    unit: 'count',
    help: 'Sockets, a NUMA node each',
    min: 1,
    max: 16,
    xeon: [2, 'published', 'the machine'],
  },
  {
    name: 'threadsPerCore',
    unit: 'count',
    help: 'SMT siblings of a core',
    min: 1,
    max: 8,
    xeon: [2, 'published', 'the machine'],
  },
  {
    name: 'memoryBytesPerSecond',
    unit: 'bytes_per_second',
    help: 'What the memory of a node takes when many clear it',
    min: 1e6,
    max: 1e13,
    xeon: [64.5 * 2 ** 30, 'fitted', `hugetlb, ${KNEE}`],
    epyc: [62 * 2 ** 30, 'fitted', `hugetlb, ${KNEE}`],
  },
  {
    name: 'iommuMapNs',
    unit: 'ns',
    help: 'Mapping one contiguous run in the IOMMU',
    min: 0,
    max: 1e6,
    xeon: [600, 'assumed', 'a superpage entry and its flush'],
  },
  {
    name: 'accountNs',
    unit: 'ns',
    help: 'Time that mmap_lock is held to account',
    min: 0,
    max: 1e6,
    xeon: [100, 'assumed', 'an addition and two atomics'],
  },
  {
    name: 'pageCheckNs',
    unit: 'ns',
    help: 'Looking at a pinned page outside of mmap_lock, for where its run ends',
    min: 0,
    max: 1e4,
    xeon: [8.4, 'published', `${spec('9')}: what pinning folios, not pages, saves: 16.1 to 7.7 ns`],
    epyc: [2, 'fitted', 'rows without the cache'],
  },
  {
    name: 'outsideJitterRatio',
    unit: 'ratio',
    help: 'Uniform variation of what follows a batch outside of mmap_lock',
    min: 0,
    max: 1,
    xeon: [0.5, 'assumed', 'cache misses on struct pages'],
  },
  {
    name: 'batchJitterRatio',
    unit: 'ratio',
    help: 'Uniform variation of a batch, plus or minus',
    min: 0,
    max: 0.9,
    xeon: [0.84, 'fitted', 'prefaulted rows without the cache: how often a writer gives up spinning on readers'],
    epyc: [0.84, 'assumed', 'as on the Xeon'],
  },
  {
    name: 'smallRunPages',
    unit: 'count',
    help: 'Contiguous 4 KiB pages in a row',
    min: 1,
    max: 512,
    xeon: [8, 'assumed', 'fresh memory of the buddy allocator'],
  },
  {
    name: 'hugetlbUndoPageNs',
    unit: 'ns',
    help: 'Unpinning a page of hugetlb',
    min: 0,
    max: 1e6,
    xeon: [10, 'assumed', spec('4')],
  },
  {
    name: 'thpUndoPageNs',
    unit: 'ns',
    help: 'Unpinning a page of THP',
    min: 0,
    max: 1e6,
    xeon: [60, 'assumed', spec('4')],
  },
  {
    name: 'smallUndoPageNs',
    unit: 'ns',
    help: 'Unpinning a 4 KiB page',
    min: 0,
    max: 1e6,
    xeon: [90, 'assumed', spec('4')],
  },
  {
    name: 'folioBatchingRatio',
    unit: 'ratio',
    help: 'Cost of a prefaulted page when folios are pinned',
    min: 0.01,
    max: 1,
    xeon: [0.478, 'published', `${spec('9')}: 16.1 to 7.7 ns`],
  },
  {
    name: 'kthreadCreateNs',
    unit: 'ns',
    help: 'kthread_create(), in the caller',
    min: 0,
    max: 1e8,
    xeon: [30_000, 'assumed', spec('4')],
  },
  {
    name: 'queueWorkNs',
    unit: 'ns',
    help: 'Queueing one work item',
    min: 0,
    max: 1e6,
    xeon: [1_000, 'assumed', 'a list and a wakeup'],
  },
  {
    name: 'helperStartNs',
    unit: 'ns',
    help: 'CPU time of a helper before its first chunk: its CPU wakes from deep sleep, with a low clock and cold caches',
    min: 0,
    max: 1e9,
    xeon: [12_000_000, 'fitted', 'hugetlb, cold, 16 GiB with 64k pages of cache'],
    epyc: [12_000_000, 'assumed', 'as on the Xeon'],
  },
  {
    name: 'chunkTakeNs',
    unit: 'ns',
    help: 'Taking a chunk under the job lock',
    min: 0,
    max: 1e6,
    xeon: [200, 'assumed', 'a contended spinlock'],
  },
  {
    name: 'structPageNs',
    unit: 'ns',
    help: 'Initialising one struct page',
    min: 0.1,
    max: 1e4,
    xeon: [17.7, 'published', '1779 ms for 384 GiB'],
  },
  {
    name: 'structPageTrafficBytes',
    unit: 'bytes',
    help: 'What that moves to memory',
    min: 1,
    max: 1e4,
    xeon: [92, 'fitted', '52 threads in 143.3 ms'],
  },
  {
    name: 'structPageWorkerSpeedRatio',
    unit: 'ratio',
    help: 'Speed of one of several workers at it',
    min: 0.01,
    max: 1,
    xeon: [0.87, 'fitted', '6 threads in 341 ms'],
  },
  {
    name: 'hogBytesPerSecond',
    unit: 'bytes_per_second',
    help: 'What one usemem task streams alone',
    min: 1e6,
    max: 1e12,
    xeon: [8e9, 'assumed', 'one core of such a machine'],
  },
];

export const padataDefinitions: readonly PadataDefinition[] = [...ofKinds, ...machineWide];

export function constantsOf(machine: MachineKey): readonly CostConstant[] {
  return padataDefinitions.map(({ xeon, epyc, ...rest }) => {
    const [value, basis, source] = machine === 'epyc' ? (epyc ?? xeon) : xeon;
    return { ...rest, value, basis, source };
  });
}
