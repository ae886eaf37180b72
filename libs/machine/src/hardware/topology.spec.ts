import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Distance, Topology, topologyProblem } from './topology.js';

const shape = fc
  .record({
    sockets: fc.integer({ min: 1, max: 4 }),
    nodesPerSocket: fc.integer({ min: 1, max: 4 }),
    threadsPerCore: fc.integer({ min: 1, max: 4 }),
    coresPerNode: fc.integer({ min: 1, max: 9 }),
  })
  .map(
    ({ coresPerNode, ...rest }) =>
      new Topology(rest.sockets * rest.nodesPerSocket * rest.threadsPerCore * coresPerNode, rest),
  );

describe('CPU numbers', () => {
  it('follow Linux on a host of two sockets with 26 cores of two threads', () => {
    const host = new Topology(104, { sockets: 2, threadsPerCore: 2 });
    expect([host.cores, host.nodes, host.coresPerSocket]).toEqual([52, 2, 26]);
    expect(host.siblings(3)).toEqual([3, 55]);
    // NUMA node0 CPU(s): 0-25,52-77
    const node0 = host.cpusOfNode(0);
    expect([node0[0], node0[25], node0[26], node0[51], node0.length]).toEqual([0, 25, 52, 77, 52]);
    expect(host.cpusOfSocket(1)[0]).toBe(26);
  });

  it('are partitioned by cores, nodes and sockets alike', () => {
    fc.assert(
      fc.property(shape, (host) => {
        const all = Array.from({ length: host.cpus }, (_, cpu) => cpu);
        const sorted = (lists: number[][]) => lists.flat().sort((a, b) => a - b);
        const parts = (count: number, list: (part: number) => number[]) =>
          sorted(Array.from({ length: count }, (_, part) => list(part)));
        expect(parts(host.cores, (core) => host.siblings(core))).toEqual(all);
        expect(parts(host.nodes, (node) => host.cpusOfNode(node))).toEqual(all);
        expect(parts(host.sockets, (socket) => host.cpusOfSocket(socket))).toEqual(all);
        for (const cpu of all) {
          expect(host.siblings(host.coreOf[cpu]!)).toContain(cpu);
          expect(host.cpusOfNode(host.nodeOf[cpu]!)).toContain(cpu);
          expect(host.cpusOfSocket(host.socketOf[cpu]!)).toContain(cpu);
        }
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    [40, {}, undefined],
    [
      41,
      { sockets: 2 },
      '41 CPUs do not divide into 2 sockets of 1 nodes with 1 threads a core; expected a multiple of 2',
    ],
    [8, { threadsPerCore: 0 }, 'threadsPerCore: expected an integer of at least 1, got 0'],
    [2.5, {}, 'cpus: expected an integer of at least 1, got 2.5'],
  ])('%d of them in shape %j: %s', (cpus, asked, problem) => {
    expect(topologyProblem(cpus, asked)).toBe(problem);
  });
});

it('a topology refuses CPUs that do not divide into it', () => {
  expect(() => new Topology(41, { sockets: 2 })).toThrow('topology: 41 CPUs do not divide');
});

describe('distance', () => {
  it('is by core, then by socket', () => {
    const host = new Topology(16, { sockets: 2, nodesPerSocket: 2, threadsPerCore: 2 });
    expect(host.distance(0, 0)).toBe(Distance.Core);
    expect(host.distance(0, 8)).toBe(Distance.Core);
    expect(host.distance(0, 3)).toBe(Distance.Near); // another node of the same socket
    expect(host.distance(0, 11)).toBe(Distance.Near);
    expect(host.distance(0, 4)).toBe(Distance.Far);
  });

  it('is the same both ways', () => {
    fc.assert(
      fc.property(shape, fc.nat(), fc.nat(), (host, a, b) => {
        expect(host.distance(a % host.cpus, b % host.cpus)).toBe(host.distance(b % host.cpus, a % host.cpus));
      }),
    );
  });
});
