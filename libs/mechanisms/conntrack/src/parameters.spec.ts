// Every parameter that `--set` can name reaches the model: each row changes one, and something that is measured must change
// with it.
import { describe, expect, it } from 'vitest';
import { ownDefinitions } from './constants.js';
import { kernelSchema } from './kernel.js';
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

const measured = (options: CellOptions): string => {
  expect(conntrack.check(cellOf(options))).toEqual([]);
  const { metrics, telemetry } = run(options);
  return JSON.stringify([metrics, telemetry.frames.map(({ columns }) => columns.map((column) => [...column]))]);
};

interface Row {
  readonly path: string;
  /** Another value than the one there. */
  readonly value: unknown;
  /** What it needs to matter. */
  readonly needs: CellOptions;
}
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

const paths = (rows: readonly Row[]): readonly string[] => rows.map(({ path }) => path).toSorted();

describe('--set workload', () => {
  it('has a row here for every parameter', () => {
    expect(paths(WORKLOAD)).toEqual(Object.keys(workloadSchema.shape).toSorted());
  });

  it.each(WORKLOAD)('$path: $value', ({ path, value, needs }) => {
    expect(measured({ ...needs, workload: { ...needs.workload, [path]: value } })).not.toBe(measured(needs));
  });
});

describe('--set kernel', () => {
  it('has a row here for every option', () => {
    expect([...paths(KERNEL), ...ELSEWHERE].toSorted()).toEqual(Object.keys(kernelSchema.shape).toSorted());
  });

  it.each(KERNEL)('$path: $value', ({ path, value, needs }) => {
    expect(measured({ ...needs, kernel: { ...needs.kernel, [path]: value } })).not.toBe(measured(needs));
  });
});

/** A machine of two clusters has them changed into one by more cores in each. */
const OTHER: Readonly<Record<string, number>> = { coresPerCluster: 4, threadsPerCore: 1 };

describe('--set machine.constants', () => {
  it.each(ownDefinitions.map(({ name, max }) => [name, max] as const))('%s', (name, max) => {
    const options = NEEDS[name] ?? SHORT;
    const value = cellOf(options).machine.constants[name]!;
    const other = OTHER[name] ?? (value * 1.5 + 1 > max ? value * 0.5 : value * 1.5 + (value === 0 ? 1 : 0));
    expect(measured({ ...options, constants: { ...options.constants, [name]: other } })).not.toBe(measured(options));
  });
});

describe('--set machine', () => {
  it.each([
    ['cpus', { cpus: 4 }],
    ['profile', { profile: 'optimised-2cpu' }],
    ['seed', { seed: 2 }],
  ])('%s', (_what, change) => {
    const options = benchmark({ threads: 6 });
    expect(measured({ ...options, ...change })).not.toBe(measured(options));
  });
});

describe('what cannot be', () => {
  const text = 'a string that is none of them';
  const cases: readonly (readonly ['workload' | 'kernel', string, unknown])[] = [
    ...WORKLOAD.map(({ path }) => ['workload', path, text] as const),
    ...KERNEL.map(({ path }) => ['kernel', path, text] as const),
    ['workload', 'threads', 0],
    ['workload', 'threads', 1.5],
    ['workload', 'batch', 33],
    ['workload', 'newRatio', 1.1],
    ['workload', 'natPorts', 65_537],
    ['workload', 'duration', -1],
    ['kernel', 'connLimit', 0],
  ];

  it.each(cases)('is refused, with its place: %s.%s = %s', (part, path, value) => {
    const { success, error } = (part === 'kernel' ? kernelSchema : workloadSchema).safeParse({ [path]: value });
    expect(success).toBe(false);
    expect(error!.issues[0]!.path).toEqual([path]);
  });
});
