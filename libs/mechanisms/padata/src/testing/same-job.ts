// What the tables of patch 8 say about their own accuracy: they hold one and the same job more than once.
//
// A chunk reserves what it needs at once when the cache is no smaller than the chunk, so from there on the size of the
// cache makes no difference. Guests of 16 GiB have such rows: 11.2 and 11.2, but also 4.3 and 2.8, 8.3 and 4.2.
import { chunkSize } from '../job/split.js';
import { PAGE_BYTES } from '../model/costs.js';
import { LOW_BYTES } from '../model/guest.js';
import { type PinTable, THREADS } from '../published/pin-table.js';
import { workloadSchema } from '../workloads.js';

/** As VFIO asks for it (patch 7): what a workload has that says nothing else. */
const { minChunk, align } = workloadSchema.parse({});

/** The largest ratio of two measurements of one job in a table; 1 where no job is in it twice. */
export function spreadOfSameJob({ guestGib, speedups }: PinTable): number {
  const size = guestGib * 2 ** 30 - LOW_BYTES;
  const ratios = THREADS.map((threads, i) => {
    const workers = Math.min(Math.floor(size / minChunk), threads);
    const chunkPages = chunkSize(size, workers, minChunk, align) / PAGE_BYTES;
    const same = Object.entries(speedups).flatMap(([cache, row]) => (Number(cache) >= chunkPages ? [row[i]!] : []));
    return same.length === 0 ? 1 : Math.max(...same) / Math.min(...same);
  });
  return Math.max(...ratios);
}
