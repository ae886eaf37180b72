// What pinning costs on each machine, with where each value comes from. Costs are per 4 KiB page, whatever the page is.
import type { CostConstant } from '@kworkbench/mechanism';
import { KNEE, type MachineKey, ofKinds, type PadataDefinition, spec } from './page-kind-constants.js';

const LATENCIES = 'core-to-core-latency of nviennot, median';

/** It is the loop after a batch that folios save: what is left of it is negligible. */
const FOLIOS = `${spec('9')}: what pinning folios, not pages, saves of a prefaulted hugetlb page: 8.4 of 16.1 ns;`;
/** What speaks for a value between: a part of it, and all of it with a system call. */
const WAKE_BOUNDS =
  'a call of an idle CPU alone takes its sender 1600 to 2000 cycles (Pallipadi, LKML, 6 February 2012), a whole wakeup ' +
  'by futex() 3.3 us on some other machine (f649bd9dd5d5, perf bench futex wake)';

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
    xeon: [64.5 * 2 ** 30, 'fitted', KNEE, 'cold hugetlb'],
    epyc: [62 * 2 ** 30, 'fitted', KNEE, 'cold hugetlb'],
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
    help: 'Work under mmap_lock to account one run, with the lines of the lock and of locked_vm at hand',
    min: 0,
    max: 1e6,
    xeon: [
      120,
      'assumed',
      'a limit, an addition, two atomic instructions, the owner of the lock: 250 cycles; with 100 to 250 ns no verdict is another',
    ],
  },
  {
    name: 'lineNearNs',
    unit: 'ns',
    help: 'A cache line from another core of the socket: those of mmap_lock and of locked_vm',
    min: 0,
    max: 1e5,
    xeon: [47, 'published', `${LATENCIES} of a Xeon 8275CL`],
    epyc: [107, 'published', `${LATENCIES} of an EPYC 7R13`],
  },
  {
    name: 'lineFarNs',
    unit: 'ns',
    help: 'A cache line from the other socket, or from memory',
    min: 0,
    max: 1e5,
    xeon: [134, 'published', `${LATENCIES} of a Xeon 8275CL`],
    epyc: [197, 'published', `${LATENCIES} of an EPYC 7R13`],
  },
  {
    name: 'wakeNs',
    unit: 'ns',
    help: 'Waking one of those that wait for mmap_lock: try_to_wake_up() of a task on an idle CPU, by who releases the lock',
    min: 0,
    max: 1e6,
    xeon: [
      1_900,
      'fitted',
      `without the cache: are 16 threads slower than 8? (1.8 to 2 us do); ${WAKE_BOUNDS}`,
      'prefaulted hugetlb',
    ],
    epyc: [
      1_060,
      'fitted',
      `without the cache: more threads are slower (0.9 to 1.2 us do); ${WAKE_BOUNDS}`,
      'cold hugetlb',
    ],
  },
  {
    name: 'pageCheckNs',
    unit: 'ns',
    help: 'Looking at a pinned page outside of mmap_lock, for where its run ends',
    min: 0,
    max: 1e4,
    xeon: [9.9, 'published', `${FOLIOS} of 19 ns`],
    epyc: [4.07, 'published', `${FOLIOS} of 7.8 ns`],
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
      4_000,
      'fitted',
      'without the cache: who is first, a woken writer or the next reader; C1 takes at most 2 us, C1E 10 us (intel_idle)',
      'prefaulted THP',
    ],
    epyc: [4_200, 'fitted', KNEE, 'cold hugetlb'],
  },
  {
    name: 'deepIdleNs',
    unit: 'ns',
    help: 'Expected idle time that the governor of cpuidle takes for long',
    min: 0,
    max: 1e9,
    xeon: [
      110_000,
      'fitted',
      'without the cache (100 to 120 us do); C1E of this Xeon wants 20 us, C6 600 us (intel_idle)',
      'prefaulted hugetlb',
    ],
    epyc: [110_000, 'assumed', 'as on the Xeon'],
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
    xeon: [92, 'fitted', '52 threads in 143.3 ms', 'deferred page init'],
  },
  {
    name: 'structPageWorkerSpeedRatio',
    unit: 'ratio',
    help: 'Speed of one of several workers at it',
    min: 0.01,
    max: 1,
    xeon: [0.87, 'fitted', '6 threads in 341 ms', 'deferred page init'],
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
    const [value, basis, source, fittedTo] = machine === 'epyc' ? (epyc ?? xeon) : xeon;
    return { ...rest, value, basis, source: fittedTo === undefined ? source : `${fittedTo}, ${source}` };
  });
}
