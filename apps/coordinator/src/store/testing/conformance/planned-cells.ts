// What experiments plan, and how far they are.
import { describe, expect, it } from 'vitest';
import { failure, newExperiment, plannedCell, resultCommit } from '../fixtures.js';
import type { Bench } from './bench.js';

export function plannedCells(at: Bench): void {
  describe('planned cells', () => {
    it('keeps their order and content, more than one statement holds, and the same cell under two labels', async () => {
      const cells = Array.from({ length: 1_234 }, (_, i) => plannedCell(i));
      cells.push({ ...cells[0]!, variant: 'again', point: {} });
      await at.store.createExperiment(newExperiment('a'));
      await at.store.putPlannedCells('a', cells);
      await at.store.putPlannedCells('a', cells);
      expect(await at.store.plannedCells('a')).toEqual(cells);
      expect(await at.store.plannedCells('a', { from: 600, limit: 3 })).toEqual(cells.slice(600, 603));
      expect(await at.store.plannedCells('a', { from: 1_235, limit: 3 })).toEqual([]);
    });

    it('plans once when two coordinators do it at once', async () => {
      const cells = Array.from({ length: 600 }, (_, i) => plannedCell(i));
      await at.store.createExperiment(newExperiment('a'));
      await Promise.all([at.store.putPlannedCells('a', cells), at.open().putPlannedCells('a', cells)]);
      expect(await at.store.plannedCells('a')).toEqual(cells);
    });

    it.each([
      ['other cells', [plannedCell(3), plannedCell(4)]],
      ['a cell under another label', [{ ...plannedCell(1), variant: 'again' }]],
      ['more cells in another order', [plannedCell(3), plannedCell(1), plannedCell(2)]],
    ])('refuses %s in the place of those that are planned', async (_, others) => {
      const cells = [plannedCell(1), plannedCell(2)];
      await at.store.createExperiment(newExperiment('a'));
      await at.store.putPlannedCells('a', cells);
      await expect(at.store.putPlannedCells('a', others)).rejects.toThrow('other cells are planned already');
      expect(await at.store.plannedCells('a')).toEqual(cells);
    });

    it('adds a later round behind those that are planned, without another attempt at the earlier ones', async () => {
      const [first, second, third] = [plannedCell(1), plannedCell(2), plannedCell(3)] as const;
      await at.store.createExperiment(newExperiment('a'));
      await at.store.putPlannedCells('a', [first]);
      for (const { id } of [first, second, third]) await at.store.commitCell(failure(id, 'timeout'));
      const all = [first, second, third];
      await Promise.all([at.store.putPlannedCells('a', all), at.open().putPlannedCells('a', all)]);
      expect(await at.store.plannedCells('a')).toEqual(all);
      expect([...(await at.store.getResults(all.map((cell) => cell.id))).keys()]).toEqual([first.id]);
      // A coordinator that is a round behind changes nothing.
      await at.store.putPlannedCells('a', [first]);
      expect(await at.store.plannedCells('a')).toEqual(all);
      expect(await at.store.getResults([first.id])).toHaveProperty('size', 1);
    });

    it('tells which running experiments wait for a cell', async () => {
      for (const id of ['a', 'b', 'c', 'd']) await at.store.createExperiment(newExperiment(id));
      const shared = plannedCell(1);
      for (const id of ['b', 'a', 'c']) await at.store.putPlannedCells(id, [shared, shared]);
      await at.store.putPlannedCells('d', [plannedCell(2)]);
      await at.store.cancelExperiment('c', '2026-11-21T00:00:04.000Z');
      expect(await at.store.experimentsWaitingFor(shared.id)).toEqual(['a', 'b']);
      expect(await at.store.experimentsWaitingFor('unknown')).toEqual([]);
    });

    it('counts progress by variant, in the order in which they were planned', async () => {
      const cells = [plannedCell(1, 'v4'), plannedCell(1), plannedCell(2, 'v4'), plannedCell(2), plannedCell(3)];
      await at.store.createExperiment(newExperiment('a'));
      await at.store.putPlannedCells('a', cells);
      await at.store.commitCell(resultCommit(cells[0]!.id));
      await at.store.commitCell(failure(cells[1]!.id, 'model'));
      await at.store.commitCell(resultCommit(cells[4]!.id));
      expect(await at.store.missingCells('a')).toEqual([cells[2], cells[3]]);
      expect(await at.store.progress('a')).toEqual([
        { variant: 'v4', total: 2, done: 1, failed: 0 },
        { variant: 'before', total: 3, done: 1, failed: 1 },
      ]);
    });

    it('gives a new attempt to cells that timed out or were cancelled, only when first planned', async () => {
      const cells = [plannedCell(1), plannedCell(2), plannedCell(3), plannedCell(4)];
      const [timedOut, cancelled, broken, done] = cells.map((cell) => cell.id) as [string, string, string, string];
      await at.store.commitCell(failure(timedOut, 'timeout'));
      await at.store.commitCell(failure(cancelled, 'cancelled'));
      await at.store.commitCell(failure(broken, 'invariant'));
      await at.store.commitCell(resultCommit(done));
      await at.store.createExperiment(newExperiment('a'));
      await at.store.putPlannedCells('a', cells);
      expect([...(await at.store.getResults(cells.map((cell) => cell.id))).keys()].sort()).toEqual(
        [broken, done].sort(),
      );
      await at.store.commitCell(failure(timedOut, 'timeout'));
      await at.store.putPlannedCells('a', cells);
      expect((await at.store.getResults([timedOut])).get(timedOut)).toMatchObject({ kind: 'timeout' });
    });
  });
}
