import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bandwidthCpus, Cap, requestedWorkers } from './caps.js';
import { chunkSize, Dispenser } from './split.js';
import { type Range, undoRanges } from './undo.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const VFIO = { align: 2 * MIB, minChunk: 128 * MIB };

function chunksOf(start: number, size: number, chunk: number): Range[] {
  const dispenser = new Dispenser(start, size, chunk);
  const chunks: Range[] = [];
  for (let at = start, length; (length = dispenser.take()) > 0; at += length) {
    chunks.push({ start: at, end: at + length });
  }
  return chunks;
}

describe('splitting', () => {
  it.each([
    [16, 224],
    [128, 2016],
    [360, 5728],
    [980, 15_648],
  ])('cuts a guest of %d GiB into chunks of %d MiB, 65 of them where the start is no multiple', (memGiB, chunkMiB) => {
    const size = (memGiB - 2) * GIB;
    const chunk = chunkSize(size, 16, VFIO.minChunk, VFIO.align);
    expect(chunk).toBe(chunkMiB * MIB);
    expect(chunksOf(4 * GIB, size, chunk)).toHaveLength(65);
  });

  it('cuts on absolute multiples of the chunk, whatever number that is', () => {
    expect(chunksOf(10, 20, 7)).toEqual([
      { start: 10, end: 14 },
      { start: 14, end: 21 },
      { start: 21, end: 28 },
      { start: 28, end: 30 },
    ]);
  });

  it('never makes a chunk of nothing', () => {
    expect(chunkSize(3, 16, 0, 1)).toBe(1);
  });

  it('hands out disjoint ascending chunks that cover the job, with inner cuts on multiples of the chunk', () => {
    const job = fc.record({
      start: fc.nat(2 ** 30),
      size: fc.integer({ min: 1, max: 2 ** 34 }),
      workers: fc.integer({ min: 1, max: 64 }),
      minChunk: fc.nat(2 ** 30),
      align: fc.nat(21).map((bits) => 2 ** bits),
    });
    fc.assert(
      fc.property(job, ({ start, size, workers, minChunk, align }) => {
        const chunk = chunkSize(size, workers, minChunk, align);
        expect(chunk % align).toBe(0);
        expect(chunk).toBeGreaterThanOrEqual(minChunk);
        const chunks = chunksOf(start, size, chunk);
        expect(chunks[0]!.start).toBe(start);
        expect(chunks.at(-1)!.end).toBe(start + size);
        chunks.slice(1).forEach(({ start: cut }, i) => {
          expect(cut).toBe(chunks[i]!.end);
          expect(cut % chunk).toBe(0);
        });
        chunks.slice(1, -1).forEach((range) => expect(range.end - range.start).toBe(chunk));
      }),
    );
  });
});

describe('the caps', () => {
  const job = { size: 64 * GIB, minChunk: VFIO.minChunk, maxThreads: 16, allowedCpus: 104, bandwidthCpus: Infinity };
  it.each([
    ['nothing but max_threads', {}, 16, Cap.MaxThreads],
    ['250 ms every 100 ms', { bandwidthCpus: bandwidthCpus(250e6, 100e6) }, 2, Cap.Bandwidth],
    ['a mask of 4', { allowedCpus: 4 }, 4, Cap.Affinity],
    ['1 GiB', { size: GIB }, 8, Cap.Size],
    ['300 MiB', { size: 300 * MIB }, 2, Cap.Size],
    ['100 MiB', { size: 100 * MIB }, 1, Cap.Size],
    ['50 ms every 100 ms', { bandwidthCpus: bandwidthCpus(50e6, 100e6) }, 0, Cap.Bandwidth],
  ])('%s', (_what, change, workers, cap) => {
    expect(requestedWorkers({ ...job, ...change })).toEqual({ workers, cap });
  });

  it.each([
    [0, 4],
    [2 * MIB, 5],
  ])('a quota below the period leaves one worker with quarters (start %d: %d chunks)', (start, count) => {
    const size = 64 * GIB;
    expect(chunksOf(start, size, chunkSize(size, 1, VFIO.minChunk, VFIO.align))).toHaveLength(count);
  });
});

describe('undo', () => {
  it.each([
    ['nothing failed', [], [[0, 100]]],
    ['the first chunk failed', [[0, 10]], [[10, 100]]],
    ['the last one failed', [[90, 100]], [[0, 90]]],
    [
      'two failed, the later one first',
      [
        [50, 60],
        [20, 30],
      ],
      [
        [0, 20],
        [30, 50],
        [60, 100],
      ],
    ],
    [
      'neighbours failed',
      [
        [20, 30],
        [30, 40],
      ],
      [
        [0, 20],
        [40, 100],
      ],
    ],
  ])('%s', (_what, failed, gaps) => {
    const ranges = failed.map(([start, end]) => ({ start: start!, end: end! }));
    expect(undoRanges(0, 100, ranges).map(({ start, end }) => [start, end])).toEqual(gaps);
  });
});
