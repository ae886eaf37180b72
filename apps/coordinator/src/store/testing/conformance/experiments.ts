// Experiments and their reports.
import { describe, expect, it } from 'vitest';
import { type ListOptions, type StoredExperiment, UnknownExperimentError } from '../../store.js';
import { newExperiment, plannedCell } from '../fixtures.js';
import type { Bench } from './bench.js';

export function experiments(at: Bench): void {
  describe('experiments', () => {
    it('gives back what was created', async () => {
      const { experiment, created } = await at.store.createExperiment(newExperiment('a', { idempotencyKey: 'k' }));
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
      expect(await at.store.getExperiment('a')).toEqual(experiment);
      expect(await at.store.getDocument('a')).toBe('kind: Scenario\n# a ünïcödé\n');
    });

    it('knows nothing of an experiment that was never created', async () => {
      expect(await at.store.getExperiment('a')).toBeUndefined();
      expect(await at.store.getDocument('a')).toBeUndefined();
      expect(await at.store.getReport('a')).toBeUndefined();
      expect(await at.store.plannedCells('a')).toEqual([]);
      expect(await at.store.progress('a')).toEqual([]);
      const unknown = new UnknownExperimentError('a');
      await expect(at.store.updateExperiment('a', { cellsDone: 1 })).rejects.toThrow(unknown);
      await expect(at.store.updateExperiment('a', {})).rejects.toThrow(unknown);
      await expect(at.store.cancelExperiment('a', 'now')).rejects.toThrow(unknown);
      await expect(at.store.putPlannedCells('a', [plannedCell(1)])).rejects.toThrow(unknown);
      await expect(at.store.putReport('a', '{}')).rejects.toThrow(unknown);
    });

    it('returns the first experiment for an idempotency key that was used, and for an id', async () => {
      await at.store.createExperiment(newExperiment('a', { idempotencyKey: 'k' }));
      await at.store.createExperiment(newExperiment('b'));
      const again = await at.store.createExperiment(newExperiment('c', { idempotencyKey: 'k', scenario: 'other' }));
      expect([again.created, again.experiment.id, again.experiment.scenario]).toEqual([
        false,
        'a',
        'netns-unshare-storm',
      ]);
      // Key of one, id of another: the key is what was asked for.
      expect((await at.store.createExperiment(newExperiment('b', { idempotencyKey: 'k' }))).experiment.id).toBe('a');
      const sameId = await at.store.createExperiment(newExperiment('b'));
      expect([sameId.created, sameId.experiment.id]).toEqual([false, 'b']);
      expect(await at.store.listExperiments({ limit: 10 })).toHaveLength(2);
    });

    it('creates one experiment from many submissions at once through two stores', async () => {
      const stores = [at.store, at.open()];
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          stores[i % 2]!.createExperiment(newExperiment(`e${i}`, { idempotencyKey: 'k' })),
        ),
      );
      expect(outcomes.filter((outcome) => outcome.created)).toHaveLength(1);
      expect(new Set(outcomes.map((outcome) => outcome.experiment.id)).size).toBe(1);
    });

    it('lists newest first, page by page, without gap or overlap, in an order that no locale changes', async () => {
      const time = (second: number): string => `2026-11-21T00:00:0${second}.000Z`;
      const entries: [string, number][] = [
        ['B', 1],
        ['a', 1],
        ['new', 3],
        ['old', 0],
        ['c-1', 1],
        ['c', 1],
        ['mid', 2],
      ];
      for (const [id, second] of entries)
        await at.store.createExperiment(newExperiment(id, { submittedAt: time(second) }));
      const expected = ['new', 'mid', 'c-1', 'c', 'a', 'B', 'old'];
      expect((await at.store.listExperiments({ limit: 1_000 })).map((e) => e.id)).toEqual(expected);
      const paged: string[] = [];
      let before: StoredExperiment | undefined;
      for (;;) {
        const page: StoredExperiment[] = await at.store.listExperiments({ limit: 2, ...(before && { before }) });
        if (page.length === 0) break;
        paged.push(...page.map((e) => e.id));
        before = page.at(-1)!;
      }
      expect(paged).toEqual(expected);
      await expect(at.store.listExperiments({ limit: 0 })).rejects.toThrow(
        new TypeError('store: limit: expected a positive integer, got 0'),
      );
    });

    it('lists those of a state or of a scenario alone', async () => {
      await at.store.createExperiment(newExperiment('a'));
      await at.store.createExperiment(newExperiment('b', { scenario: 'other' }));
      await at.store.cancelExperiment('a', 'now');
      const ids = async (more: Partial<ListOptions>) =>
        (await at.store.listExperiments({ limit: 10, ...more })).map((one) => one.id);
      expect(await ids({ state: 'cancelled' })).toEqual(['a']);
      expect(await ids({ scenario: 'other' })).toEqual(['b']);
      expect(await ids({ scenario: 'other', state: 'cancelled' })).toEqual([]);
    });

    it('ends an experiment once: what comes later changes nothing and learns how it ended', async () => {
      await at.store.createExperiment(newExperiment('a'));
      expect((await at.store.updateExperiment('a', { cellsDone: 1, cellsTotal: 3 })).cellsTotal).toBe(3);
      await expect(at.store.updateExperiment('a', { state: 'completed' })).rejects.toThrow(
        new TypeError('store: experiment a: expected endedAt with state completed'),
      );
      const ended = await at.store.updateExperiment('a', {
        state: 'completed',
        cellsDone: 2,
        cellsFailed: 1,
        verdict: 'pass',
        endedAt: '2026-11-21T00:01:00.000Z',
      });
      expect(ended).toMatchObject({ state: 'completed', cellsDone: 2, cellsFailed: 1, cellsTotal: 3, verdict: 'pass' });
      expect(await at.store.cancelExperiment('a', '2026-11-21T00:02:00.000Z')).toEqual(ended);
      expect(await at.store.updateExperiment('a', { cellsDone: 0 })).toEqual(ended);
      expect(await at.store.getExperiment('a')).toEqual(ended);
    });

    it('lets one of two coordinators end an experiment, and tells both how', async () => {
      await at.store.createExperiment(newExperiment('a'));
      const end = { verdict: 'pass', endedAt: '2026-11-21T00:01:00.000Z', state: 'completed' } as const;
      const ends = await Promise.all([
        at.store.updateExperiment('a', end),
        at.open().cancelExperiment('a', '2026-11-21T00:01:01.000Z'),
      ]);
      expect(ends[0]).toEqual(ends[1]);
    });

    it('finds running experiments, oldest first', async () => {
      await at.store.createExperiment(newExperiment('b', { submittedAt: '2026-11-21T00:00:02.000Z' }));
      await at.store.createExperiment(newExperiment('a', { submittedAt: '2026-11-21T00:00:03.000Z' }));
      await at.store.createExperiment(newExperiment('c', { submittedAt: '2026-11-21T00:00:01.000Z' }));
      await at.store.cancelExperiment('c', '2026-11-21T00:00:04.000Z');
      expect((await at.store.runningExperiments()).map((e) => e.id)).toEqual(['b', 'a']);
    });

    it('keeps the first report', async () => {
      await at.store.createExperiment(newExperiment('a'));
      expect(await at.store.getReport('a')).toBeUndefined();
      expect(await at.store.putReport('a', '{"n":1}')).toBe(true);
      expect(await at.store.putReport('a', '{"n":2}')).toBe(false);
      expect(await at.store.getReport('a')).toBe('{"n":1}');
    });
  });
}
