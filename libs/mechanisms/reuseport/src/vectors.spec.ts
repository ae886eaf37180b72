// The test vectors of the specification, on the whole system.
import { describe, expect, it } from 'vitest';
import { queueOf, runToClose } from './testing/cells.js';

const SEED_EXAMPLE = {
  hashes: ['10000000', '60000000', '90000000', 'd0000000'],
  connections: 4,
  oldListeners: 4,
  newListeners: 0,
  close: 'A,B',
};
const [a, b, c, d] = [0, 1, 2, 3];

describe('the example of the seed: four listeners with one request each, A and B close', () => {
  it('V1: D has a and d, C has b and c, and two requests name another listener (V-b)', () => {
    const { system, queues } = runToClose({ variant: 'V1', workload: SEED_EXAMPLE });
    expect(queues).toEqual({ C: [b, c], D: [a, d] });
    expect(system.stack.wrongListener).toBe(2);
  });

  it('M: D has d, a and b, C has c, and both moves are counted (V-c)', () => {
    const { system, queues } = runToClose({ variant: 'M', workload: SEED_EXAMPLE });
    expect(queues).toEqual({ C: [c], D: [d, a, b] });
    expect(system.stack.mib.migrateSuccess).toEqual([2, 0, 0]);
    expect(system.stack.wrongListener).toBe(0);
  });

  it('V3p: as V1, and every request names its listener', () => {
    const { system, queues } = runToClose({ variant: 'V3p', workload: SEED_EXAMPLE });
    expect(queues).toEqual({ C: [b, c], D: [a, d] });
    expect(system.stack.wrongListener).toBe(0);
  });

  it('B0: a and b are reset', () => {
    const { system, queues } = runToClose({ variant: 'B0', workload: SEED_EXAMPLE });
    expect(queues).toEqual({ C: [c], D: [d] });
    expect(system.stack.mib.resets).toBe(2);
  });
});

describe('a connection hops through listeners that close after it came (V-e)', () => {
  const chains: readonly (readonly [string, string])[] = [
    ['10000000', 'AH'],
    ['30000000', 'ABG'],
    ['40000000', 'BG'],
    ['60000000', 'BCG'],
    ['7fffffff', 'BCF'],
    ['80000000', 'CF'],
    ['c0000000', 'DE'],
  ];
  const hashes = chains.map(([hash]) => hash);

  it.each(chains.map(([hash, chain], i) => [hash, chain, i] as const))('%s: %s', (_, chain, i) => {
    const workload = { hashes, connections: hashes.length, close: 'inOrder' };
    const { system, queues } = runToClose({ variant: 'M', workload });
    expect(queues[chain.at(-1)!]).toContain(i);
    expect(system.stack.pool.all.find(({ number }) => number === i)!.hops).toBe(chain.length - 1);
  });

  it('in reverse order every one hops once', () => {
    const { system } = runToClose({ variant: 'M', workload: { hashes, connections: 7, close: 'reverse' } });
    expect(system.stack.pool.all.map(({ hops }) => hops)).toEqual(hashes.map(() => 1));
  });
});

describe('the law of a single close (V-f)', () => {
  const cases = [3, 4, 8].flatMap((n) => Array.from({ length: n }, (_, i) => [i, n] as const));
  it.each(cases)('closing index %i of %i', (i, n) => {
    // Each listener has (n - 1) * 60 connections, evenly spread over its part of the hashes.
    const each = (n - 1) * 60;
    const name = (index: number): string => String.fromCharCode(65 + index);
    const workload = { hashSource: 'even', connections: n * each, oldListeners: n, newListeners: 0, close: name(i) };
    const { queues } = runToClose({ variant: 'M', workload });
    const expected = new Map(Array.from({ length: n }, (_, k) => [name(k), each]));
    expected.delete(name(i));
    const before = (i * each) / (n - 1);
    if (i > 0) expected.set(name(i - 1), expected.get(name(i - 1))! + before);
    const moved = i === n - 1 ? name(i - 1) : name(n - 1);
    expected.set(moved, expected.get(moved)! + each - before);
    expect(Object.fromEntries(Object.entries(queues).map(([key, queue]) => [key, queue.length]))).toEqual(
      Object.fromEntries(expected),
    );
  });
});

describe('a target that overflows (V-g)', () => {
  it('takes all 300, drops the next SYN, and accepts it after it was drained', () => {
    const workload = {
      connections: 300,
      backlog: 400,
      newBacklog: 8,
      oldListeners: 1,
      newListeners: 1,
      acceptAfter: 0.5,
      service: 0.000001,
    };
    const { system, queues } = runToClose({ variant: 'M', workload });
    expect(queues['B']).toHaveLength(300);
    const late = system.client.connect(300, 0, 0);
    system.machine.run(system.machine.nowNs + 1e6);
    expect(queueOf(system.stack.listeners[0]!)).toHaveLength(300);
    expect(system.stack.mib).toMatchObject({ listenDrops: 1, listenOverflows: 1, overLimitDrops: 1 });
    expect(late.outcome).toBe(0);
    system.machine.run(system.machine.nowNs + 2e9);
    expect(system.stack.outcomes).toMatchObject({ accepted: 301, open: 0 });
    expect(system.stack.synRetried).toBe(1);
  });

  it('one more than the limit fits: 9 at listen(8)', () => {
    const { queues } = runToClose({
      workload: { connections: 20, backlog: 8, oldListeners: 2, newListeners: 0, close: 'B' },
    });
    expect(queues['A']).toHaveLength(9);
  });
});
