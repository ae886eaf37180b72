import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellJobId, cellJobOptions, cellJobSchema, cellQueueName, retryDelayMs } from './queue.js';

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

  it('lets a small experiment go before a large one, within the range of BullMQ', () => {
    const priority = (cells: number) => cellJobOptions(job, cells).priority!;
    expect(priority(6)).toBeLessThan(priority(5000));
    expect(priority(0)).toBe(1);
    expect(priority(1e9)).toBe(2_097_151);
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
