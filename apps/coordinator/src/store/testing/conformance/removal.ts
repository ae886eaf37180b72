// What is removed, by age and by size, and that its space comes back.
import { describe, expect, it } from 'vitest';
import { expectedColumns, failure, newExperiment, plannedCell, resultCommit } from '../fixtures.js';
import type { Bench } from './bench.js';

export function removal(at: Bench): void {
  describe('removing what is old', () => {
    it('removes ended experiments, oldest first, with the cells that nobody else has planned', async () => {
      const [own, shared, running] = [plannedCell(1), plannedCell(2), plannedCell(3)] as const;
      for (const id of ['old', 'older', 'new', 'runs']) await at.store.createExperiment(newExperiment(id));
      await at.store.putPlannedCells('older', [own, shared]);
      await at.store.putPlannedCells('old', [own]);
      await at.store.putPlannedCells('new', [shared]);
      await at.store.putPlannedCells('runs', [running]);
      for (const { id } of [own, shared, running]) await at.store.commitCell(resultCommit(id));
      for (const [id, day] of [
        ['older', 1],
        ['old', 2],
        ['new', 9],
      ] as const) {
        await at.store.putReport(id, '{}');
        await at.store.updateExperiment(id, { state: 'completed', endedAt: `2026-11-0${day}T00:00:00.000Z` });
      }
      const before = '2026-11-05T00:00:00.000Z';
      expect(await at.store.removeEndedBefore(before, 1)).toBe(1);
      expect(await at.store.getExperiment('older')).toBeUndefined();
      expect(await at.store.hasResult(own.id)).toBe(true); // `old` has it
      expect(await at.store.removeEndedBefore(before, 10)).toBe(1);
      expect(await at.store.removeEndedBefore(before, 10)).toBe(0);
      expect((await at.store.listExperiments({ limit: 10 })).map(({ id }) => id)).toEqual(['runs', 'new']);
      expect(await at.store.hasResult(own.id)).toBe(false);
      expect(await at.store.readSeries(own.id, 'memory')).toBeUndefined();
      expect((await at.store.readSeries(shared.id, 'memory'))?.rows).toBe(32);
      expect(await at.store.hasResult(running.id)).toBe(true);
      expect(await at.store.commitCell(resultCommit(own.id))).toBe('committed');
    });

    it('counts what is stored, and nothing twice', async () => {
      const [one, other] = [plannedCell(1), plannedCell(2)] as const;
      const sizes = [await at.store.storedBytes()];
      const grows = async (work: Promise<unknown>) => {
        await work;
        sizes.push(await at.store.storedBytes());
        return sizes.at(-1)! - sizes.at(-2)!;
      };
      const document = 'x'.repeat(1_000);
      expect(await grows(at.store.createExperiment(newExperiment('a', { document })))).toBe(1_000);
      expect(await grows(at.store.putPlannedCells('a', [one]))).toBeGreaterThan(100);
      expect(await grows(at.store.putPlannedCells('a', [one]))).toBe(0);
      expect(await grows(at.store.commitCell(failure(one.id, 'timeout')))).toBeGreaterThan(10);
      const bytes = 2 * (2 + 1) * 100 * 8; // two frames of two columns and two of one, a hundred rows each
      const more = await grows(at.store.commitCell(resultCommit(one.id, 1, 4, 100)));
      expect(more).toBeGreaterThan(bytes);
      expect(more).toBeLessThan(bytes + 2_000);
      expect(await grows(at.store.commitCell(resultCommit(one.id, 1, 4, 100)))).toBe(0);
      expect(await grows(at.store.putReport('a', '"ä"'))).toBe(4);
      expect(await grows(at.store.putReport('a', '"b"'))).toBe(0);
      await at.store.cancelExperiment('a', '2026-11-01T00:00:00.000Z');
      await at.store.createExperiment(newExperiment('b', { document: '' }));
      await at.store.putPlannedCells('b', [other]);
      expect(await at.store.removeOldestAbove(0)).toBe(true);
      expect(await at.store.storedBytes()).toBe(sizes[2]! - 1_000);
    });

    it('removes the oldest that has ended only while more is stored than is kept, and one that runs never', async () => {
      const ended: [string, number][] = [
        ['new', 9],
        ['old', 2],
        ['older', 1],
      ];
      await at.store.createExperiment(newExperiment('runs'));
      for (const [id, day] of ended) {
        await at.store.createExperiment(newExperiment(id, { document: 'x'.repeat(1_000) }));
        await at.store.cancelExperiment(id, `2026-11-0${day}T00:00:00.000Z`);
      }
      const left = async () => (await at.store.listExperiments({ limit: 10 })).map(({ id }) => id).sort();
      expect(await at.store.removeOldestAbove(4_000)).toBe(false);
      // Of two that do it at once, the second one finds that it is enough.
      const both = await Promise.all([at.store.removeOldestAbove(2_500), at.open().removeOldestAbove(2_500)]);
      expect(both.toSorted()).toEqual([false, true]);
      expect(await left()).toEqual(['new', 'old', 'runs']);
      expect(await at.store.removeOldestAbove(1_500)).toBe(true);
      expect(await at.store.removeOldestAbove(0)).toBe(true);
      expect(await at.store.removeOldestAbove(0)).toBe(false);
      expect(await left()).toEqual(['runs']);
    });

    it('gives the space of what was removed back to the file system, and keeps every sample of the rest', async () => {
      const commits = Array.from({ length: 6 }, (_, n) => resultCommit(plannedCell(n).id, n, 64, 4_000)); // 3 MB each
      for (const [n, commit] of commits.entries()) {
        const id = n % 3 === 2 ? 'stays' : 'goes';
        await at.store.createExperiment(newExperiment(`${id}${n}`));
        await at.store.putPlannedCells(`${id}${n}`, [plannedCell(n)]);
        await at.store.commitCell(commit);
        const endedAt = `2026-11-0${id === 'goes' ? 1 : 9}T00:00:00.000Z`;
        await at.store.updateExperiment(`${id}${n}`, { state: 'completed', endedAt });
      }
      await at.store.reclaim();
      const full = await at.diskBytes();
      expect(await at.store.removeEndedBefore('2026-11-05T00:00:00.000Z', 10)).toBe(4);
      await at.store.reclaim();
      expect(full - (await at.diskBytes())).toBeGreaterThan(11e6); // of 12
      for (const commit of [commits[2]!, commits[5]!]) {
        const series = (await at.store.readSeries(commit.cellId, 'memory'))!;
        expect(series.columns.map((column) => [...column])).toEqual(expectedColumns(commit, 0));
      }
    });
  });
}
