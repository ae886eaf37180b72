import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CellFailure, CellResult, PlannedCell } from './cell.js';
import { findStates, planRound } from './plan.js';
import { replicationSeed } from './random.js';
import { queueScenario } from './testing/scenarios.js';

type Results = Map<string, CellResult | CellFailure>;

const resultOf = ({ id }: PlannedCell, metrics: Record<string, number>): CellResult => ({
  cellId: id,
  metrics,
  histograms: [],
  virtualSeconds: 1,
  events: 1,
  digest: 'd',
  wallSeconds: 0,
});

/** Plays rounds to the end; the backlog is what the test says it is. */
function play(scenario: ReturnType<typeof queueScenario>, backlog: (cell: PlannedCell) => number) {
  const results: Results = new Map();
  const rounds: PlannedCell[][] = [];
  for (let round = planRound(scenario, results); round.length > 0; round = planRound(scenario, results)) {
    rounds.push(round);
    for (const cell of round) results.set(cell.id, resultOf(cell, { backlog_bytes: backlog(cell) }));
  }
  return { rounds, results };
}

const FIND = {
  parameter: 'workload.rate',
  from: '100/s',
  to: '2000/s',
  precision: 1,
  metric: 'backlog_bytes',
  condition: 'med>1MB',
};

describe('planRound', () => {
  it('is the cross product of points, variants and replications, with seeds shared by replication', () => {
    const cells = planRound(
      queueScenario({ sweep: { 'machine.cpus': [1, 2], 'workload.items': [5, 6, 7] } }),
      new Map(),
    );
    expect(cells).toHaveLength(2 * 3 * 2 * 3);
    expect(new Set(cells.map((cell) => cell.id)).size).toBe(cells.length);
    for (const { replication, cell } of cells) expect(cell.seed).toBe(replicationSeed(1, replication));
  });

  it('has the first replication of every variant and point before any second one', () => {
    const cells = planRound(queueScenario({ sweep: { 'machine.cpus': [1, 2] }, replications: 2 }), new Map());
    const at = ({ variant, point, replication }: (typeof cells)[number]) =>
      `${replication} ${variant} ${point['machine.cpus']}`;
    const once = ['before 1', 'fast 1', 'before 2', 'fast 2'];
    expect(cells.map(at)).toEqual([0, 1].flatMap((replication) => once.map((group) => `${replication} ${group}`)));
  });

  it('plans what is not there yet, and nothing in the end', () => {
    const scenario = queueScenario();
    const all = planRound(scenario, new Map());
    fc.assert(
      fc.property(fc.subarray(all), (done) => {
        const results = new Map(done.map((cell) => [cell.id, resultOf(cell, {})]));
        const left = planRound(scenario, results).map((cell) => cell.id);
        expect(left).toEqual(all.map((cell) => cell.id).filter((id) => !results.has(id)));
      }),
    );
  });

  it('runs equal cells once', () => {
    expect(
      planRound(queueScenario({ variants: ['before', 'same', { id: 'before', as: 'again' }] }), new Map()),
    ).toHaveLength(3);
  });

  it('does not plan a failed cell again', () => {
    const scenario = queueScenario({ replications: 1, variants: ['before'] });
    const [cell] = planRound(scenario, new Map());
    expect(
      planRound(scenario, new Map([[cell!.id, { cellId: cell!.id, kind: 'model', message: 'x' } as const]])),
    ).toEqual([]);
  });
});

describe('replicationSeed', () => {
  it('gives each replication its own unsigned 32 bit seed, the first being that of the scenario', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffffffff),
        fc.uniqueArray(fc.nat(999), { minLength: 2, maxLength: 20 }),
        (seed, replications) => {
          expect(replicationSeed(seed, 0)).toBe(seed);
          const seeds = replications.map((replication) => replicationSeed(seed, replication));
          expect(new Set(seeds).size).toBe(seeds.length);
          for (const value of seeds) expect(value).toBe(value >>> 0);
        },
      ),
    );
  });
});

describe('find', () => {
  it('brackets any critical value within the precision, and each variant on its own', () => {
    fc.assert(
      fc.property(fc.integer({ min: 101, max: 2000 }), fc.integer({ min: 101, max: 2000 }), (a, b) => {
        const scenario = queueScenario({ find: FIND });
        const critical = { before: a, fast: b } as Record<string, number>;
        const { rounds, results } = play(scenario, ({ variant, cell }) =>
          Number(cell.workload.rate) >= critical[variant]! ? 2e6 : 0,
        );
        for (const { variant, step } of findStates(scenario, results)) {
          expect(step).toEqual({ kind: 'found', low: critical[variant]! - 1, high: critical[variant] });
        }
        expect(rounds.length).toBeLessThan(20);
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    [0, 'never holds'],
    [1e9, 'holds at from'],
  ])('says so when the whole range is on one side (%d)', (backlog, kind) => {
    const scenario = queueScenario({ find: FIND });
    const { results } = play(scenario, () => backlog);
    expect(findStates(scenario, results).map(({ step }) => step.kind)).toEqual([kind, kind]);
  });

  it('takes a relative precision', () => {
    const scenario = queueScenario({ find: { ...FIND, precision: '5%', variant: 'fast' } });
    const { results } = play(scenario, ({ cell }) => (Number(cell.workload.rate) >= 777 ? 2e6 : 0));
    const [state] = findStates(scenario, results);
    expect(state!.step.kind).toBe('found');
    const { low, high } = state!.step as { low: number; high: number };
    expect(low).toBeLessThan(777);
    expect(high).toBeGreaterThanOrEqual(777);
    expect(high / low).toBeLessThanOrEqual(1.05);
  });

  it('stops without an answer when cells fail', () => {
    const scenario = queueScenario({ find: FIND, variants: ['before'], replications: 1 });
    const results: Results = new Map();
    for (const { id } of planRound(scenario, results)) results.set(id, { cellId: id, kind: 'timeout', message: 'x' });
    expect(planRound(scenario, results)).toEqual([]);
    expect(findStates(scenario, results)[0]!.step).toEqual({ kind: 'no answer', at: 100 });
  });

  it('ends at a value that cannot run, which only its results could tell', () => {
    const scenario = queueScenario({
      find: { ...FIND, parameter: 'workload.items', from: 1, to: 64, precision: 1 },
      variants: ['before'],
    });
    const { results } = play(scenario, ({ cell }) => (Number(cell.workload.items) >= 64 ? 2e6 : 0));
    expect(planRound(scenario, results)).toEqual([]);
    expect(findStates(scenario, results)[0]!.step).toEqual({
      kind: 'no answer',
      at: 23,
      reason: 'workload.items = 23 cannot run: expected at most 20 or at least 40, got 23',
    });
  });
});
