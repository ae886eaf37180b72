import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellJobId, cellJobOptions, cellJobSchema, cellQueueName, placeInQueue, retryDelayMs } from './queue.js';

const job = {
  experimentId: 'e1',
  cellId: 'a'.repeat(32),
  cell: { mechanism: 'netns', modelVersion: 1, kernel: { x: 1 } },
  timeoutMs: 1000,
};

describe('the queue of cells', () => {
  it('has names and job ids that BullMQ accepts', () => {
    expect(cellQueueName('netns')).toBe('cells.netns');
    expect(cellJobId('e1', 'c1')).toBe('e1-c1');
    expect(cellJobId('e1', 'c1') + cellQueueName('netns')).not.toContain(':');
  });

  it('keeps what a cell says besides what the service looks at', () => {
    expect(cellJobSchema.parse(JSON.parse(JSON.stringify(job)))).toEqual(job);
  });

  it.each([
    ['no cell', { ...job, cell: undefined }],
    ['a cell id that is no hash', { ...job, cellId: 'x' }],
    ['no time limit', { ...job, timeoutMs: 0 }],
  ])('refuses a job with %s', (_what, data) => {
    expect(cellJobSchema.safeParse(data).success).toBe(false);
  });

  it('gives a place within the range of BullMQ', () => {
    const priority = (place: number) => cellJobOptions(job, place).priority!;
    expect(priority(0)).toBe(1);
    expect(priority(6)).toBeLessThan(priority(5000));
    expect(priority(1e9)).toBe(2_097_151);
  });

  it('lets sweeps take turns, and a handful go before them', () => {
    const queue = (['early', 'late', 'person'] as const).flatMap((name, order) => {
      const [now, cells] = [[0, 1000] as const, [300, 1000] as const, [300, 10] as const][order]!;
      return Array.from({ length: cells }, (_, index) => ({ name, order, place: placeInQueue(now, index, cells) }));
    });
    // The late ones came when the queue was at the early one's 300th.
    const waiting = queue
      .filter(({ name, place }) => name !== 'early' || place >= 300)
      .toSorted((a, b) => a.place - b.place || a.order - b.order)
      .map(({ name }) => name);
    expect(waiting.slice(0, 12).filter((name) => name === 'person')).toHaveLength(10);
    const next = waiting.slice(12, 412);
    expect(next.filter((name) => name === 'early')).toHaveLength(200);
    expect(next.filter((name) => name === 'late')).toHaveLength(200);
  });

  it('waits longer from attempt to attempt, with jitter, and never longer than the bound', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (attempt) => {
        const delay = retryDelayMs(attempt);
        expect(delay).toBeGreaterThanOrEqual(250);
        expect(delay).toBeLessThanOrEqual(30_000);
      }),
    );
    expect(retryDelayMs(1)).toBeLessThanOrEqual(500);
    expect(retryDelayMs(20)).toBeGreaterThanOrEqual(15_000);
  });
});
