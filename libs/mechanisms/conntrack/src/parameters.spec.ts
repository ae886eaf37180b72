// Every parameter that `--set` can name reaches the model: each row changes one, and something that is measured must change
// with it.
import { describeParameters, type ParameterRow } from '@kworkbench/mechanism/testing';
import { ownDefinitions } from './constants.js';
import { type ConntrackKernel, kernelSchema } from './kernel.js';
import { conntrack } from './mechanism.js';
import { cellOf, type CellOptions, run } from './testing/cells.js';
import { workloadSchema } from './workloads.js';

type Workload = Readonly<Record<string, unknown>>;

/** Little, and of everything something. */
const CHURN: Workload = { kind: 'churn', threads: 3, duration: 0.5, packetRate: 10_000, timeout: 0.15, zones: 4 };
const churn = (workload: Workload = {}, more: CellOptions = {}): CellOptions => ({
  ...more,
  kernel: { sweepIntervalSeconds: 0.2, connLimit: 50_000, ...more.kernel },
  workload: { ...CHURN, ...workload },
});
const benchmark = (workload: Workload = {}, more: CellOptions = {}): CellOptions => ({
  ...more,
  workload: { threads: 3, packets: 500, ...workload },
});

type Row = ParameterRow<ConntrackKernel>;
const row = (path: string, value: unknown, needs: CellOptions): Row => ({ path, value, needs });

const WORKLOAD: readonly Row[] = [
  row('kind', 'synFlood', churn()),
  row('threads', 2, benchmark()),
  row('packets', 600, benchmark()),
  row('batch', 16, benchmark({ threads: 1 }, { variant: 'v4' })),
  row('connections', 4, benchmark()),
  row('duration', '700ms', churn()),
  row('packetRate', '30000/s', churn()),
  row('newRatio', 0.1, churn({ kind: 'established', connections: 300 })),
  row('flowPackets', 2, churn()),
  row('protocol', 'tcp', churn({ timeout: 0 })),
  row('timeout', '100ms', churn()),
  row('expireAfter', '300ms', churn({ kind: 'massExpiry', connections: 300, expireAfter: 0.4 })),
  row('shared', true, churn()),
  row('nat', true, churn()),
  row('natPorts', 100, churn({ nat: true })),
  row('zones', 2, churn({ kind: 'policies' })),
  row('adminRate', '200/s', churn({ kind: 'zones' })),
  row('flushAt', '300ms', churn({ kind: 'flush', connections: 300, flushAt: 0.5 })),
  row('packetCpus', 1, benchmark({ packets: 20_000 })),
  row('pinned', false, benchmark({ packets: 20_000, packetCpus: 2 })),
];

const SHARED: Workload = { threads: 4, duration: 0.3, packetRate: 100_000, timeout: 0.1, shared: true };

const KERNEL: readonly Row[] = [
  row('expiration', 'queues', churn()),
  row('duplicateInsertRace', true, churn(SHARED, { variant: 'v4' })),
  row('sweepCursorBug', true, churn({}, { variant: 'merged', kernel: { connLimit: 1500 } })),
  row('buckets', 2, churn({}, { variant: 'buckets' })),
  row('sweepIntervalSeconds', 0.3, churn()),
  row('connLimit', 1000, churn()),
];

/** What leaves every result alone, or needs a race that a spec of its own sets up; both in properties.spec.ts. */
const ELSEWHERE = ['brought', 'proveLocking', 'pushFrontToCurrentKind'];

/** Every CPU is busy, and rounds find what has expired. */
const SHORT = churn({ threads: 8, duration: 0.1, timeout: 0.03 }, { kernel: { sweepIntervalSeconds: 0.04 } });

/** What a constant needs to matter. */
const NEEDS: Readonly<Record<string, CellOptions>> = {
  queuePushNs: { ...SHORT, variant: 'v4' },
  tableInsertNs: { ...SHORT, variant: 'v4' },
  cleanQueueNs: { ...SHORT, variant: 'v4' },
  requeueNs: { ...SHORT, variant: 'v4' },
  sweepVisitNs: { ...SHORT, variant: 'merged' },
  natProbeNs: churn({ nat: true }),
  adminNs: churn({ kind: 'zones', adminRate: 2000 }),
};

/** A machine of two clusters has them changed into one by more cores in each. */
const OTHER: Readonly<Record<string, number>> = { coresPerCluster: 4, threadsPerCore: 1 };

const otherThan = (name: string, max: number, value: number): number =>
  OTHER[name] ?? (value * 1.5 + 1 > max ? value * 0.5 : value * 1.5 + (value === 0 ? 1 : 0));

describeParameters<ConntrackKernel>({
  mechanism: conntrack,
  cells: { cellOf, run },
  workloadSchema,
  kernelSchema,
  workload: WORKLOAD,
  kernel: KERNEL,
  elsewhere: ELSEWHERE,
  constants: ownDefinitions.map(({ name, max }) => [
    name,
    NEEDS[name] ?? SHORT,
    (value) => otherThan(name, max, value),
  ]),
  machine: [
    ['cpus', { cpus: 4 }],
    ['profile', { profile: 'optimised-2cpu' }],
    ['seed', { seed: 2 }],
  ],
  machineNeeds: benchmark({ threads: 6 }),
  refused: [
    ['workload', 'threads', 0],
    ['workload', 'threads', 1.5],
    ['workload', 'batch', 33],
    ['workload', 'newRatio', 1.1],
    ['workload', 'natPorts', 65_537],
    ['workload', 'duration', -1],
    ['kernel', 'connLimit', 0],
  ],
});
