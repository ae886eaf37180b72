import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CacheLines } from './cache-line.js';
import { testMachine } from '../testing/build.js';
import { Topology } from './topology.js';

const COSTS = { nearNs: 30, farNs: 100, memoryNs: 80 };

/** 2 sockets of 4 cores of 2 threads: CPUs 0-3 and 8-11 are in socket 0, 4-7 and 12-15 in socket 1. */
function build() {
  const clock = { nowNs: 0 };
  const lines = new CacheLines(clock, new Topology(16, { sockets: 2, threadsPerCore: 2 }), COSTS);
  return { clock, lines, line: lines.line() };
}

/** Makes an access and lets its time pass. */
function settled(clock: { nowNs: number }, ns: number): number {
  clock.nowNs += ns;
  return ns;
}

describe('an access to a line', () => {
  const steps: [string, ('r' | 'w')[], number[], number[]][] = [
    ['comes from memory once, then it is there for reads and writes', ['r', 'r', 'w'], [0, 0, 0], [80, 0, 0]],
    ['hits in the cache of the SMT sibling', ['w', 'w', 'r'], [0, 8, 8], [80, 0, 0]],
    ['costs near within the socket, far between sockets', ['w', 'w', 'w'], [0, 1, 4], [80, 30, 100]],
    ['bounces for ever between two writers', ['w', 'w', 'w', 'w'], [0, 1, 0, 1], [80, 30, 30, 30]],
    ['is shared by readers, each of which gets it once', ['w', 'r', 'r', 'r', 'r'], [0, 1, 0, 1, 9], [80, 30, 0, 0, 0]],
    ['comes from the nearest copy', ['w', 'r', 'r', 'r'], [0, 4, 5, 1], [80, 100, 30, 30]],
    ['invalidates near copies by a near round trip', ['w', 'r', 'r', 'w'], [0, 1, 2, 0], [80, 30, 30, 30]],
    ['invalidates the farthest copy by a far one', ['w', 'r', 'r', 'w'], [0, 1, 4, 1], [80, 30, 100, 100]],
    ['is private again after an invalidation', ['w', 'r', 'w', 'w', 'r'], [0, 1, 1, 1, 0], [80, 30, 30, 0, 30]],
  ];
  it.each(steps)('%s', (_, kinds, cpus, costs) => {
    const { clock, line } = build();
    const seen = kinds.map((kind, i) => settled(clock, kind === 'r' ? line.read(cpus[i]!) : line.write(cpus[i]!)));
    expect(seen).toEqual(costs);
  });

  it('finds an evicted line in memory', () => {
    const { clock, lines, line } = build();
    settled(clock, line.write(0));
    settled(clock, line.read(1));
    lines.evict(line.index);
    expect(line.read(0)).toBe(80);
  });

  it('finds nothing of the former object in a line that is used again', () => {
    const { clock, lines } = build();
    const first = lines.add();
    settled(clock, lines.write(first, 0));
    settled(clock, lines.read(first, 1));
    lines.remove(first);
    const second = lines.add();
    expect(second).toBe(first);
    expect([lines.has(second, 0), lines.has(second, 1), lines.transfersOf(second)]).toEqual([false, false, 0]);
  });
});

describe('a contested line', () => {
  it('serves writers one after the other, so that the wait grows with their number', () => {
    const { clock, lines, line } = build();
    settled(clock, line.write(0));
    expect([1, 2, 3].map((cpu) => line.write(cpu))).toEqual([30, 60, 90]);
    expect(lines.waitNs).toBe(30 + 60);
  });

  it('serves readers side by side once the first of them made it shared', () => {
    const { clock, line } = build();
    settled(clock, line.write(0));
    expect([1, 2, 3].map((cpu) => line.read(cpu))).toEqual([30, 60, 60]);
    clock.nowNs += 60;
    expect([4, 5].map((cpu) => line.read(cpu))).toEqual([100, 30]);
    // A writer waits for the slowest reader.
    expect(line.write(0)).toBe(100 + 100);
  });

  it('makes a sibling wait for the transfer that its core has asked for', () => {
    const { clock, line } = build();
    settled(clock, line.write(0));
    expect(line.write(1)).toBe(30);
    clock.nowNs += 10;
    expect(line.write(9)).toBe(20);
  });

  it('counts what moved, and where from', () => {
    const { clock, lines, line } = build();
    for (const cpu of [0, 1, 1, 4, 0]) settled(clock, line.write(cpu));
    expect([lines.memoryTransfers, lines.nearTransfers, lines.farTransfers, lines.hits]).toEqual([1, 1, 2, 1]);
    expect(lines.transfersOf(line.index)).toBe(4);
  });
});

// The same protocol with a set per line and no shortcut, for access sequences in which every access waits for the last.
class NaiveLine {
  private copies = new Set<number>();
  private exclusive = false;
  constructor(private readonly host: Topology) {}

  access(cpu: number, write: boolean): number {
    const core = this.host.coreOf[cpu]!;
    const socket = (other: number) => this.host.socketOf[this.host.cpuAt(other, 0)]!;
    const own = socket(core);
    const others = [...this.copies].filter((copy) => copy !== core);
    const before = this.copies.size;
    const had = this.copies.has(core);
    const hit = had && (!write || this.exclusive);
    if (write) this.copies = new Set([core]);
    else this.copies.add(core);
    this.exclusive = this.copies.size === 1;
    if (hit) return 0;
    if (before === 0) return COSTS.memoryNs;
    const near = write ? others.every((copy) => socket(copy) === own) : others.some((copy) => socket(copy) === own);
    return near ? COSTS.nearNs : COSTS.farNs;
  }
}

describe('any sequence of accesses', () => {
  const access = fc.record({ line: fc.nat(2), cpu: fc.nat(23), write: fc.boolean() });
  const host = new Topology(24, { sockets: 3, threadsPerCore: 2 });

  it('costs what the protocol says, line by line', () => {
    fc.assert(
      fc.property(fc.array(access, { maxLength: 60 }), (accesses) => {
        const clock = { nowNs: 0 };
        const lines = new CacheLines(clock, host, COSTS);
        const ids = [lines.add(), lines.add(), lines.add()];
        const naive = ids.map(() => new NaiveLine(host));
        for (const { line, cpu, write } of accesses) {
          const ns = write ? lines.write(ids[line]!, cpu) : lines.read(ids[line]!, cpu);
          expect(ns).toBe(naive[line]!.access(cpu, write));
          clock.nowNs += ns;
          expect(lines.has(ids[line]!, cpu)).toBe(true);
          expect(lines.owns(ids[line]!, cpu) || !write).toBe(true);
        }
        const moved = lines.nearTransfers + lines.farTransfers + lines.memoryTransfers;
        expect(moved + lines.hits).toBe(accesses.length);
      }),
    );
  });

  it('never lets two cores own a line, nor a transfer of ownership overtake another', () => {
    const timed = fc.array(fc.tuple(access, fc.nat(50)), { maxLength: 60 });
    fc.assert(
      fc.property(timed, (accesses) => {
        const clock = { nowNs: 0 };
        const lines = new CacheLines(clock, host, COSTS);
        const line = lines.add();
        let lastWriteNs = 0;
        for (const [{ cpu, write }, gapNs] of accesses) {
          clock.nowNs += gapNs;
          const ns = write ? lines.write(line, cpu) : lines.read(line, cpu);
          expect(ns).toBeGreaterThanOrEqual(0);
          const doneNs = clock.nowNs + ns;
          expect(!write || doneNs >= lastWriteNs).toBe(true);
          if (write) lastWriteNs = doneNs;
          const owners = Array.from({ length: host.cpus }, (_, other) => other).filter((other) =>
            lines.owns(line, other),
          );
          expect(new Set(owners.map((other) => host.coreOf[other])).size).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('a counter that two threads write', () => {
  /** Each of the threads works 50 ns and increments, 1,000 times. @returns when the last one is done. */
  function race(cpus: readonly number[]): number {
    const machine = testMachine(4);
    const line = new CacheLines(machine, new Topology(4), { nearNs: 60, farNs: 0, memoryNs: 0 }).line();
    for (const cpu of cpus) {
      machine.spawn(
        'thread',
        function* () {
          for (let i = 0; i < 1_000; i++) {
            yield 50;
            yield line.write(cpu);
          }
        },
        { on: machine.cpus[cpu]! },
      );
    }
    machine.run(Infinity);
    return machine.nowNs;
  }

  it('is faster when they share a CPU than when they have one each, for nothing moves', () => {
    expect(race([0])).toBe(50_000);
    expect(race([0, 0])).toBe(100_000);
    // The line goes to and fro without a pause: 60 ns an increment, whoever makes it.
    expect(race([0, 1])).toBeGreaterThan(119_000);
    expect(race([0, 1])).toBeLessThan(121_000);
    expect(race([0, 1, 2])).toBeGreaterThan(179_000);
  });
});

describe('lines of a large machine', () => {
  it('take room for the copies that there are, not for all that there could be', () => {
    const host = new Topology(4096, { sockets: 8, threadsPerCore: 2 });
    const lines = new CacheLines({ nowNs: 0 }, host, COSTS);
    for (let i = 0; i < 100_000; i++) lines.write(lines.add(), i % 4096);
    expect(lines.bytes).toBeLessThan(5e6);
    // Sharers of one line after the other, released by writes: one set is enough.
    const before = lines.bytes;
    for (let line = 0; line < 1000; line++) {
      for (let cpu = 0; cpu < 64; cpu++) lines.read(line, cpu);
      lines.write(line, 0);
    }
    expect(lines.bytes).toBe(before);
  });
});
