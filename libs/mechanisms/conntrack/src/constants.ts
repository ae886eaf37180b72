// What conntrack costs, and the machines where that was published or measured. "author" is the machine of the published
// table, whose CPU nobody knows: four cores of two threads in two clusters are assumed, with slow-downs from its row AFTER.
import type { ConstantValue, OwnDefinition, OwnMachine } from '@kworkbench/mechanism';

const SPEC = 'model specification of conntrack';
const TABLE = 'published table, 4 v3 cover letter: ';
const measured = (value: number, what: string): ConstantValue => [value, 'measured', `${SPEC}, 4.3: ${what}`];
const assumed = (value: number, what: string): ConstantValue => [value, 'assumed', what];

const own = (
  name: string,
  unit: string,
  value: ConstantValue,
  min: number,
  max: number,
  help: string,
): OwnDefinition => ({ name, unit, value, min, max, help });

export const ownDefinitions: readonly OwnDefinition[] = [
  // --- a packet
  own(
    'packetPrivateNs',
    'ns',
    assumed(62, 'overridden by each machine'),
    1,
    1e6,
    'Work of an established packet without locks',
  ),
  own(
    'packetJitterRatio',
    'ratio',
    assumed(0.25, `${SPEC}, 4.3: takes lock-step artefacts away`),
    0,
    0.9,
    'Uniform variation of the private work, plus or minus',
  ),
  own(
    'lockPairNs',
    'ns',
    measured(14.4, 'from the difference at one thread'),
    0,
    1e4,
    'Lock and unlock of a mutex that is free and in the cache',
  ),
  own(
    'lookupNs',
    'ns',
    assumed(20, 'two buckets that are in the cache'),
    0,
    1e5,
    'Part of the private work from the table lookup to the state update',
  ),
  own(
    'policyLookupNs',
    'ns',
    assumed(6, `${SPEC}, 4.3`),
    0,
    1e4,
    'Timeout policy lookup, under ct_lock before the series',
  ),
  own(
    'expirationLogNs',
    'ns',
    assumed(6, `${SPEC}, 4.3`),
    0,
    1e4,
    'Rate-limited debug message between the two sections',
  ),
  own('listMoveNs', 'ns', assumed(8, `${SPEC}, 4.3`), 0, 1e4, 'Unlink and append under ct_lock'),
  // --- a connection
  own(
    'insertNs',
    'ns',
    [190, 'published', '139b564db: 259 ns in all at 10,000 connections'],
    0,
    1e6,
    'Creation of a connection, over a lookup',
  ),
  own(
    'tableInsertNs',
    'ns',
    assumed(60, 'a cuckoo insert in place'),
    0,
    1e6,
    'Part of the creation that is left under ct_lock in the series',
  ),
  own(
    'rehashEntryNs',
    'ns',
    assumed(20, 'one entry moved to a larger table'),
    0,
    1e5,
    'Growth of the table, per entry, under ct_lock',
  ),
  own('natProbeNs', 'ns', assumed(70, 'one lookup'), 0, 1e5, 'One port tried in the NAT search'),
  own('queuePushNs', 'ns', assumed(10, 'one xchg and one store'), 0, 1e5, 'Insert into a MPSC queue without transfers'),
  // --- ct_clean and others
  own('cleanNs', 'ns', measured(380, '300,000 in 67 to 157 ms, cold'), 1, 1e6, 'Removal of an expired connection'),
  own(
    'cleanQueueNs',
    'ns',
    measured(600, '1,000,000 in about 1.1 s, less cleanNs'),
    0,
    1e6,
    'In the series: pop, reference counts and locks besides',
  ),
  own(
    'sweepVisitNs',
    'ns',
    assumed(27, `${SPEC}, 4.3: 15 to 40 ns, a line miss`),
    0,
    1e5,
    'Look at a live connection in a sweep or flush',
  ),
  own('requeueNs', 'ns', assumed(60, 'pop, a look and a push'), 0, 1e5, 'In the series: put a live connection back'),
  own('freeNs', 'ns', assumed(70, 'free() of a cold object'), 0, 1e5, 'Free of a connection by the urcu thread'),
  own(
    'adminNs',
    'ns',
    assumed(200, 'a hash lookup and a store'),
    0,
    1e6,
    'One operation on a zone limit or a policy, under the lock',
  ),
  // --- the machine
  own(
    'lineNearNs',
    'ns',
    measured(72, 'C ping-pong, one way: 65, 72, 82'),
    0,
    1e5,
    'A cache line from another core that shares the cache',
  ),
  own('lineFarNs', 'ns', measured(72, 'as near: two CPUs'), 0, 1e5, 'A cache line from another cluster of cores'),
  own('lineMemoryNs', 'ns', assumed(80, 'a load that misses all caches'), 0, 1e5, 'A cache line from memory'),
  own(
    'coresPerCluster',
    'count',
    assumed(64, 'all share one cache'),
    1,
    4096,
    'Cores that share a cache, where that divides the cores',
  ),
  own(
    'threadsPerCore',
    'count',
    assumed(1, 'a virtual CPU each'),
    1,
    8,
    'SMT threads of a core, where that divides the CPUs',
  ),
  own('smtSpeedRatio', 'ratio', assumed(1, 'not measured'), 0.1, 1, 'Speed of a thread whose siblings are busy'),
  own('busyCores2SpeedRatio', 'ratio', assumed(1, 'not measured'), 0.1, 1, 'Speed with two busy cores'),
  own('busyCores4SpeedRatio', 'ratio', assumed(1, 'not measured'), 0.1, 1, 'Speed with three busy cores or more'),
  own(
    'mutexSpinNs',
    'ns',
    assumed(3000, 'glibc: 100 tries of an adaptive mutex'),
    0,
    1e9,
    'Spinning before a thread sleeps',
  ),
  own('futexWaitNs', 'ns', assumed(300, 'a system call'), 0, 1e6, 'FUTEX_WAIT up to the sleep'),
  own('futexWakeNs', 'ns', assumed(600, `${SPEC}, 4.3`), 0, 1e6, 'FUTEX_WAKE, paid by who releases'),
  own(
    'futexWakeLatencyNs',
    'ns',
    assumed(4000, `${SPEC}, 4.3`),
    0,
    1e7,
    'From FUTEX_WAKE until the sleeper is runnable',
  ),
];

const GIB = 2 ** 30;
const SWITCH: ConstantValue = assumed(1500, 'a switch between user threads');
const SLICE: ConstantValue = assumed(3_000_000, 'three ticks of 1 ms');
/** No kernel work of its own in these runs. */
const QUIET: ConstantValue = assumed(0, 'left out: the benchmark makes no RCU callbacks');

export const machines: readonly OwnMachine[] = [
  {
    id: 'author-2021',
    title: 'the machine of the published table: unknown CPU, 8 threads assumed, unoptimised build',
    cpus: 8,
    memoryBytes: 16 * GIB,
    hz: 250,
    values: {
      contextSwitchNs: SWITCH,
      schedSliceNs: SLICE,
      rcuBackgroundPerCpuPerSecond: QUIET,
      packetPrivateNs: [668.4, 'fitted', `${TABLE}691 ns after, one thread, less two lock pairs`],
      lockPairNs: [11.3, 'fitted', `${TABLE}79 ns between before and after, one thread, by 7 pairs`],
      lookupNs: assumed(37.4, 'what is left of 60 ns with the two lock pairs there'),
      lineNearNs: [20.5, 'fitted', `${TABLE}before, 2 threads`],
      lineFarNs: [61.5, 'fitted', `${TABLE}before, 4 threads`],
      coresPerCluster: assumed(2, 'two clusters: 2 threads are near, 4 are not'),
      threadsPerCore: assumed(2, 'the slow-down from 4 to 8 threads is that of SMT'),
      smtSpeedRatio: [1.28 / 2.192, 'fitted', `${TABLE}after, 8 threads`],
      busyCores2SpeedRatio: [1 / 1.006, 'fitted', `${TABLE}after, 2 threads`],
      busyCores4SpeedRatio: [1 / 1.28, 'fitted', `${TABLE}after, 4 threads`],
    },
  },
  {
    id: 'optimised-2cpu',
    title: 'a 2-CPU virtual machine, gcc 12 -O2, measured',
    cpus: 2,
    memoryBytes: 16 * GIB,
    hz: 250,
    values: {
      contextSwitchNs: SWITCH,
      schedSliceNs: SLICE,
      rcuBackgroundPerCpuPerSecond: QUIET,
      packetPrivateNs: measured(62.2, '91 ns after, one thread, less two lock pairs'),
    },
  },
];
