// What pinning costs on each machine, with where each value comes from. Costs are per 4 KiB page, whatever the page is.
import type { CostConstant } from '@kworkbench/mechanism';
import { KNEE, type MachineKey, ofKinds, type PadataDefinition, spec } from './page-kind-constants.js';

/** Of the line of the lock and of the line of locked_vm, each to the writer and away from it. */
const TRANSFERS = 'four transfers of a line (core-to-core-latency of nviennot, medians)';

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
    help: 'Time that mmap_lock is held to account: the lines of the lock and of locked_vm come from another CPU',
    min: 0,
    max: 1e6,
    xeon: [364, 'published', `${TRANSFERS}, half of them across sockets: 47 and 134 ns (Xeon 8275CL)`],
    epyc: [608, 'published', `${TRANSFERS}, half of them across sockets: 107 and 197 ns (EPYC 7R13)`],
  },
  {
    name: 'wakeNs',
    unit: 'ns',
    help: 'Waking one of those that wait for mmap_lock: an interrupt to an idle CPU, by who releases the lock',
    min: 0,
    max: 1e6,
    xeon: [
      830,
      'assumed',
      'what an interrupt adds to waking a thread of another CPU on another kernel: 598 to 1427 ns (OSv, issue 286)',
    ],
  },
  {
    name: 'pageCheckNs',
    unit: 'ns',
    help: 'Looking at a pinned page outside of mmap_lock, for where its run ends',
    min: 0,
    max: 1e4,
    xeon: [8.4, 'published', `${spec('9')}: what pinning folios, not pages, saves: 16.1 to 7.7 ns`],
    epyc: [3.45, 'published', `${spec('4')}: that of the Xeon, as a prefaulted hugetlb page: 7.8 to 19 ns`],
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
    name: 'idleExitNs',
    unit: 'ns',
    help: 'Until a CPU that expected to be idle for longer than deepIdleNs runs what wakes it, besides the context switch',
    min: 0,
    max: 1e6,
    xeon: [
      3_200,
      'fitted',
      'THP without the cache: who is first, a woken writer or the next reader; C1 takes at most 2 us, C1E 10 us (intel_idle)',
    ],
    epyc: [3_200, 'fitted', 'cold, without the cache'],
  },
  {
    name: 'deepIdleNs',
    unit: 'ns',
    help: 'Expected idle time that the governor of cpuidle takes for long',
    min: 0,
    max: 1e9,
    xeon: [
      90_000,
      'fitted',
      'prefaulted rows without the cache (75 to 100 us do); C1E of this Xeon wants 20 us, C6 600 us (intel_idle)',
    ],
    epyc: [90_000, 'assumed', 'as on the Xeon'],
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
    xeon: [
      10_000_000,
      'assumed',
      'all of the 10 ms in which the clock of the uncore comes up on a Xeon of this generation (arXiv:1905.12468)',
    ],
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
