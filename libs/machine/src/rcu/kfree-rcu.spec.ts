import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Memory } from '../memory/memory.js';
import { MS, testRcu } from '../testing/build.js';
import { Workqueues } from '../workqueue/workqueues.js';
import { KfreeRcu } from './kfree-rcu.js';

function build(cpus = 2, drainSeconds?: number) {
  const { machine, rcu } = testRcu(cpus);
  const workqueues = new Workqueues(machine, { workerCreateNs: 100_000, workerIdleTimeoutNs: 300e9 });
  const memory = new Memory({
    totalBytes: 1e9,
    baseBytes: 0,
    lowWaterBytes: 0,
    minWaterBytes: 0,
    stallMinRatio: 1,
    stallMaxRatio: 1,
  });
  const costs = drainSeconds === undefined ? { freeNs: 50 } : { freeNs: 50, drainSeconds };
  const kfree = new KfreeRcu(machine, rcu, workqueues.alloc(256), costs);
  const at = (ns: number, what: () => void): void => machine.schedule(ns, machine.addActor(what), 0);
  return { machine, rcu, memory, kfree, at };
}

describe('kfree_rcu', () => {
  it('gives back every byte, none before a grace period that began after the call', () => {
    const call = fc.record({
      atNs: fc.integer({ min: 1, max: 8_000 * MS }),
      cpu: fc.nat({ max: 1 }),
      cache: fc.nat({ max: 1 }),
      objects: fc.integer({ min: 1, max: 2000 }),
    });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
        const { machine, rcu, memory, kfree, at } = build();
        const caches = ['a', 'b'].map((name) => memory.cache(name));
        const posted: { gpStarted: number; bytes: number }[] = [];
        for (const { atNs, cpu, cache, objects } of calls) {
          caches[cache]!.alloc(objects, objects * 64);
          at(atNs, () => {
            posted.push({ gpStarted: rcu.gpStarted, bytes: objects * 64 });
            kfree.free(machine.cpus[cpu]!, caches[cache]!, objects, objects * 64);
          });
        }
        let early = 0;
        let passedIn = 0;
        machine.observe(7 * MS, () => {
          passedIn = posted.reduce((sum, { bytes }) => sum + bytes, 0);
          const safe = posted.filter(({ gpStarted }) => gpStarted < rcu.gpCompleted);
          const given = passedIn - kfree.pendingBytes;
          if (given > safe.reduce((sum, { bytes }) => sum + bytes, 0)) early++;
        });
        machine.run(40e9);
        expect([memory.usedBytes, kfree.pendingBytes, kfree.pendingObjects, early]).toEqual([0, 0, 0, 0]);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    [undefined, 1, 5, 5.2],
    [1, 1, 1, 1.1],
    [undefined, 506, 0.01, 0.04],
  ])('drained every %s s frees %d objects after %d to %d s', (drainSeconds, objects, least, most) => {
    const { machine, memory, kfree } = build(2, drainSeconds);
    const cache = memory.cache('a');
    cache.alloc(objects, 100 * objects);
    for (let i = 0; i < objects; i++) kfree.free(machine.cpus[0]!, cache, 1, 100);
    machine.run(least * 1e9);
    expect(memory.usedBytes).toBe(100 * objects);
    machine.run(most * 1e9);
    expect([memory.usedBytes, kfree.batches]).toEqual([0, 1]);
  });
});
