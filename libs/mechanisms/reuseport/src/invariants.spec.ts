// The invariants of the specification, over random kernels and workloads. The books (I1 to I5) are checked at every close
// and at the end of every cell, and a violated one throws; here they meet cells that nobody thought of.
import { nullSink } from '@kworkbench/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outcome, outcomeNames } from './model/outcomes.js';
import { reciprocalScale } from './model/hash.js';
import { reuseport } from './mechanism.js';
import { presetNames } from './policy/presets.js';
import { simulate } from './simulate.js';
import { cellOf, type CellOptions, run, runToClose } from './testing/cells.js';
import { variants } from './variants.js';

const anyWorkload = fc.record({
  kind: fc.constantFrom('queues', 'reload'),
  oldListeners: fc.integer({ min: 1, max: 9 }),
  newListeners: fc.integer({ min: 0, max: 9 }),
  connections: fc.integer({ min: 1, max: 300 }),
  rate: fc.constantFrom(500, 5_000, 200_000),
  service: fc.constantFrom(0, 0.0002, 0.003),
  serviceKind: fc.constantFrom('wait', 'cpu'),
  reloads: fc.integer({ min: 0, max: 5 }),
  period: fc.constantFrom(0.001, 0.02),
  overlap: fc.constantFrom(0, 0.001),
  gap: fc.constantFrom(0, 0, 0.01),
  close: fc.constantFrom('inOrder', 'reverse', 'mixed'),
  closers: fc.integer({ min: 1, max: 4 }),
  accepting: fc.constantFrom('always', 'afterClose'),
  backlog: fc.constantFrom(1, 8, 511),
  newBacklog: fc.constantFrom(0, 2),
  rtt: fc.constantFrom(0, 0.0003, 0.2),
  loss: fc.constantFrom(0, 0, 0.1, 0.5),
  client: fc.constantFrom('talks', 'silent'),
  dataDelay: fc.constantFrom(0, 0.3),
  patience: fc.constantFrom(0, 0, 0.5, 20),
  dropAcksFor: fc.constantFrom(0, 0, 0.05, 1.5),
  fastOpen: fc.boolean(),
  deferAccept: fc.constantFrom(0, 0, 1, 5),
  policy: fc.constantFrom('none', 'none', ...presetNames),
});

const anyKernel = fc.record(
  {
    migrateReq: fc.constantFrom(0, 1),
    syncookies: fc.constantFrom(0, 1, 2),
    abortOnOverflow: fc.boolean(),
    checkBacklogAtClose: fc.boolean(),
    drainTime: fc.constant(0.002),
  },
  { requiredKeys: [] },
);

const anyCell: fc.Arbitrary<CellOptions> = fc
  .record({
    variant: fc.constantFrom(...variants.map(({ id }) => id)),
    cpus: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(0xffff_ffff),
    kernel: anyKernel,
    workload: anyWorkload,
  })
  .filter((options) => reuseport.check(cellOf(options)).length === 0);

const lossesOf = (metrics: Readonly<Record<string, number>>): number =>
  outcomeNames.slice(Outcome.QueueRst).reduce((sum, cause) => sum + metrics[`connections_lost_${cause}_total`]!, 0);

describe('any cell', () => {
  it('accounts for every connection in one outcome, and for every migration at one point (I4, I9)', () => {
    fc.assert(
      fc.property(anyCell, (options) => {
        const { metrics } = run(options);
        const { connections_started_total: started, connections_open: open } = metrics;
        expect(started).toBe(cellOf(options).workload['connections']);
        expect(started).toBe(metrics['connections_accepted_total']! + lossesOf(metrics) + open!);
        expect(metrics['connections_lost_total']).toBe(lossesOf(metrics));
        expect(open === 0 || options.variant === 'M0').toBe(true);
        const points = ['close', 'synack_timer', 'final_ack'].map((point) => metrics[`migrations_${point}_total`]!);
        expect(metrics['migrations_total']).toBe(points.reduce((sum, count) => sum + count, 0));
        expect(metrics['lock_inversions_total']).toBe(0);
      }),
      { numRuns: 120 },
    );
  });

  it('gives the same bytes again (I12)', () => {
    fc.assert(
      fc.property(anyCell, (options) => {
        expect(run(options).digest).toBe(run(options).digest);
      }),
      { numRuns: 8 },
    );
  });

  it('with the sysctl off and no program, every design gives what B0 gives, byte for byte (I13)', () => {
    const guarded = fc.constantFrom('V3p', 'R-hash', 'R-rand', 'R-pol', 'M', 'M0', 'leastLoaded');
    fc.assert(
      fc.property(anyCell, guarded, (options, variant) => {
        const workload = { ...options.workload, policy: 'none' };
        const kernel = { ...options.kernel, migrateReq: 0 };
        expect(run({ ...options, workload, kernel, variant }).digest).toBe(
          run({ ...options, workload, kernel, variant: 'B0' }).digest,
        );
      }),
      { numRuns: 12 },
    );
  });
});

describe('migration at close', () => {
  const fill = fc.record({
    oldListeners: fc.integer({ min: 1, max: 8 }),
    newListeners: fc.integer({ min: 1, max: 8 }),
    connections: fc.integer({ min: 1, max: 400 }),
    close: fc.constantFrom('inOrder', 'reverse', 'mixed'),
    newBacklog: fc.constantFrom(0, 3),
  });

  it('loses nothing while somebody in the group listens, whatever room there is (I6, I8)', () => {
    fc.assert(
      fc.property(
        fill,
        fc.constantFrom('V1', 'V2', 'V3p', 'R-hash', 'R-rand', 'M'),
        fc.nat(99),
        (workload, variant, seed) => {
          const { system, queues } = runToClose({ variant, workload, seed });
          expect(system.stack.outcomes.lost).toBe(0);
          const queued = Object.values(queues).reduce((sum, queue) => sum + queue.length, 0);
          expect(queued).toBe(workload.connections);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps the order of each source; M puts them behind the own entries of the target, V1 before them (I7)', () => {
    fc.assert(
      fc.property(fc.constantFrom('M', 'V1'), fc.nat(999), (variant, seed) => {
        const workload = { oldListeners: 4, newListeners: 0, connections: 200, close: 'A' };
        const { system, queues } = runToClose({ variant, workload, seed });
        const hopsOf = new Map(system.stack.pool.all.map(({ number, hops }) => [number, hops]));
        const queue = queues['D']!;
        const own = queue.filter((number) => hopsOf.get(number) === 0);
        const moved = queue.filter((number) => hopsOf.get(number) === 1);
        expect(queue).toEqual(variant === 'M' ? [...own, ...moved] : [...moved, ...own]);
        for (const part of [own, moved]) expect(part).toEqual(part.toSorted((a, b) => a - b));
      }),
      { numRuns: 20 },
    );
  });

  it('M picks by nothing but the hash and how many listen (I10)', () => {
    const workload = { oldListeners: 5, newListeners: 3, connections: 500, close: 'C' };
    const { system, queues } = runToClose({ variant: 'M', workload });
    const live = system.stack.group.live().map(({ name }) => name);
    const moved = system.stack.pool.all.filter(({ hops }) => hops === 1);
    expect(moved.length).toBeGreaterThan(50);
    for (const { number, hash } of moved) expect(queues[live[reciprocalScale(hash, live.length)]!]).toContain(number);
  });
});

describe('a cell under time', () => {
  it('ends every connection, also where clients are silent and every second packet is lost', () => {
    const workload = { connections: 500, reloads: 2, loss: 0.5, rtt: 0.01, client: 'silent', service: 0 };
    const outcome = simulate(cellOf({ variant: 'M', workload }), nullSink);
    expect(outcome.metrics['connections_open']).toBe(0);
    expect(outcome.metrics['syn_retried_total']).toBeGreaterThan(100);
  });
});
