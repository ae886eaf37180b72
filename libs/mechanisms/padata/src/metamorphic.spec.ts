// What must follow when one thing of a cell changes (invariant 16), whatever the absolute times are.
import { describe, expect, it } from 'vitest';
import { run } from './testing/cells.js';

const GIB = 2 ** 30;
/** Batches vary at random; what a change of them may make of the time of a job. */
const NOISE = 0.02;
const kinds = ['hugetlb', 'thp', 'small'] as const;

describe('a larger cache', () => {
  const SIZES = [512, 2048, 8192, 32_768, 65_536, 2 ** 20];
  it.each(kinds.flatMap((pages) => [false, true].map((prefaulted) => [pages, prefaulted] as const)))(
    'never makes more writes of mmap_lock, nor a slower job (%s, prefaulted: %s)',
    (pages, prefaulted) => {
      const cells = SIZES.map(
        (cachePages) => run({ kernel: { cachePages }, workload: { guest: 6 * GIB, pages, prefaulted } }).metrics,
      );
      for (const [
        i,
        { chunks_total: chunks, mmap_lock_writes_total: writes, job_seconds: seconds },
      ] of cells.entries()) {
        if (i === 0) continue;
        const before = cells[i - 1]!;
        expect(chunks).toBe(before['chunks_total']);
        expect(writes).toBeLessThanOrEqual(before['mmap_lock_writes_total']!);
        expect(seconds).toBeLessThanOrEqual(before['job_seconds']! * (1 + NOISE));
      }
    },
  );
});

describe('no cache', () => {
  it.each(kinds)('writes most often and is slower than what was published (%s)', (pages) => {
    const [none, some] = [0, 32_768].map(
      (cachePages) => run({ kernel: { cachePages }, workload: { guest: 6 * GIB, pages } }).metrics,
    );
    expect(none!['mmap_lock_writes_total']).toBeGreaterThan(10 * some!['mmap_lock_writes_total']!);
    expect(none!['job_seconds']).toBeGreaterThan(2 * some!['job_seconds']!);
  });

  it('is faster than one of a single batch: who has just reserved reads at once, ahead of all that wait', () => {
    const [none, batch] = [0, 512].map((cachePages) => run({ kernel: { cachePages }, workload: { guest: 6 * GIB } }));
    expect(none!.metrics['job_seconds']).toBeLessThan(batch!.metrics['job_seconds']!);
  });
});

describe('more bandwidth', () => {
  it.each(kinds)('never makes a job slower (%s)', (pages) => {
    const seconds = [1e10, 3e10, 6e10, 12e10, 1e12].map(
      (memoryBytesPerSecond) =>
        run({ workload: { guest: 6 * GIB, pages }, constants: { memoryBytesPerSecond } }).metrics['job_seconds']!,
    );
    for (let i = 1; i < seconds.length; i++) expect(seconds[i]).toBeLessThanOrEqual(seconds[i - 1]! * (1 + NOISE));
    expect(seconds.at(-1)).toBeLessThan(seconds[0]! / 2);
  });
});

describe('twice the pages', () => {
  it.each([
    ['one thread', 1],
    ['16 threads, the same number of chunks', 16],
  ])('take twice the time of %s, within 1 %%', (_what, maxThreads) => {
    // What a job costs however large it is has no part in it. The range begins on a multiple of all chunks.
    const constants = { helperStartNs: 0, kthreadCreateNs: 0 };
    const at = (gib: number, seed: number) =>
      run({
        seed,
        kernel: { cachePages: 32_768 },
        constants,
        workload: { guest: (gib + 2) * GIB, start: 64 * GIB, maxThreads },
      }).metrics;
    // Large and several, so that it does not matter how many refills meet the same readers: seeds differ by 0.6 %.
    const ratios = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => {
      const [once, twice] = [at(64, seed), at(128, seed)];
      expect(twice['chunks_total']).toBe(once['chunks_total']);
      return twice['job_seconds']! / once['job_seconds']!;
    });
    const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
    expect(Math.abs(mean / 2 - 1)).toBeLessThan(0.01);
  });
});
