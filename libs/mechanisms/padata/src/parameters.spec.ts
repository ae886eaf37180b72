// Every parameter of a scenario reaches the model: each row changes one, and something that is measured must change with it.
import { type ConstantRow, describeParameters, type ParameterRow } from '@kworkbench/mechanism/testing';
import { padataDefinitions } from './constants.js';
import { kernelSchema, type PadataKernel } from './kernel.js';
import { padata } from './mechanism.js';
import { cellOf, type CellOptions, run } from './testing/cells.js';
import { pageKinds, workloadSchema } from './workloads.js';

type Workload = Readonly<Record<string, unknown>>;
type Row = ParameterRow<PadataKernel>;

const BASE: Workload = { guest: '3GiB', minChunk: '16MiB' };
const base = (workload: Workload = {}, more: CellOptions = {}): CellOptions => ({
  variant: 'series',
  ...more,
  workload: { ...BASE, ...workload },
});

const row = (path: string, value: unknown, workload: Workload = {}, more: CellOptions = {}): Row => ({
  path,
  value,
  needs: base(workload, more),
});

const QUOTA = { quota: '50ms', busyAfter: '200ms' };
const ERROR = { errorPages: '100000' };
/** A job of plain work on eight CPUs that others want too. */
const BUSY = { kind: 'compute', work: '2s', neighbours: 8, maxThreads: 8 };
const EIGHT = { profile: 'xeon-8cpu' } as const;

const WORKLOAD: readonly Row[] = [
  row('kind', 'guestStart'),
  row('guest', '4GiB'),
  row('pages', 'thp'),
  row('prefaulted', true),
  row('maxThreads', 3),
  row('minChunk', '32MiB'),
  row('align', '64MiB'),
  row('start', '4098MiB'),
  row('jobs', 2),
  row('work', '3s', BUSY, EIGHT),
  row('nice', 5, BUSY, EIGHT),
  row('affinity', 4),
  row('offlineCpus', 100),
  row('quota', '70ms', QUOTA),
  row('period', '20ms', QUOTA),
  row('burst', '50ms', { ...QUOTA, idleBefore: '500ms' }),
  row('parentQuota', '20ms', QUOTA),
  row('idleBefore', '30ms'),
  row('busyAfter', '100ms'),
  row('neighbours', 104),
  row('neighbourWork', '1s', BUSY, EIGHT),
  row('memoryHogs', 8),
  row('probes', 4),
  row('headStart', '70ms'),
  row('errorPages', '100000'),
  row('killAfter', '5ms'),
  row('memoryLimit', '512MiB'),
  row('lockLimit', '512MiB'),
  row('taskPolicy', true),
  row('failCreations', 2),
  row('lockOrder', 'inverted'),
];

const KERNEL: readonly Row[] = [
  row('threads', 'none'),
  row('afterBoot', false),
  row('firstError', false, ERROR),
  row('undo', false, ERROR),
  row('lockdep', false, { lockOrder: 'inverted' }, { kernel: { proveLocking: true } }),
  row('cachePages', 1000),
  row('kthreads', true, {}, { variant: 'parallel' }),
  row('capAffinity', false, { affinity: 4 }),
  row('capOnline', false, { offlineCpus: 100 }, { kernel: { capAffinity: false } }),
  row('capBandwidth', false, QUOTA),
  row('maxNice', false, BUSY, { ...EIGHT, variant: 'parallel-nice' }),
  row('renice', false, BUSY, EIGHT),
  row('remoteCharge', false, { ...QUOTA, quota: '250ms' }),
  row('remoteStat', false, { ...QUOTA, quota: '250ms' }),
  row('proveLocking', true, { lockOrder: 'inverted' }),
  row('debt', 'signed', { ...QUOTA, quota: '250ms', guest: '18GiB', parentQuota: '20ms' }),
  row('throttleAtCharge', true, { ...QUOTA, quota: '250ms', guest: '18GiB', parentQuota: '20ms' }),
  row('chargeAt', 'tick', { ...QUOTA, quota: '250ms', guest: '18GiB' }),
  row('helperGroup', 'caller', { ...QUOTA, quota: '250ms' }),
  row('helperPool', 3),
  row('chargeWeight', true, BUSY, { ...EIGHT, variant: 'parallel-caps' }),
  row('backPressure', true, { guest: '34GiB', quota: '800ms', parentQuota: '150ms' }),
  row('containerLock', false, {}, { variant: 'user-threads' }),
  row('accountWhole', true),
  row('folioBatching', true, { prefaulted: true }),
  row('memcgCharge', true),
  row('memPolicy', true, { taskPolicy: true }),
  row('signalPoll', true, { guest: '6GiB', killAfter: '30ms' }),
  row('readerStealing', false, {}, { kernel: { cachePages: 0 } }),
  row('throttleAt', 'userReturn', { quota: '20ms' }, { variant: 'single' }),
];

type Constant = ConstantRow<PadataKernel>;
const half = (value: number): number => value / 2;
const constant = (name: string, needs: CellOptions, otherThan = half): Constant => [name, needs, otherThan];

/** Constants of a kind of pages; so little memory bandwidth that what a page moves tells. */
const ofKinds: readonly Constant[] = pageKinds.flatMap((pages) =>
  [false, true].flatMap((prefaulted) => {
    const name = (what: string): string => `${pages}${prefaulted ? 'Prefaulted' : 'Cold'}${what}`;
    const pin = base({ pages, prefaulted });
    const start = base({ pages, prefaulted, kind: 'guestStart' });
    return [
      constant(name('PageNs'), pin),
      constant(name('WorkerSpeedRatio'), pin),
      constant(name('TrafficBytes'), { ...pin, constants: { memoryBytesPerSecond: 1e9 } }),
      constant(name('SharedNs'), pin, (value) => value + 500),
      constant(name('BatchJitterRatio'), pin),
      constant(name('InitBaseSeconds'), start),
      constant(name('InitPerGibSeconds'), start),
    ];
  }),
);

const noCache = base({}, { kernel: { cachePages: 0 } });
const init = base({ kind: 'deferredInit' }, { variant: 'boot-only' });
const ofMachine: readonly Constant[] = [
  constant('sockets', init),
  // It numbers the CPUs: who has the first 30 has some of both nodes, or of one.
  constant('threadsPerCore', base({ affinity: 30, taskPolicy: true })),
  constant('memoryBytesPerSecond', base()),
  constant('iommuMapNs', base()),
  constant('accountNs', base()),
  constant('lineNearNs', noCache),
  constant('lineFarNs', noCache),
  constant('wakeNs', noCache),
  constant('pageCheckNs', base()),
  constant('outsideJitterRatio', base()),
  constant('idleExitNs', noCache),
  constant('deepIdleNs', noCache, () => 1e9),
  constant('smallRunPages', base({ pages: 'small' })),
  constant('hugetlbUndoPageNs', base(ERROR)),
  constant('thpUndoPageNs', base({ ...ERROR, pages: 'thp' })),
  constant('smallUndoPageNs', base({ ...ERROR, pages: 'small' })),
  constant('folioBatchingRatio', base({ prefaulted: true }, { variant: 'folio-batching' })),
  constant('kthreadCreateNs', base()),
  constant('queueWorkNs', base({}, { variant: 'parallel' })),
  constant('helperStartNs', base()),
  constant('chunkTakeNs', base()),
  constant('structPageNs', init),
  constant('structPageTrafficBytes', { ...init, constants: { memoryBytesPerSecond: 1e9 } }),
  constant('structPageWorkerSpeedRatio', init),
  constant('hogBytesPerSecond', base({ memoryHogs: 8 })),
];
const CONSTANTS: readonly Constant[] = [
  ...ofKinds,
  ...ofMachine,
  constant('contextSwitchNs', base()),
  constant('schedSliceNs', base(BUSY, EIGHT)),
];

const named = new Set(CONSTANTS.map(([name]) => name));
const missing = padataDefinitions.filter(({ name }) => !named.has(name)).map(({ name }) => name);
if (missing.length > 0) throw new Error(`no row for ${missing.join(', ')}`);

describeParameters<PadataKernel>({
  mechanism: padata,
  cells: { cellOf, run },
  workloadSchema,
  kernelSchema,
  workload: WORKLOAD,
  kernel: KERNEL,
  elsewhere: ['brought'],
  constants: CONSTANTS,
  machine: [['cpus', { cpus: 8 }]],
  machineNeeds: base(),
  refused: [
    ['workload', 'guest', -1],
    ['workload', 'maxThreads', 0],
    ['workload', 'maxThreads', 1.5],
    ['workload', 'errorPages', '1,,2'],
    ['workload', 'errorPages', '-1'],
    ['workload', 'quota', -1],
    ['kernel', 'cachePages', -1],
  ],
});
