// What every store must do. Both adapters run exactly this; what only one of them has stands in its own spec.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CellFailure } from '@kworkbench/experiment';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from './open-store.js';
import {
  type ListOptions,
  type Store,
  type StoredExperiment,
  StoreUnavailableError,
  UnknownExperimentError,
} from './store.js';
import { FRAMES_PER_CELL, ROWS_PER_FRAME } from './testing/commit-forever.js';
import { expectedColumns, HEADER, newExperiment, plannedCell, resultCommit } from './testing/fixtures.js';

/** @param emptyDatabase the URL of a new database, for each test another one. */
export function storeConformance(emptyDatabase: () => Promise<string>): void {
  let url: string;
  let store: Store;
  const opened: Store[] = [];
  const open = (): Store => {
    const another = openStore(url);
    opened.push(another);
    return another;
  };

  beforeEach(async () => {
    url = await emptyDatabase();
    store = open();
    await store.migrate();
  });

  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
  });

  describe('life cycle', () => {
    it('answers a ping when open, and is unavailable once closed', async () => {
      expect(await store.ping()).toBe(true);
      await store.close();
      await store.close();
      expect(await store.ping()).toBe(false);
      await expect(store.getExperiment('a')).rejects.toThrow(StoreUnavailableError);
    });

    it('migrates once when several coordinators start at once', async () => {
      url = await emptyDatabase();
      const stores = Array.from({ length: 4 }, open);
      await Promise.all(stores.map((each) => each.migrate()));
      await stores[0]!.createExperiment(newExperiment('a'));
      await Promise.all(stores.map((each) => each.migrate()));
      for (const each of stores) expect((await each.getExperiment('a'))?.id).toBe('a');
    });

    it('keeps everything over a restart', async () => {
      const commit = resultCommit(plannedCell(1).id);
      await store.createExperiment(newExperiment('a'));
      await store.putPlannedCells('a', [plannedCell(1)]);
      await store.commitCell(commit);
      await store.putReport('a', '{}');
      await store.close();
      store = open();
      await store.migrate();
      expect(await store.plannedCells('a')).toEqual([plannedCell(1)]);
      expect((await store.getResults([commit.cellId])).get(commit.cellId)).toEqual(commit.result);
      expect((await store.readSeries(commit.cellId, 'memory'))?.rows).toBe(32);
      expect(await store.getReport('a')).toBe('{}');
    });

    it('takes no text that the other database could not hold', async () => {
      await expect(store.createExperiment(newExperiment('a\0b'))).rejects.toThrow(
        new TypeError('store: expected a text without U+0000, got "a\\u0000b"'),
      );
      expect(await store.listExperiments({ limit: 10 })).toEqual([]);
    });
  });

  describe('experiments', () => {
    it('gives back what was created', async () => {
      const { experiment, created } = await store.createExperiment(newExperiment('a', { idempotencyKey: 'k' }));
      expect(created).toBe(true);
      expect(experiment).toEqual({
        id: 'a',
        idempotencyKey: 'k',
        scenario: 'netns-unshare-storm',
        sourceName: 'storm.yaml',
        state: 'running',
        cellsTotal: 2,
        cellsDone: 0,
        cellsFailed: 0,
        submittedAt: '2026-11-21T00:00:00.000Z',
        endedAt: undefined,
        verdict: undefined,
      });
      expect(await store.getExperiment('a')).toEqual(experiment);
      expect(await store.getDocument('a')).toBe('kind: Scenario\n# a ünïcödé\n');
    });

    it('knows nothing of an experiment that was never created', async () => {
      expect(await store.getExperiment('a')).toBeUndefined();
      expect(await store.getDocument('a')).toBeUndefined();
      expect(await store.getReport('a')).toBeUndefined();
      expect(await store.plannedCells('a')).toEqual([]);
      expect(await store.progress('a')).toEqual([]);
      const unknown = new UnknownExperimentError('a');
      await expect(store.updateExperiment('a', { cellsDone: 1 })).rejects.toThrow(unknown);
      await expect(store.updateExperiment('a', {})).rejects.toThrow(unknown);
      await expect(store.cancelExperiment('a', 'now')).rejects.toThrow(unknown);
      await expect(store.putPlannedCells('a', [plannedCell(1)])).rejects.toThrow(unknown);
      await expect(store.putReport('a', '{}')).rejects.toThrow(unknown);
    });

    it('returns the first experiment for an idempotency key that was used, and for an id', async () => {
      await store.createExperiment(newExperiment('a', { idempotencyKey: 'k' }));
      await store.createExperiment(newExperiment('b'));
      const again = await store.createExperiment(newExperiment('c', { idempotencyKey: 'k', scenario: 'other' }));
      expect([again.created, again.experiment.id, again.experiment.scenario]).toEqual([
        false,
        'a',
        'netns-unshare-storm',
      ]);
      // Key of one, id of another: the key is what was asked for.
      expect((await store.createExperiment(newExperiment('b', { idempotencyKey: 'k' }))).experiment.id).toBe('a');
      const sameId = await store.createExperiment(newExperiment('b'));
      expect([sameId.created, sameId.experiment.id]).toEqual([false, 'b']);
      expect(await store.listExperiments({ limit: 10 })).toHaveLength(2);
    });

    it('creates one experiment from many submissions at once through two stores', async () => {
      const stores = [store, open()];
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          stores[i % 2]!.createExperiment(newExperiment(`e${i}`, { idempotencyKey: 'k' })),
        ),
      );
      expect(outcomes.filter((outcome) => outcome.created)).toHaveLength(1);
      expect(new Set(outcomes.map((outcome) => outcome.experiment.id)).size).toBe(1);
    });

    it('lists newest first, page by page, without gap or overlap, in an order that no locale changes', async () => {
      const at = (second: number): string => `2026-11-21T00:00:0${second}.000Z`;
      const entries: [string, number][] = [
        ['B', 1],
        ['a', 1],
        ['new', 3],
        ['old', 0],
        ['c-1', 1],
        ['c', 1],
        ['mid', 2],
      ];
      for (const [id, second] of entries) await store.createExperiment(newExperiment(id, { submittedAt: at(second) }));
      const expected = ['new', 'mid', 'c-1', 'c', 'a', 'B', 'old'];
      expect((await store.listExperiments({ limit: 1_000 })).map((e) => e.id)).toEqual(expected);
      const paged: string[] = [];
      let before: StoredExperiment | undefined;
      for (;;) {
        const page: StoredExperiment[] = await store.listExperiments({ limit: 2, ...(before && { before }) });
        if (page.length === 0) break;
        paged.push(...page.map((e) => e.id));
        before = page.at(-1)!;
      }
      expect(paged).toEqual(expected);
      await expect(store.listExperiments({ limit: 0 })).rejects.toThrow(
        new TypeError('store: limit: expected a positive integer, got 0'),
      );
    });

    it('lists those of a state or of a scenario alone', async () => {
      await store.createExperiment(newExperiment('a'));
      await store.createExperiment(newExperiment('b', { scenario: 'other' }));
      await store.cancelExperiment('a', 'now');
      const ids = async (more: Partial<ListOptions>) =>
        (await store.listExperiments({ limit: 10, ...more })).map((one) => one.id);
      expect(await ids({ state: 'cancelled' })).toEqual(['a']);
      expect(await ids({ scenario: 'other' })).toEqual(['b']);
      expect(await ids({ scenario: 'other', state: 'cancelled' })).toEqual([]);
    });

    it('ends an experiment once: what comes later changes nothing and learns how it ended', async () => {
      await store.createExperiment(newExperiment('a'));
      expect((await store.updateExperiment('a', { cellsDone: 1, cellsTotal: 3 })).cellsTotal).toBe(3);
      await expect(store.updateExperiment('a', { state: 'completed' })).rejects.toThrow(
        new TypeError('store: experiment a: expected endedAt with state completed'),
      );
      const ended = await store.updateExperiment('a', {
        state: 'completed',
        cellsDone: 2,
        cellsFailed: 1,
        verdict: 'pass',
        endedAt: '2026-11-21T00:01:00.000Z',
      });
      expect(ended).toMatchObject({ state: 'completed', cellsDone: 2, cellsFailed: 1, cellsTotal: 3, verdict: 'pass' });
      expect(await store.cancelExperiment('a', '2026-11-21T00:02:00.000Z')).toEqual(ended);
      expect(await store.updateExperiment('a', { cellsDone: 0 })).toEqual(ended);
      expect(await store.getExperiment('a')).toEqual(ended);
    });

    it('lets one of two coordinators end an experiment, and tells both how', async () => {
      await store.createExperiment(newExperiment('a'));
      const end = { verdict: 'pass', endedAt: '2026-11-21T00:01:00.000Z', state: 'completed' } as const;
      const ends = await Promise.all([
        store.updateExperiment('a', end),
        open().cancelExperiment('a', '2026-11-21T00:01:01.000Z'),
      ]);
      expect(ends[0]).toEqual(ends[1]);
    });

    it('finds running experiments, oldest first', async () => {
      await store.createExperiment(newExperiment('b', { submittedAt: '2026-11-21T00:00:02.000Z' }));
      await store.createExperiment(newExperiment('a', { submittedAt: '2026-11-21T00:00:03.000Z' }));
      await store.createExperiment(newExperiment('c', { submittedAt: '2026-11-21T00:00:01.000Z' }));
      await store.cancelExperiment('c', '2026-11-21T00:00:04.000Z');
      expect((await store.runningExperiments()).map((e) => e.id)).toEqual(['b', 'a']);
    });

    it('keeps the first report', async () => {
      await store.createExperiment(newExperiment('a'));
      expect(await store.getReport('a')).toBeUndefined();
      expect(await store.putReport('a', '{"n":1}')).toBe(true);
      expect(await store.putReport('a', '{"n":2}')).toBe(false);
      expect(await store.getReport('a')).toBe('{"n":1}');
    });
  });

  describe('removing what is old', () => {
    it('removes ended experiments, oldest first, with the cells that nobody else has planned', async () => {
      const [own, shared, running] = [plannedCell(1), plannedCell(2), plannedCell(3)] as const;
      for (const id of ['old', 'older', 'new', 'runs']) await store.createExperiment(newExperiment(id));
      await store.putPlannedCells('older', [own, shared]);
      await store.putPlannedCells('old', [own]);
      await store.putPlannedCells('new', [shared]);
      await store.putPlannedCells('runs', [running]);
      for (const { id } of [own, shared, running]) await store.commitCell(resultCommit(id));
      for (const [id, day] of [
        ['older', 1],
        ['old', 2],
        ['new', 9],
      ] as const) {
        await store.putReport(id, '{}');
        await store.updateExperiment(id, { state: 'completed', endedAt: `2026-11-0${day}T00:00:00.000Z` });
      }
      const before = '2026-11-05T00:00:00.000Z';
      expect(await store.removeEndedBefore(before, 1)).toBe(1);
      expect(await store.getExperiment('older')).toBeUndefined();
      expect(await store.hasResult(own.id)).toBe(true); // `old` has it
      expect(await store.removeEndedBefore(before, 10)).toBe(1);
      expect(await store.removeEndedBefore(before, 10)).toBe(0);
      expect((await store.listExperiments({ limit: 10 })).map(({ id }) => id)).toEqual(['runs', 'new']);
      expect(await store.hasResult(own.id)).toBe(false);
      expect(await store.readSeries(own.id, 'memory')).toBeUndefined();
      expect((await store.readSeries(shared.id, 'memory'))?.rows).toBe(32);
      expect(await store.hasResult(running.id)).toBe(true);
      expect(await store.commitCell(resultCommit(own.id))).toBe('committed');
    });
  });

  describe('planned cells', () => {
    it('keeps their order and content, more than one statement holds, and the same cell under two labels', async () => {
      const cells = Array.from({ length: 1_234 }, (_, i) => plannedCell(i));
      cells.push({ ...cells[0]!, variant: 'again', point: {} });
      await store.createExperiment(newExperiment('a'));
      await store.putPlannedCells('a', cells);
      await store.putPlannedCells('a', cells);
      expect(await store.plannedCells('a')).toEqual(cells);
      expect(await store.plannedCells('a', { from: 600, limit: 3 })).toEqual(cells.slice(600, 603));
      expect(await store.plannedCells('a', { from: 1_235, limit: 3 })).toEqual([]);
    });

    it('plans once when two coordinators do it at once', async () => {
      const cells = Array.from({ length: 600 }, (_, i) => plannedCell(i));
      await store.createExperiment(newExperiment('a'));
      await Promise.all([store.putPlannedCells('a', cells), open().putPlannedCells('a', cells)]);
      expect(await store.plannedCells('a')).toEqual(cells);
    });

    it.each([
      ['other cells', [plannedCell(3), plannedCell(4)]],
      ['a cell under another label', [{ ...plannedCell(1), variant: 'again' }]],
      ['more cells in another order', [plannedCell(3), plannedCell(1), plannedCell(2)]],
    ])('refuses %s in the place of those that are planned', async (_, others) => {
      const cells = [plannedCell(1), plannedCell(2)];
      await store.createExperiment(newExperiment('a'));
      await store.putPlannedCells('a', cells);
      await expect(store.putPlannedCells('a', others)).rejects.toThrow('other cells are planned already');
      expect(await store.plannedCells('a')).toEqual(cells);
    });

    it('adds a later round behind those that are planned, without another attempt at the earlier ones', async () => {
      const [first, second, third] = [plannedCell(1), plannedCell(2), plannedCell(3)] as const;
      await store.createExperiment(newExperiment('a'));
      await store.putPlannedCells('a', [first]);
      for (const { id } of [first, second, third]) await store.commitCell(failure(id, 'timeout'));
      const all = [first, second, third];
      await Promise.all([store.putPlannedCells('a', all), open().putPlannedCells('a', all)]);
      expect(await store.plannedCells('a')).toEqual(all);
      expect([...(await store.getResults(all.map((cell) => cell.id))).keys()]).toEqual([first.id]);
      // A coordinator that is a round behind changes nothing.
      await store.putPlannedCells('a', [first]);
      expect(await store.plannedCells('a')).toEqual(all);
      expect(await store.getResults([first.id])).toHaveProperty('size', 1);
    });

    it('tells which running experiments wait for a cell', async () => {
      for (const id of ['a', 'b', 'c', 'd']) await store.createExperiment(newExperiment(id));
      const shared = plannedCell(1);
      for (const id of ['b', 'a', 'c']) await store.putPlannedCells(id, [shared, shared]);
      await store.putPlannedCells('d', [plannedCell(2)]);
      await store.cancelExperiment('c', '2026-11-21T00:00:04.000Z');
      expect(await store.experimentsWaitingFor(shared.id)).toEqual(['a', 'b']);
      expect(await store.experimentsWaitingFor('unknown')).toEqual([]);
    });

    it('counts progress by variant, in the order in which they were planned', async () => {
      const cells = [plannedCell(1, 'v4'), plannedCell(1), plannedCell(2, 'v4'), plannedCell(2), plannedCell(3)];
      await store.createExperiment(newExperiment('a'));
      await store.putPlannedCells('a', cells);
      await store.commitCell(resultCommit(cells[0]!.id));
      await store.commitCell(failure(cells[1]!.id, 'model'));
      await store.commitCell(resultCommit(cells[4]!.id));
      expect(await store.progress('a')).toEqual([
        { variant: 'v4', total: 2, done: 1, failed: 0 },
        { variant: 'before', total: 3, done: 1, failed: 1 },
      ]);
    });

    it('gives a new attempt to cells that timed out or were cancelled, only when first planned', async () => {
      const cells = [plannedCell(1), plannedCell(2), plannedCell(3), plannedCell(4)];
      const [timedOut, cancelled, broken, done] = cells.map((cell) => cell.id) as [string, string, string, string];
      await store.commitCell(failure(timedOut, 'timeout'));
      await store.commitCell(failure(cancelled, 'cancelled'));
      await store.commitCell(failure(broken, 'invariant'));
      await store.commitCell(resultCommit(done));
      await store.createExperiment(newExperiment('a'));
      await store.putPlannedCells('a', cells);
      expect([...(await store.getResults(cells.map((cell) => cell.id))).keys()].sort()).toEqual([broken, done].sort());
      await store.commitCell(failure(timedOut, 'timeout'));
      await store.putPlannedCells('a', cells);
      expect((await store.getResults([timedOut])).get(timedOut)).toMatchObject({ kind: 'timeout' });
    });
  });

  describe('cells', () => {
    it('gives back result, header and series of a committed cell', async () => {
      const commit = resultCommit('cell', 7);
      expect(await store.hasResult('cell')).toBe(false);
      expect(await store.commitCell(commit)).toBe('committed');
      expect(await store.hasResult('cell')).toBe(true);
      const outcome = (await store.getResults(['cell', 'other', 'cell'])).get('cell') as typeof commit.result;
      expect(outcome).toEqual(commit.result);
      expect(Object.is(outcome.metrics['mem_slope_bytes_per_second'], -0)).toBe(true);
      expect(await store.getHeader('cell')).toEqual(HEADER);
      for (const [index, table] of HEADER.tables.entries()) {
        const series = (await store.readSeries('cell', table.name))!;
        expect(series.table).toEqual(table);
        expect(series.columns.map((column) => [...column])).toEqual(expectedColumns(commit, index));
      }
    });

    it('knows no series of a cell without result, of a failed cell, or of a table that it does not have', async () => {
      await store.commitCell(resultCommit('cell', 1, 1));
      await store.commitCell(failure('failed', 'model'));
      expect(await store.readSeries('unknown', 'memory')).toBeUndefined();
      expect(await store.readSeries('failed', 'memory')).toBeUndefined();
      expect(await store.getHeader('failed')).toBeUndefined();
      expect(await store.readSeries('cell', 'unknown')).toBeUndefined();
      // A table that was declared and never written is there, and empty.
      expect(await store.readSeries('cell', 'cleanup')).toMatchObject({ rows: 0, columns: [new Float64Array(0)] });
      expect(await store.getResults([])).toEqual(new Map());
    });

    it.each([
      // first, second, what the second gives, what stays
      ['result', 'result', 'duplicate', 'first'],
      ['result', 'timeout', 'duplicate', 'first'],
      ['result', 'model', 'duplicate', 'first'],
      ['timeout', 'result', 'committed', 'second'],
      ['cancelled', 'result', 'committed', 'second'],
      ['invariant', 'result', 'duplicate', 'first'],
      ['model', 'result', 'duplicate', 'first'],
      ['cancelled', 'timeout', 'committed', 'second'],
      ['timeout', 'cancelled', 'duplicate', 'first'],
      ['timeout', 'timeout', 'duplicate', 'first'],
      ['cancelled', 'invariant', 'committed', 'second'],
      ['timeout', 'model', 'committed', 'second'],
      ['model', 'invariant', 'duplicate', 'first'],
      ['memory', 'result', 'committed', 'second'],
      ['cancelled', 'memory', 'committed', 'second'],
      ['memory', 'timeout', 'duplicate', 'first'],
    ] as const)('after %s, %s is %s', async (first, second, outcome, stays) => {
      const commitOf = (what: typeof first, seed: number) =>
        what === 'result' ? resultCommit('cell', seed) : failure('cell', what, `attempt ${seed}`);
      const commits = { first: commitOf(first, 1), second: commitOf(second, 2) };
      expect(await store.commitCell(commits.first)).toBe('committed');
      expect(await store.commitCell(commits.second)).toBe(outcome);
      const kept = commits[stays];
      const expected = 'result' in kept ? kept.result : kept.failure;
      expect((await store.getResults(['cell'])).get('cell')).toEqual(expected);
      const series = await store.readSeries('cell', 'memory');
      expect(series?.columns.map((column) => [...column])).toEqual(
        'result' in kept ? expectedColumns(kept, 0) : undefined,
      );
    });

    it('has a final outcome after a result, an invariant or a model failure, and not after the others', async () => {
      const kinds = ['invariant', 'model', 'memory', 'timeout', 'cancelled'] as const;
      for (const kind of kinds) await store.commitCell(failure(kind, kind));
      expect(await Promise.all(kinds.map((kind) => store.hasResult(kind)))).toEqual([true, true, false, false, false]);
    });

    it('commits exactly one of many commits of the same cell at once through two stores, whole', async () => {
      const stores = [store, open()];
      for (let round = 0; round < 5; round++) {
        const cell = `cell-${round}`;
        if (round % 2 === 1) await store.commitCell(failure(cell, 'timeout'));
        const commits = Array.from({ length: 8 }, (_, i) => resultCommit(cell, i + 1));
        const outcomes = await Promise.all(commits.map((commit, i) => stores[i % 2]!.commitCell(commit)));
        expect(outcomes.filter((outcome) => outcome === 'committed')).toHaveLength(1);
        const winner = commits[outcomes.indexOf('committed')]!;
        expect((await store.getResults([cell])).get(cell)).toEqual(winner.result);
        const series = await stores[1]!.readSeries(cell, 'memory');
        expect(series?.columns.map((column) => [...column])).toEqual(expectedColumns(winner, 0));
      }
    });

    it.each([
      ['a gap in the sequence', { sequence: 3 }, 'frame 1: expected sequence 1, got 3'],
      ['an unknown table', { table: 2 }, 'frame 1: expected a table from 0 to 1, got 2'],
      ['a missing column', { columns: [] }, 'frame 1: expected 1 columns, got 0'],
      ['a short column', { columns: [new Float64Array(3)] }, 'frame 1: expected columns of 16 rows, got 3'],
    ])('stores nothing of a cell with %s', async (_, change, message) => {
      const good = resultCommit('cell');
      const frames = good.frames.map((frame, index) => (index === 1 ? { ...frame, ...change } : frame));
      await expect(store.commitCell({ ...good, frames })).rejects.toThrow(
        new TypeError(`store: cell cell: ${message}`),
      );
      expect(await store.getResults(['cell'])).toEqual(new Map());
    });

    it('refuses the outcome of another cell', async () => {
      await expect(store.commitCell({ ...resultCommit('other'), cellId: 'cell' })).rejects.toThrow(
        new TypeError('store: cell cell: expected an outcome of this cell, got one of other'),
      );
    });

    it('leaves nothing of a commit that fails after its first frames were written', async () => {
      const commit = resultCommit('cell', 1, 600, 1); // two inserts; the frame that cannot be encoded is in the second
      const header = { tables: HEADER.tables.map((table) => ({ ...table, columns: [] })) };
      const frames = commit.frames.map((frame) => ({ ...frame, columns: [], rows: frame.sequence === 599 ? NaN : 1 }));
      await expect(store.commitCell({ ...commit, header, frames })).rejects.toThrow(RangeError);
      expect(await store.getResults(['cell'])).toEqual(new Map());
      expect(await store.commitCell(commit)).toBe('committed');
    });

    it('returns every bit of every sample, whatever it is', async () => {
      const anyBits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
      let cell = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(anyBits, { maxLength: 20 }), { maxLength: 5 }), async (blocks) => {
          const commit = {
            ...resultCommit(`bits-${++cell}`),
            header: { tables: [HEADER.tables[1]!] },
            frames: blocks.map((bits, sequence) => ({
              sequence,
              table: 0,
              rows: bits.length,
              columns: [new Float64Array(BigUint64Array.from(bits).buffer)],
            })),
          };
          await store.commitCell(commit);
          const column = (await store.readSeries(commit.cellId, 'cleanup'))!.columns[0]!;
          expect([...new BigUint64Array(column.buffer)]).toEqual(blocks.flat());
        }),
        { numRuns: 30 },
      );
    });

    it('returns every number and text of a result, whatever it is', async () => {
      let cell = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.dictionary(fc.string(), fc.double()),
          fc.string({ unit: 'binary' }),
          async (metrics, help) => {
            const commit = resultCommit(`numbers-${++cell}`);
            const histograms = [{ ...commit.result.histograms[0]!, help }];
            const result = { ...commit.result, metrics: { ...metrics }, histograms };
            await store.commitCell({ ...commit, result });
            expect((await store.getResults([commit.cellId])).get(commit.cellId)).toEqual(result);
          },
        ),
        { numRuns: 30 },
      );
    });

    it('has all or nothing of every cell, and all that was acknowledged, after kill -9 of the writer', async () => {
      let next = 0;
      for (let round = 0; round < 4; round++) next = await commitAndKill(url, next, 40 + round * 17);
      expect(next).toBeGreaterThan(3);
      const isWhole: boolean[] = [];
      // One more than was acknowledged: the last writer was killed at it, before or after its commit.
      for (let seed = 0; seed <= next; seed++) {
        const commit = resultCommit(plannedCell(seed).id, seed, FRAMES_PER_CELL, ROWS_PER_FRAME);
        const outcome = (await store.getResults([commit.cellId])).get(commit.cellId);
        const series = await store.readSeries(commit.cellId, 'memory');
        const values = expectedColumns(commit, 0).map((column) => Float64Array.from(column));
        expect([outcome, series?.columns]).toEqual(outcome ? [commit.result, values] : [undefined, undefined]);
        isWhole.push(outcome !== undefined);
      }
      expect(isWhole.slice(0, next)).toEqual(Array.from({ length: next }, () => true));
    });
  });
}

function failure(cellId: string, kind: CellFailure['kind'], message = 'why'): { cellId: string; failure: CellFailure } {
  return { cellId, failure: { cellId, kind, message } };
}

/** Lets a process commit from `from` on, kills it some time after its first commit; returns the first number not acknowledged. */
async function commitAndKill(url: string, from: number, aliveMs: number): Promise<number> {
  const program = join(import.meta.dirname.replace('/src/', '/dist/'), 'testing/commit-forever.js');
  if (!existsSync(program)) throw new Error(`expected ${program}: build first (tsc -b)`);
  const writer = spawn(process.execPath, [program, url, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let next = from;
  const exited = once(writer, 'exit');
  const firstCommit = once(writer.stdout, 'data');
  writer.stdout.on('data', (chunk: Buffer) => (next += chunk.toString().trim().split('\n').length));
  await Promise.race([firstCommit, exited]);
  await sleep(aliveMs);
  writer.kill('SIGKILL');
  await once(writer.stdout, 'close');
  const [, signal] = await exited;
  expect(signal).toBe('SIGKILL');
  return next;
}
