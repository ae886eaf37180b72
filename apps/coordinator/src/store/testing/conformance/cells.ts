// Outcomes and telemetry of cells: once, whole, bit for bit.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAMES_PER_CELL, ROWS_PER_FRAME } from '../commit-forever.js';
import { expectedColumns, failure, HEADER, plannedCell, resultCommit } from '../fixtures.js';
import type { Bench } from './bench.js';

export function cells(at: Bench): void {
  describe('cells', () => {
    it('gives back result, header and series of a committed cell', async () => {
      const commit = resultCommit('cell', 7);
      expect(await at.store.hasResult('cell')).toBe(false);
      expect(await at.store.commitCell(commit)).toBe('committed');
      expect(await at.store.hasResult('cell')).toBe(true);
      const outcome = (await at.store.getResults(['cell', 'other', 'cell'])).get('cell') as typeof commit.result;
      expect(outcome).toEqual(commit.result);
      expect(Object.is(outcome.metrics['mem_slope_bytes_per_second'], -0)).toBe(true);
      expect(await at.store.getHeader('cell')).toEqual(HEADER);
      for (const [index, table] of HEADER.tables.entries()) {
        const series = (await at.store.readSeries('cell', table.name))!;
        expect(series.table).toEqual(table);
        expect(series.columns.map((column) => [...column])).toEqual(expectedColumns(commit, index));
      }
    });

    it('knows no series of a cell without result, of a failed cell, or of a table that it does not have', async () => {
      await at.store.commitCell(resultCommit('cell', 1, 1));
      await at.store.commitCell(failure('failed', 'model'));
      expect(await at.store.readSeries('unknown', 'memory')).toBeUndefined();
      expect(await at.store.readSeries('failed', 'memory')).toBeUndefined();
      expect(await at.store.getHeader('failed')).toBeUndefined();
      expect(await at.store.readSeries('cell', 'unknown')).toBeUndefined();
      // A table that was declared and never written is there, and empty.
      expect(await at.store.readSeries('cell', 'cleanup')).toMatchObject({ rows: 0, columns: [new Float64Array(0)] });
      expect(await at.store.getResults([])).toEqual(new Map());
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
      expect(await at.store.commitCell(commits.first)).toBe('committed');
      expect(await at.store.commitCell(commits.second)).toBe(outcome);
      const kept = commits[stays];
      const expected = 'result' in kept ? kept.result : kept.failure;
      expect((await at.store.getResults(['cell'])).get('cell')).toEqual(expected);
      const series = await at.store.readSeries('cell', 'memory');
      expect(series?.columns.map((column) => [...column])).toEqual(
        'result' in kept ? expectedColumns(kept, 0) : undefined,
      );
    });

    it('has a final outcome after a result, an invariant or a model failure, and not after the others', async () => {
      const kinds = ['invariant', 'model', 'memory', 'timeout', 'cancelled'] as const;
      for (const kind of kinds) await at.store.commitCell(failure(kind, kind));
      expect(await Promise.all(kinds.map((kind) => at.store.hasResult(kind)))).toEqual([
        true,
        true,
        false,
        false,
        false,
      ]);
    });

    it('commits exactly one of many commits of the same cell at once through two stores, whole', async () => {
      const stores = [at.store, at.open()];
      for (let round = 0; round < 5; round++) {
        const cell = `cell-${round}`;
        if (round % 2 === 1) await at.store.commitCell(failure(cell, 'timeout'));
        const commits = Array.from({ length: 8 }, (_, i) => resultCommit(cell, i + 1));
        const outcomes = await Promise.all(commits.map((commit, i) => stores[i % 2]!.commitCell(commit)));
        expect(outcomes.filter((outcome) => outcome === 'committed')).toHaveLength(1);
        const winner = commits[outcomes.indexOf('committed')]!;
        expect((await at.store.getResults([cell])).get(cell)).toEqual(winner.result);
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
      await expect(at.store.commitCell({ ...good, frames })).rejects.toThrow(
        new TypeError(`store: cell cell: ${message}`),
      );
      expect(await at.store.getResults(['cell'])).toEqual(new Map());
    });

    it('refuses the outcome of another cell', async () => {
      await expect(at.store.commitCell({ ...resultCommit('other'), cellId: 'cell' })).rejects.toThrow(
        new TypeError('store: cell cell: expected an outcome of this cell, got one of other'),
      );
    });

    it('leaves nothing of a commit that fails after its first frames were written', async () => {
      const commit = resultCommit('cell', 1, 600, 1); // two inserts; the frame that cannot be encoded is in the second
      const header = { tables: HEADER.tables.map((table) => ({ ...table, columns: [] })) };
      const frames = commit.frames.map((frame) => ({ ...frame, columns: [], rows: frame.sequence === 599 ? NaN : 1 }));
      await expect(at.store.commitCell({ ...commit, header, frames })).rejects.toThrow(RangeError);
      expect(await at.store.getResults(['cell'])).toEqual(new Map());
      expect(await at.store.commitCell(commit)).toBe('committed');
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
          await at.store.commitCell(commit);
          const column = (await at.store.readSeries(commit.cellId, 'cleanup'))!.columns[0]!;
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
            await at.store.commitCell({ ...commit, result });
            expect((await at.store.getResults([commit.cellId])).get(commit.cellId)).toEqual(result);
          },
        ),
        { numRuns: 30 },
      );
    });

    it('has all or nothing of every cell, and all that was acknowledged, after kill -9 of the writer', async () => {
      let next = 0;
      for (let round = 0; round < 4; round++) next = await commitAndKill(at.url, next, 40 + round * 17);
      expect(next).toBeGreaterThan(3);
      const isWhole: boolean[] = [];
      // One more than was acknowledged: the last writer was killed at it, before or after its commit.
      for (let seed = 0; seed <= next; seed++) {
        const commit = resultCommit(plannedCell(seed).id, seed, FRAMES_PER_CELL, ROWS_PER_FRAME);
        const outcome = (await at.store.getResults([commit.cellId])).get(commit.cellId);
        const series = await at.store.readSeries(commit.cellId, 'memory');
        const values = expectedColumns(commit, 0).map((column) => Float64Array.from(column));
        expect([outcome, series?.columns]).toEqual(outcome ? [commit.result, values] : [undefined, undefined]);
        isWhole.push(outcome !== undefined);
      }
      expect(isWhole.slice(0, next)).toEqual(Array.from({ length: next }, () => true));
    });
  });
}

/** Lets a process commit from `from` on, kills it some time after its first commit; returns the first number not acknowledged. */
async function commitAndKill(url: string, from: number, aliveMs: number): Promise<number> {
  const program = join(import.meta.dirname.replace('/src/', '/dist/'), '../commit-forever.js');
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
