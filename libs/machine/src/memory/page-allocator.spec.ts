import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MS, testMachine } from '../testing/build.js';
import { type OomCandidate, OomKiller } from './oom-killer.js';
import { PageAllocator } from './page-allocator.js';
import { minFreeKib, watermarks } from './watermarks.js';

const MB = 1 << 20;
const PAGE_NS = 1000;

describe('watermarks', () => {
  // /proc/sys/vm/min_free_kbytes and /proc/zoneinfo of a host with 24,684,092 KiB, 3 zones.
  it('of a host of 23.5 GiB begin at 67,584 KiB because of huge pages, and at 19,873 without', () => {
    expect(minFreeKib(24_684_092 * 1024)).toBe(67_584);
    expect(minFreeKib(24_684_092 * 1024, false)).toBe(19_873);
  });

  it.each([
    [772_917, 9_556, 11_945, 14_334],
    [589_824, 7_292, 9_115, 10_938],
  ])('of a zone of %d pages with min %d are low %d and high %d', (managed, min, low, high) => {
    const { lowBytes, highBytes } = watermarks(managed, min);
    expect([lowBytes, highBytes]).toEqual([low, high]);
  });
});

function build(cpus: number, nodes: number, pageCacheBytes: number, oom?: OomKiller) {
  const machine = testMachine(cpus);
  const node = { managedBytes: 100 * MB, watermarks: watermarks(100 * MB, 4 * MB), pageCacheBytes };
  const allocator = new PageAllocator(
    machine,
    { nodes: Array.from({ length: nodes }, () => node), reclaimPageNs: PAGE_NS },
    oom,
  );
  const total = (): number =>
    allocator.nodes.reduce((sum, n) => sum + n.freeBytes + n.pageCacheBytes + n.isolatedBytes + n.usedBytes, 0);
  return { machine, allocator, total };
}

describe('the page allocator', () => {
  it('never loses a byte, and never goes below the min watermark of a node', () => {
    const user = fc.record({
      node: fc.nat({ max: 1 }),
      sizes: fc.array(fc.integer({ min: 1, max: 256 }), { maxLength: 10 }),
      keep: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(user, { maxLength: 12 }), fc.nat({ max: 90 }), (users, cacheMb) => {
        const { machine, allocator, total } = build(2, 2, cacheMb * MB);
        let [kept, failed] = [0, 0];
        let wrong = 0;
        for (const { node, sizes, keep } of users) {
          machine.spawn('user', function* () {
            for (const size of sizes) {
              const bytes = size * 65_536;
              const from = yield* allocator.allocate(bytes, node);
              if (total() !== 200 * MB) wrong++;
              if (allocator.nodes.some(({ freeBytes }) => freeBytes < 4 * MB)) wrong++;
              if (from < 0) failed++;
              else if (keep) kept += bytes;
              else {
                yield 100_000;
                allocator.free(bytes, from, node);
              }
            }
          });
        }
        machine.run(Infinity);
        expect([wrong, total()]).toEqual([0, 200 * MB]);
        expect(allocator.nodes.reduce((sum, { usedBytes }) => sum + usedBytes, 0)).toBe(kept);
        expect(failed).toBe(allocator.failures);
      }),
    );
  });

  it('takes from its node while there is room, then from the nearest; bytes elsewhere are counted', () => {
    const { machine, allocator } = build(1, 3, 0);
    const from: number[] = [];
    machine.spawn('user', function* () {
      for (let i = 0; i < 5; i++) from.push(yield* allocator.allocate(40 * MB, 1));
      allocator.free(40 * MB, from[4]!, 1);
    });
    machine.run(Infinity);
    expect(from).toEqual([1, 1, 0, 0, 2]);
    expect(allocator.nodes.map(({ usedBytes, missedBytes }) => [usedBytes / MB, missedBytes / MB])).toEqual([
      [80, 80],
      [80, 0],
      [0, 0],
    ]);
  });

  it('has kswapd give back page cache up to the high watermark, beside whoever allocates, without a stall', () => {
    const { machine, allocator } = build(2, 1, 94.5 * MB);
    let endNs = 0;
    machine.spawn('user', function* () {
      expect(yield* allocator.allocate(1 * MB)).toBe(0);
      endNs = machine.nowNs;
    });
    machine.run(Infinity);
    const { freeBytes } = allocator.nodes[0]!;
    expect([endNs, allocator.stalls]).toEqual([0, 0]);
    // The high watermark is 6 MB; rounds are of 32 pages.
    expect(freeBytes).toBeGreaterThanOrEqual(6 * MB);
    expect(freeBytes).toBeLessThanOrEqual(6 * MB + 131_072);
    expect(machine.nowNs).toBeGreaterThanOrEqual((1.5 * MB * PAGE_NS) / 4096);
  });

  it('has an allocation below the min watermark reclaim for itself, and wait as long as that takes', () => {
    const { machine, allocator } = build(1, 1, 95.5 * MB);
    let endNs = 0;
    machine.spawn('user', function* () {
      expect(yield* allocator.allocate(10 * MB)).toBe(0);
      endNs = machine.nowNs;
    });
    machine.run(Infinity);
    expect([allocator.stalls, allocator.stallNs]).toEqual([1, endNs]);
    // 9.5 MB are missing; kswapd has half of the CPU and works for it too.
    expect(endNs).toBeGreaterThanOrEqual((9.5 * MB * PAGE_NS) / 4096 / 1.01);
    expect(endNs).toBeLessThanOrEqual((16 * MB * PAGE_NS) / 4096);
  });
});

describe('out of memory', () => {
  const candidate = (name: string, bytes: number, oomScoreAdj: number, kill: () => void): OomCandidate => {
    return { name, oomScoreAdj, bytes: () => bytes, kill };
  };

  it('kills the largest, corrected by oom_score_adj, one at a time, and never one at -1000', () => {
    const oom = new OomKiller(100 * MB);
    const killed: string[] = [];
    const all = (
      [
        ['huge but safe', 90, -1000],
        ['large', 50, 0],
        ['small but first', 5, 500],
        ['larger but spared', 60, -200],
      ] as const
    ).map(([name, mb, adj]) => candidate(name, mb * MB, adj, () => killed.push(name)));
    for (const each of all) oom.add(each);
    expect([oom.outOfMemory(), oom.outOfMemory()]).toEqual([true, true]);
    expect(killed).toEqual(['small but first']);
    for (let i = 0; i < 2; i++) {
      oom.exited(oom.victim!);
      oom.outOfMemory();
    }
    oom.exited(oom.victim!);
    expect(killed).toEqual(['small but first', 'large', 'larger but spared']);
    expect([oom.outOfMemory(), oom.kills]).toEqual([false, 3]);
  });

  it('lets an allocation wait until the victim is gone, and fail when there is nobody to kill', () => {
    const oom = new OomKiller(100 * MB);
    const { machine, allocator, total } = build(2, 1, 0, oom);
    const results: number[] = [];
    let endMs = 0;
    const hog = candidate('hog', 90 * MB, 0, () => {
      machine.spawn('exit_mmap', function* () {
        yield 20 * MS;
        allocator.free(90 * MB, 0);
        oom.exited(hog);
      });
    });
    oom.add(hog);
    machine.spawn('user', function* () {
      results.push(yield* allocator.allocate(90 * MB));
      results.push(yield* allocator.allocate(50 * MB));
      endMs = machine.nowNs / MS;
      results.push(yield* allocator.allocate(60 * MB));
    });
    machine.run(Infinity);
    expect(results).toEqual([0, 0, -1]);
    expect(endMs).toBeGreaterThanOrEqual(20);
    expect(endMs).toBeLessThanOrEqual(28);
    expect([oom.kills, allocator.failures, total()]).toEqual([1, 1, 100 * MB]);
  });
});
