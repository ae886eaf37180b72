// Opening, closing, migrating.
import { describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../store.js';
import { newExperiment, plannedCell, resultCommit } from '../fixtures.js';
import type { Bench } from './bench.js';

export function lifeCycle(at: Bench): void {
  describe('life cycle', () => {
    it('answers a ping when open, and is unavailable once closed', async () => {
      expect(await at.store.ping()).toBe(true);
      await at.store.close();
      await at.store.close();
      expect(await at.store.ping()).toBe(false);
      await expect(at.store.getExperiment('a')).rejects.toThrow(StoreUnavailableError);
    });

    it('migrates once when several coordinators start at once', async () => {
      at.url = (await at.newDatabase()).url;
      const stores = Array.from({ length: 4 }, () => at.open());
      await Promise.all(stores.map((each) => each.migrate()));
      await stores[0]!.createExperiment(newExperiment('a'));
      await Promise.all(stores.map((each) => each.migrate()));
      for (const each of stores) expect((await each.getExperiment('a'))?.id).toBe('a');
    });

    it('keeps everything over a restart', async () => {
      const commit = resultCommit(plannedCell(1).id);
      await at.store.createExperiment(newExperiment('a'));
      await at.store.putPlannedCells('a', [plannedCell(1)]);
      await at.store.commitCell(commit);
      await at.store.putReport('a', '{}');
      await at.store.close();
      at.store = at.open();
      await at.store.migrate();
      expect(await at.store.plannedCells('a')).toEqual([plannedCell(1)]);
      expect((await at.store.getResults([commit.cellId])).get(commit.cellId)).toEqual(commit.result);
      expect((await at.store.readSeries(commit.cellId, 'memory'))?.rows).toBe(32);
      expect(await at.store.getReport('a')).toBe('{}');
    });

    it('takes no text that the other database could not hold', async () => {
      await expect(at.store.createExperiment(newExperiment('a\0b'))).rejects.toThrow(
        new TypeError('store: expected a text without U+0000, got "a\\u0000b"'),
      );
      expect(await at.store.listExperiments({ limit: 10 })).toEqual([]);
    });
  });
}
