// Cost profiles: the physical constants of the machines that were measured or published. Every cost that depends on
// the number of possible CPUs does so through what is per CPU (control sockets, per-CPU memory, grace-period work), so
// one profile can be asked about other CPU counts.
import type { CostConstant, CostProfile } from '@kworkbench/mechanism';

const KB = 1024;
const GIB = 2 ** 30;

/** [value, basis, source] of a constant in one profile. */
type Value = readonly [number, CostConstant['basis'], string];

interface Definition {
  readonly name: string;
  readonly unit: string;
  readonly help: string;
  readonly min: number;
  readonly max: number;
  readonly deb510: Value;
  /** Where the live kernel was measured; otherwise as deb510. */
  readonly live618?: Value;
}

const spec = (section: string) => `model specification of netns, section ${section}`;

const definitions: readonly Definition[] = [
  // --- the user thread
  {
    name: 'createBaseNs',
    unit: 'ns',
    help: 'CPU time of one unshare(CLONE_NEWNET) without control sockets',
    min: 1_000,
    max: 1e9,
    deb510: [560_000, 'published', '50,000 cycles in about 120 s on 40 CPUs (2.4 ms) less 80 control sockets'],
    live618: [560_000, 'measured', `${spec('5.1')}: mean 0.61 ms on 2 CPUs less 2 control sockets`],
  },
  {
    name: 'createPerCtlSockNs',
    unit: 'ns',
    help: 'CPU time to create one control socket',
    min: 0,
    max: 1e8,
    deb510: [23_000, 'fitted', 'line through 0.61 ms (measured, 2 sockets) and 2.4 ms (published, 80 sockets)'],
  },
  {
    name: 'createRtnlRatio',
    unit: 'ratio',
    help: 'Share of one unshare that runs under RTNL (toggle rtnlWait)',
    min: 0,
    max: 1,
    deb510: [0.1, 'assumed', 'register_netdev(lo) in loopback_net_init'],
  },
  {
    name: 'createJitterRatio',
    unit: 'ratio',
    help: 'Uniform variation of the cost of one unshare, plus or minus',
    min: 0,
    max: 0.9,
    deb510: [0.1, 'assumed', 'keeps cycles from locking step with the tick'],
  },
  {
    name: 'dropNs',
    unit: 'ns',
    help: 'CPU time to drop the last reference (__put_net)',
    min: 0,
    max: 1e7,
    deb510: [2_000, 'assumed', 'a list push and a queue_work'],
  },
  {
    name: 'forkExecNs',
    unit: 'ns',
    help: 'CPU time of fork, exec and exit around one cycle (kind exec)',
    min: 0,
    max: 1e9,
    deb510: [600_000, 'assumed', 'a small static binary'],
  },
  // --- cleanup_net
  {
    name: 'unlinkPerNsNs',
    unit: 'ns',
    help: 'CPU time to unlink one namespace at the start of a pass',
    min: 0,
    max: 1e8,
    deb510: [10_000, 'assumed', spec('4.2')],
  },
  {
    name: 'teardownBaseNs',
    unit: 'ns',
    help: 'CPU time of all exit methods for one namespace without control sockets',
    min: 0,
    max: 1e9,
    deb510: [112_000, 'fitted', 'line through a(6) = 0.35 ms and a(40) = 1.7 ms, the latter fitted to the dip after'],
    live618: [390_000, 'measured', `${spec('5.1')}: 8,000 namespaces in 28 passes, 4.97 s in all, less 55 ms a pass`],
  },
  {
    name: 'teardownPerCtlSockNs',
    unit: 'ns',
    help: 'CPU time to release one control socket',
    min: 0,
    max: 1e8,
    deb510: [19_850, 'fitted', 'line through a(6) = 0.35 ms and a(40) = 1.7 ms, the latter fitted to the dip after'],
  },
  {
    name: 'rtnlShareRatio',
    unit: 'ratio',
    help: 'Share of the teardown that runs under RTNL, before the first barrier',
    min: 0,
    max: 1,
    deb510: [0.4, 'assumed', spec('4.2')],
  },
  {
    name: 'passBaseNs',
    unit: 'ns',
    help: 'CPU time of a pass that does not depend on its batch, without the part per CPU',
    min: 0,
    max: 1e9,
    deb510: [4_100_000, 'assumed', `${spec('5.1')}: line through c0(6) = 5 ms and c0(40) = 10 ms`],
    live618: [3_700_000, 'assumed', `${spec('5.1')}: c0 = 4 ms on 2 CPUs`],
  },
  {
    name: 'passPerCpuNs',
    unit: 'ns',
    help: 'CPU time of a pass per possible CPU',
    min: 0,
    max: 1e8,
    deb510: [147_000, 'assumed', `${spec('5.1')}: line through c0(6) = 5 ms and c0(40) = 10 ms`],
  },
  {
    name: 'rhashDestroyNs',
    unit: 'ns',
    help: 'rhashtable_free_and_destroy() of an empty table',
    min: 0,
    max: 1e8,
    deb510: [3_000, 'assumed', spec('5.1')],
    live618: [1_500, 'measured', `${spec('5.1')}: 1 to 2 us p50 over 24,000 works`],
  },
  {
    name: 'fqdirFreeNs',
    unit: 'ns',
    help: 'kfree() of one fqdir and its reference on fqdirs',
    min: 0,
    max: 1e7,
    deb510: [500, 'assumed', 'one kfree and one refcount'],
  },
  // --- memory
  {
    name: 'nsBaseBytes',
    unit: 'bytes',
    help: 'Memory of one namespace without what is per CPU',
    min: 1,
    max: 1e9,
    deb510: [179 * KB, 'measured', `${spec('3')}: fit through 193 kB on 2 and 456 kB on 40 possible CPUs`],
    live618: [221 * KB, 'measured', `${spec('3')}: 223 kB slab less two control sockets`],
  },
  {
    name: 'nsPerCpuBytes',
    unit: 'bytes',
    help: 'Per-CPU memory of one namespace, per possible CPU',
    min: 0,
    max: 1e8,
    deb510: [3.0 * KB, 'measured', `${spec('3')}: percpu 6 kB on 2 and 121 kB on 40 possible CPUs`],
    live618: [Math.round(2.84 * KB), 'measured', `${spec('3')}: 5.7 kB on 2 possible CPUs`],
  },
  {
    name: 'ctlSockBytes',
    unit: 'bytes',
    help: 'Slab memory of one control socket',
    min: 0,
    max: 1e7,
    deb510: [2007, 'measured', `${spec('3')}: 3.92 kB of slab per possible CPU, two sockets each`],
    live618: [1024, 'assumed', 'inside the 223 kB of slab that were measured'],
  },
  {
    name: 'socksBase',
    unit: 'count',
    help: 'Kernel sockets of one namespace that are not per CPU',
    min: 0,
    max: 10_000,
    deb510: [11, 'measured', `${spec('1a')}: 15 on 2 and 91 on 40 possible CPUs`],
  },
  {
    name: 'sockInodeBytes',
    unit: 'bytes',
    help: 'One object of sock_inode_cache',
    min: 1,
    max: 1e6,
    deb510: [832, 'measured', spec('3')],
  },
  {
    name: 'structNetBytes',
    unit: 'bytes',
    help: 'One struct net, freed in the pass after its own',
    min: 1,
    max: 1e6,
    deb510: [4288, 'measured', spec('3')],
  },
  {
    name: 'fqdirBytes',
    unit: 'bytes',
    help: 'One fqdir with its bucket table',
    min: 1,
    max: 1e6,
    deb510: [KB, 'assumed', spec('3')],
  },
  {
    name: 'deviceMemoryRatio',
    unit: 'ratio',
    help: 'Share of the memory that is released right after the first barrier of a pass',
    min: 0,
    max: 0.6,
    deb510: [0.3, 'fitted', `${spec('3')}: to measured memory peaks`],
  },
  {
    name: 'exitMemoryRatio',
    unit: 'ratio',
    help: 'Share of the memory that the exit methods release, a grace period later',
    min: 0,
    max: 0.65,
    deb510: [0.6, 'fitted', `${spec('3')}: to measured memory peaks`],
  },
  {
    name: 'baseMemoryBytes',
    unit: 'bytes',
    help: 'Memory that everything else on the machine uses',
    min: 0,
    max: 2 ** 50,
    deb510: [256 * 2 ** 20, 'assumed', 'a server that does nothing else'],
  },
  {
    name: 'lowWaterRatio',
    unit: 'ratio',
    help: 'Share of the memory below which allocations stall in reclaim',
    min: 0,
    max: 0.5,
    deb510: [0.03, 'assumed', 'zone watermarks with vm.watermark_scale_factor 10 and some slack'],
  },
  {
    name: 'minWaterRatio',
    unit: 'ratio',
    help: 'Share of the memory below which the OOM killer runs',
    min: 0,
    max: 0.4,
    deb510: [0.01, 'assumed', 'the min watermark'],
  },
  {
    name: 'reclaimStallMinRatio',
    unit: 'ratio',
    help: 'Cost of an unshare at the low watermark, in units of its normal cost',
    min: 1,
    max: 1000,
    deb510: [2, 'assumed', spec('4.7')],
  },
  {
    name: 'reclaimStallMaxRatio',
    unit: 'ratio',
    help: 'Cost of an unshare at the min watermark, in units of its normal cost',
    min: 1,
    max: 1000,
    deb510: [20, 'assumed', spec('4.7')],
  },
  // --- the machine
  {
    name: 'contextSwitchNs',
    unit: 'ns',
    help: 'Wakeup of a sleeping task to its first instruction',
    min: 0,
    max: 1e7,
    deb510: [8_000, 'assumed', spec('5.1')],
  },
  {
    name: 'workerCreateNs',
    unit: 'ns',
    help: 'Creation of a kworker',
    min: 0,
    max: 1e8,
    deb510: [100_000, 'assumed', spec('5.1')],
  },
  {
    name: 'workerIdleTimeoutNs',
    unit: 'ns',
    help: 'Idle time after which a surplus kworker ends (IDLE_WORKER_TIMEOUT)',
    min: 1e6,
    max: 1e13,
    deb510: [300e9, 'published', 'kernel/workqueue.c'],
  },
  {
    name: 'schedSliceNs',
    unit: 'ns',
    help: 'Time after which a running task gives way to an equal that waits for its CPU',
    min: 100_000,
    max: 1e9,
    deb510: [4_000_000, 'assumed', 'one tick at HZ 250'],
  },
  {
    name: 'mutexStealProbability',
    unit: 'ratio',
    help: 'Probability that a running task takes a free mutex ahead of its waiters',
    min: 0,
    max: 1,
    deb510: [0.5, 'fitted', `${spec('5.1')}: to the 15 GB and the pass of 30 s; sweep it`],
  },
  {
    name: 'poolSpread',
    unit: 'count',
    help: 'CPUs over which one pass spreads the fqdir types',
    min: 1,
    max: 4,
    deb510: [2, 'assumed', spec('4.2')],
  },
  {
    name: 'rcuGpBaseNs',
    unit: 'ns',
    help: 'Length of a grace period without the part per CPU',
    min: 1_000,
    max: 1e10,
    deb510: [14_000_000, 'fitted', 'line through 14 to 16 ms (measured, 2 CPUs), 16 ms (6 CPUs) and 40 ms (40 CPUs)'],
    live618: [13_700_000, 'measured', `${spec('5.1')}: membarrier(GLOBAL) p50 16 ms, loaded 16.6 ms`],
  },
  {
    name: 'rcuGpPerCpuNs',
    unit: 'ns',
    help: 'Length of a grace period per CPU',
    min: 0,
    max: 1e9,
    deb510: [650_000, 'fitted', '40 ms on 40 CPUs, fitted to the 15 GB and the pass of 30 s'],
  },
  {
    name: 'rcuGpJitterRatio',
    unit: 'ratio',
    help: 'Uniform variation of the length of a grace period, plus or minus',
    min: 0,
    max: 0.9,
    deb510: [0.1, 'assumed', 'measured p50 16.0 ms, max 20 ms when idle'],
  },
  {
    name: 'rcuExpeditedNs',
    unit: 'ns',
    help: 'synchronize_rcu_expedited()',
    min: 1_000,
    max: 1e9,
    deb510: [1_000_000, 'assumed', 'IPIs to all CPUs; 10 ms and more were seen'],
  },
  {
    name: 'rcuIpiNs',
    unit: 'ns',
    help: 'One synchronous IPI of rcu_barrier()',
    min: 0,
    max: 1e7,
    deb510: [20_000, 'assumed', spec('4.5')],
  },
  {
    name: 'rcuCallbackNs',
    unit: 'ns',
    help: 'Invocation of one RCU callback that is not a socket',
    min: 0,
    max: 1e6,
    deb510: [306, 'assumed', `${spec('5.1')}: 0.10 ms a namespace on 6 and 0.26 ms on 40 CPUs, 150 + 2 a socket`],
    live618: [170, 'assumed', `${spec('5.1')}: 0.05 ms a namespace on 2 CPUs`],
  },
  {
    name: 'rcuSockCallbackNs',
    unit: 'ns',
    help: 'Invocation of one RCU callback of a socket',
    min: 0,
    max: 1e6,
    deb510: [1_176, 'assumed', `${spec('5.1')}: 0.10 ms a namespace on 6 and 0.26 ms on 40 CPUs, 150 + 2 a socket`],
    live618: [940, 'assumed', `${spec('5.1')}: 0.05 ms a namespace on 2 CPUs`],
  },
  {
    name: 'rcuCallbacksPerNs',
    unit: 'count',
    help: 'RCU callbacks of one namespace that are not sockets; each socket posts two',
    min: 0,
    max: 100_000,
    deb510: [150, 'assumed', spec('1b')],
  },
  {
    name: 'rcuBackgroundPerCpuPerSecond',
    unit: 'per_second',
    help: 'RCU callbacks that everything else on the machine posts, per CPU',
    min: 0,
    max: 1e5,
    deb510: [5, 'fitted', 'a quiet server: growth on 40 CPUs wants some, none on 6 CPUs at 1,000/s wants few'],
    live618: [38, 'fitted', `${spec('5.1')}: rcu_barrier() when idle p50 12.4 ms, min 0.01 ms`],
  },
  {
    name: 'rcuBlimit',
    unit: 'count',
    help: 'Callbacks invoked in one softirq pass at least (rcutree.blimit)',
    min: 1,
    max: 1e6,
    deb510: [10, 'measured', 'live module parameter'],
  },
  {
    name: 'rcuDivisor',
    unit: 'count',
    help: 'Right shift of the ready callbacks that gives the pass limit (rcutree.rcu_divisor)',
    min: 0,
    max: 31,
    deb510: [7, 'measured', 'live module parameter'],
  },
  {
    name: 'rcuQhimark',
    unit: 'count',
    help: 'Queued callbacks above which the pass limit is lifted (rcutree.qhimark)',
    min: 1,
    max: 1e9,
    deb510: [10_000, 'measured', 'live module parameter'],
  },
  {
    name: 'rcuQlowmark',
    unit: 'count',
    help: 'Queued callbacks below which the pass limit holds again (rcutree.qlowmark)',
    min: 1,
    max: 1e9,
    deb510: [100, 'measured', 'live module parameter'],
  },
];

function constantsOf(kind: 'deb510' | 'live618'): readonly CostConstant[] {
  return definitions.map(({ deb510, live618, ...rest }) => {
    const [value, basis, source] = kind === 'live618' ? (live618 ?? deb510) : deb510;
    return { ...rest, value, basis, source };
  });
}

export const profiles: readonly CostProfile[] = [
  {
    id: 'deb510-40cpu',
    title: "the author's 40-CPU machine with 70 GiB, Linux 5.10",
    cpus: 40,
    memoryBytes: 70 * GIB,
    hz: 250,
    constants: constantsOf('deb510'),
  },
  {
    id: 'deb510-6cpu',
    title: "the author's 6-CPU machine, Linux 5.10",
    cpus: 6,
    memoryBytes: 16 * GIB,
    hz: 250,
    constants: constantsOf('deb510'),
  },
  {
    id: 'live618-2cpu',
    title: 'a 2-CPU virtual machine with 23 GiB, Linux 6.18, measured',
    cpus: 2,
    memoryBytes: 23 * GIB,
    hz: 250,
    constants: constantsOf('live618'),
  },
];

/** Every constant by name; the model reads a cell's constants through this type, so a missing one does not compile. */
export type NetnsConstants = Readonly<Record<string, number>>;
